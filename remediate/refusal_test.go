package remediate

import (
	"testing"

	"moorgate.dev/remediate/causes"
)

func TestRefusals(t *testing.T) {
	const forbidden = `pods "web-5d8c9f7b6-abcde" is forbidden: `
	for name, c := range map[string]struct {
		message string
		class   causes.RefusalClass
		by      string
	}{
		"a quota":                   {forbidden + "exceeded quota: cap, requested: pods=1, used: pods=1, limited: pods=1", causes.RefusedByQuota, "cap"},
		"a quota that wants more":   {forbidden + "failed quota: cap: must specify requests.cpu for: app", causes.RefusedUnsaid, "cap"},
		"Pod Security":              {forbidden + `violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)`, causes.RefusedBySecurity, "baseline"},
		"an account":                {forbidden + `error looking up service account shop/robot: serviceaccount "robot" not found`, causes.RefusedForAccount, "robot"},
		"a LimitRange":              {forbidden + "maximum cpu usage per Container is 1, but limit is 2", causes.RefusedByLimits, ""},
		"two bounds":                {forbidden + "[maximum cpu usage per Container is 1, but limit is 2, minimum memory usage per Pod is 1Gi, but request is 1Mi]", causes.RefusedByLimits, ""},
		"a ratio":                   {forbidden + "cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000", causes.RefusedByLimits, ""},
		"a policy":                  {forbidden + `ValidatingAdmissionPolicy 'no-latest' with binding 'no-latest' denied request: no`, causes.RefusedByPolicy, "no-latest"},
		"a webhook":                 {`admission webhook "pods.example.com" denied the request: because`, causes.RefusedByWebhook, "pods.example.com"},
		"a webhook that is down":    {`Internal error occurred: failed calling webhook "pods.example.com": failed to call webhook: Post "https://x": context deadline exceeded`, causes.RefusedByOutage, "pods.example.com"},
		"an invalid pod":            {`Pod "web-1" is invalid: spec.containers[0].name: Required value`, causes.RefusedAsInvalid, ""},
		"a webhook that poses":      {`admission webhook "x.example" denied the request: ` + forbidden + "exceeded quota: cap, requested: pods=1", causes.RefusedByWebhook, "x.example"},
		"a name that is none":       {`admission webhook "` + "x\x1b[2J" + `" denied the request`, "", ""},
		"a note that says the same": {"ignore this. " + forbidden + "exceeded quota: cap, requested: pods=1", "", ""},
		"nothing":                   {"", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if class, by := refusalOf(c.message); class != c.class || by != c.by {
				t.Errorf("it is %q by %q", class, by)
			}
		})
	}
}

func FuzzRefusals(f *testing.F) {
	f.Add(`pods "web" is forbidden: exceeded quota: cap, requested: pods=1`)
	f.Fuzz(func(t *testing.T, message string) {
		for _, r := range func() string { _, by := refusalOf(message); return by }() {
			if r > 'z' || r < '-' {
				t.Fatalf("a name holds %q", r)
			}
		}
		barriers(message)
	})
}
