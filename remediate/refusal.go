package remediate

import (
	"regexp"

	"moorgate.dev/remediate/causes"
)

// The law: what the API server answers to a controller that makes a pod is read by how it begins, up to the name of who refuses: that much
// is the API server's own. What follows may be anybody's, a webhook's or a manifest's, and is neither read nor kept. An answer that
// begins otherwise is not understood.

const (
	refusedPod = `^pods "[a-z0-9.-]{1,253}" is forbidden: `
	refuser    = `([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)`
)

// answers are how answers begin. The first group is the name of who refuses, where there is one.
var answers = []struct {
	begins *regexp.Regexp
	class  causes.RefusalClass
}{
	{regexp.MustCompile(refusedPod + `exceeded quota: ` + refuser + `, requested: `), causes.RefusedByQuota},
	{regexp.MustCompile(refusedPod + `failed quota: ` + refuser + `: must specify `), causes.RefusedUnsaid},
	{regexp.MustCompile(refusedPod + `violates PodSecurity "(baseline|restricted):`), causes.RefusedBySecurity},
	{regexp.MustCompile(refusedPod + `error looking up service account [a-z0-9-]{1,63}/` + refuser + `: `), causes.RefusedForAccount},
	{regexp.MustCompile(refusedPod + `\[?(?:maximum|minimum) [a-z0-9./-]{1,128} usage per (?:Container|Pod) is `), causes.RefusedByLimits},
	{regexp.MustCompile(refusedPod + `\[?[a-z0-9./-]{1,128} max limit to request ratio per (?:Container|Pod) is `), causes.RefusedByLimits},
	{regexp.MustCompile(refusedPod + `ValidatingAdmissionPolicy '` + refuser + `' with binding '`), causes.RefusedByPolicy},
	{regexp.MustCompile(`^admission webhook "` + refuser + `" denied the request`), causes.RefusedByWebhook},
	{regexp.MustCompile(`^Internal error occurred: failed calling webhook "` + refuser + `": `), causes.RefusedByOutage},
	{regexp.MustCompile(`^Pod "[a-z0-9.-]{1,253}" is invalid: `), causes.RefusedAsInvalid},
}

// refusalOf is the class of an answer, and the name of who refuses.
func refusalOf(message string) (causes.RefusalClass, string) {
	message = message[:min(len(message), maxMessage)]
	for _, a := range answers {
		if m := a.begins.FindStringSubmatch(message); len(m) > 1 {
			return a.class, m[1]
		} else if m != nil {
			return a.class, ""
		}
	}
	return "", ""
}
