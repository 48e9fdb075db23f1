package witness

import (
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"

	"moorgate.dev/webhook"
)

const (
	// Name is the name of the webhook, the second one in Moorgate's registration.
	Name = "witness.moorgate.dev"
	// Path is where it is served.
	Path = "/admission/witness"

	timeoutSeconds = 1
	components     = "system:"      // how the names of all users begin that are part of the cluster, and of ServiceAccounts
	clusterAdmin   = "system:admin" // a person's name on small distributions
)

// Hook is how the API server learns to tell: a webhook beside that of the gate, for the same address and namespaces. It is asked about
// what people do for real, and where nobody answers within a second the write goes on. Delivery are the names of users who bring
// Git to the cluster. o's URL or Service are those of the gate.
func Hook(o webhook.RegistrationOptions, delivery []string) admissionregistrationv1.ValidatingWebhook {
	gate := webhook.Registration(o).Webhooks[0]
	hook := admissionregistrationv1.ValidatingWebhook{Name: Name, ClientConfig: *gate.ClientConfig.DeepCopy(), Rules: rules(),
		FailurePolicy: new(admissionregistrationv1.Ignore), MatchPolicy: new(admissionregistrationv1.Equivalent), NamespaceSelector: gate.NamespaceSelector,
		SideEffects: new(admissionregistrationv1.SideEffectClassNoneOnDryRun), TimeoutSeconds: new(int32(timeoutSeconds)),
		AdmissionReviewVersions: []string{"v1"}, MatchConditions: conditions(delivery)}
	if hook.ClientConfig.URL != nil {
		*hook.ClientConfig.URL = strings.TrimSuffix(*hook.ClientConfig.URL, webhook.Path) + Path
	}
	if hook.ClientConfig.Service != nil {
		hook.ClientConfig.Service.Path = new(Path)
	}
	return hook
}

// conditions keep out what is not witnessed, before any call is made. Optional fields are read with ?. throughout: a condition
// that errors would skip the webhook in silence.
func conditions(delivery []string) []admissionregistrationv1.MatchCondition {
	const user = "request.?userInfo.?username.orValue('')"
	return []admissionregistrationv1.MatchCondition{
		{Name: "for-real", Expression: "!request.?dryRun.orValue(false)"},
		{Name: "by-a-person", Expression: "!" + user + ".startsWith('" + components + "') || " + user + " == '" + clusterAdmin + "'"},
		{Name: "not-by-delivery", Expression: "!(" + user + " in [" + webhook.Quoted(delivery) + "])"},
	}
}
