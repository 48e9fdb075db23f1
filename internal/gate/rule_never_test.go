package gate

import "testing"

func TestNever(t *testing.T) {
	aim := func(ref Ref) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, _ *Assessment, f *Facts) {
			x := &f.Menu[0]
			ref.Namespace, ref.Version = "shop", "v1"
			x.Target, x.Verb, x.Request = ref, "restart", nil
			r.Actions = append(r.Actions, Permitted{Verb: "restart"}, Permitted{Verb: "delete"}, Permitted{Verb: "Delete-claim"}, Permitted{Verb: "resize"})
			f.History = Known(Tally{Cause: "crash", Verb: "restart", Tried: 40, Healed: 40})
		}
	}
	doing := func(verb, method string, ref Ref) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, f *Facts) {
			aim(ref)(r, a, f)
			f.Menu[0].Verb = verb
			f.Menu[0].Request = &Request{Method: method, Path: "/api/v1/namespaces/shop/" + plural(ref.Kind) + "/" + ref.Name}
			f.History = Known(Tally{Cause: "crash", Verb: verb, Tried: 40, Healed: 40})
		}
	}
	weigh(t, "never", []weighed{
		{"a ConfigMap may be changed", aim(Ref{Kind: "ConfigMap", Name: "x"}), Allow, ""},
		{"a Deployment may be changed", aim(web), Allow, ""},
		{"a Secret is never changed", aim(Ref{Kind: "Secret", Name: "x"}), Deny, "Secrets"},
		{"a Secret of another group is no Secret", aim(Ref{Group: "example.com", Kind: "Secret", Name: "x"}), Allow, ""},
		{"a namespace is never changed", aim(Ref{Kind: "Namespace", Name: "x"}), Deny, "namespaces"},
		{"a ServiceAccount is never changed", aim(Ref{Kind: "ServiceAccount", Name: "x"}), Deny, "who may do what"},
		{"a role is never changed", aim(Ref{Group: "rbac.authorization.k8s.io", Kind: "Role", Name: "x"}), Deny, "who may do what"},
		{"a definition is never changed", aim(Ref{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition", Name: "x"}), Deny, "what the API server serves"},
		{"an API service is never changed", aim(Ref{Group: "apiregistration.k8s.io", Kind: "APIService", Name: "x"}), Deny, "what the API server serves"},
		{"a webhook is never changed", aim(Ref{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration", Name: "x"}), Deny, "whom the API server asks"},
		{"a certificate request is never changed", aim(Ref{Group: "certificates.k8s.io", Kind: "CertificateSigningRequest", Name: "x"}), Deny, "certificates"},
		{"our own kinds are never changed", aim(Ref{Group: "moorgate.dev", Kind: "Guardrail", Name: "x"}), Deny, "its own kinds"},
		{"a claim may be made larger", doing("resize", "PATCH", Ref{Kind: "PersistentVolumeClaim", Name: "x"}), Allow, ""},
		{"a claim is never deleted", doing("delete", "POST", Ref{Kind: "PersistentVolumeClaim", Name: "x"}), Deny, "volumes"},
		{"a claim is never deleted by another name", doing("resize", "delete", Ref{Kind: "PersistentVolumeClaim", Name: "x"}), Deny, "volumes"},
		{"a volume is never deleted", doing("Delete-claim", "POST", Ref{Kind: "PersistentVolume", Name: "x"}), Deny, "volumes"},
		{"what is only planned is weighed too", func(r *Rail, a *Assessment, f *Facts) {
			doing("delete", "POST", Ref{Kind: "PersistentVolume", Name: "x"})(r, a, f)
			f.Menu[0].Request = nil
		}, Deny, "volumes"},
		{"a mark is not made on it either", func(_ *Rail, a *Assessment, f *Facts) {
			a.Choice, f.Menu[3].Target, f.Menu[3].Request = []string{"mark"}, Ref{Kind: "Secret", Namespace: "shop", Name: "x"}, nil
		}, Deny, "Secrets"},
		{"an answer about it may be given", func(_ *Rail, a *Assessment, f *Facts) {
			a.Choice, f.Menu[4].Target = []string{"admit"}, Ref{Kind: "Secret", Namespace: "shop", Name: "x"}
		}, Allow, ""},
	})
}
