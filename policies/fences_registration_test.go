package policies

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/webhook"
)

const loopback = "https://127.0.0.1:1" + webhook.Path

// Whoever holds the webhook's token can have the API server ask about rollouts, ask Moorgate, or ask nobody. What it builds
// by itself passes, in both modes; everything else does not.
func TestRegistrationAsksOnlyWhatItShould(t *testing.T) {
	s := newStage(t)
	t.Cleanup(func() {
		if err := patch(registration("moorgate"), `{"webhooks":null,"metadata":{"annotations":{"`+cluster.AnnotationAsksAlso+`":null}}}`)(context.WithoutCancel(t.Context()), s.admin); err != nil {
			t.Error(err)
		}
	})
	listed := `{"metadata":{"annotations":{"` + cluster.AnnotationAsksAlso + `":"roles.rbac.authorization.k8s.io,secrets.,things.listed.example.com"}}}`
	if err := patch(registration("moorgate"), listed)(t.Context(), s.admin); err != nil {
		t.Fatal(err)
	}
	h := s.as(t, "moorgate-webhook")
	t.Run("may, with the rights of the chart", func(t *testing.T) { allowed(t, h, registrations()) })
	t.Run("may not, with the same rights", func(t *testing.T) { refused(t, h, s.hostileRegistrations(), "moorgate-webhook") })
	t.Run("may not, whatever its rights", func(t *testing.T) {
		refused(t, s.unbound(t, "moorgate-webhook"), s.hostileRegistrations(), "moorgate-webhook")
	})
	t.Run("an address that hides another is refused before any fence", func(t *testing.T) {
		err := register(withURL("https://127.0.0.1:443@attacker.example"+webhook.Path))(t.Context(), h)
		if !apierrors.IsInvalid(err) {
			t.Errorf("got %v, want that it is invalid", err)
		}
	})
	t.Run("others may register what they like", func(t *testing.T) {
		allowed(t, s.admin, []write{{"a webhook at another address", func(ctx context.Context, h hand) error {
			return h.client.Update(ctx, current(ctx, h, withURL("https://laptop.example:9443"+webhook.Path)), client.DryRunAll)
		}}})
	})
}

// also has a webhook ask about one more kind.
func also(group, resource string) func(*admissionregistrationv1.ValidatingWebhook) {
	return func(w *admissionregistrationv1.ValidatingWebhook) {
		rule := *w.Rules[0].DeepCopy()
		rule.APIGroups, rule.Resources = []string{group}, []string{resource}
		w.Rules = append(w.Rules, rule)
	}
}

func registrations() []write {
	listed := withURL(loopback)
	also("listed.example.com", "things")(&listed.Webhooks[0])
	narrower := &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"},
		MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: metav1.LabelSelectorOpExists}}}
	none := webhook.Registration(webhook.RegistrationOptions{URL: loopback})
	none.Webhooks = nil
	return []write{
		{"register its service", register(webhook.Registration(webhook.RegistrationOptions{Service: service("moorgate-system"), CABundle: []byte("ours")}))},
		{"register its service for fewer namespaces", register(webhook.Registration(webhook.RegistrationOptions{Service: service("moorgate-system"), Namespaces: narrower}))},
		{"register nothing", register(none)},
		{"register a process on this machine", register(webhook.Registration(webhook.RegistrationOptions{URL: loopback, CABundle: []byte("ours"), Own: []string{"someone"}}))},
		{"register it for fewer namespaces", register(webhook.Registration(webhook.RegistrationOptions{URL: loopback, Namespaces: narrower}))},
		{"register it by name", register(withURL("https://localhost:9443" + webhook.Path))},
		{"register it over IPv6", register(withURL("https://[::1]:9443" + webhook.Path))},
		{"register the same again", register(withURL("https://[::1]:9443" + webhook.Path))},
		{"register a kind that an installer listed", register(listed)},
		{"register more kinds", register(webhook.Registration(webhook.RegistrationOptions{URL: loopback, Kinds: webhook.EveryKind(nil)}))},
		{"register nothing any more", register(none)},
		{"try another in a dry run", func(ctx context.Context, h hand) error {
			return h.client.Update(ctx, current(ctx, h, withURL("https://attacker.example/")), client.DryRunAll)
		}},
	}
}

func (s stage) hostileRegistrations() []write {
	var writes []write
	for _, c := range []struct {
		name   string
		change func(w *admissionregistrationv1.ValidatingWebhook)
	}{
		{"asks about everything", func(w *admissionregistrationv1.ValidatingWebhook) {
			w.Rules[0].APIGroups, w.Rules[0].Resources, w.Rules[0].Operations = []string{"*"}, []string{"*/*"}, []admissionregistrationv1.OperationType{"*"}
		}},
		{"asks about secrets too", func(w *admissionregistrationv1.ValidatingWebhook) {
			rule := *w.Rules[0].DeepCopy()
			rule.APIGroups, rule.Resources = []string{""}, []string{"secrets"}
			w.Rules = append(w.Rules, rule)
		}},
		{"asks about the same names in another group", func(w *admissionregistrationv1.ValidatingWebhook) {
			w.Rules[0].APIGroups = append(w.Rules[0].APIGroups, "batch")
		}},
		{"asks about pods that change", also("", "pods")},
		{"asks about what runs in pods", func(w *admissionregistrationv1.ValidatingWebhook) {
			also("", "pods/exec")(w)
			w.Rules[1].Operations = w.Rules[1].Operations[:1]
		}},
		{"asks about a kind that no installer named", also("apps.example.com", "widgets")},
		{"asks about a part of one that an installer named", also("listed.example.com", "things/status")},
		{"asks about all of a group of which an installer named one", also("listed.example.com", "*")},
		{"asks about rights, whatever is listed", also("rbac.authorization.k8s.io", "roles")},
		{"asks about secrets, whatever is listed", also("", "secrets")},
		{"asks about scaling too", func(w *admissionregistrationv1.ValidatingWebhook) {
			w.Rules[0].Resources = append(w.Rules[0].Resources, "deployments/scale")
		}},
		{"asks about deletions too", func(w *admissionregistrationv1.ValidatingWebhook) {
			w.Rules[0].Operations = append(w.Rules[0].Operations, admissionregistrationv1.Delete)
		}},
		{"asks about every scope", func(w *admissionregistrationv1.ValidatingWebhook) {
			w.Rules[0].Scope = new(admissionregistrationv1.AllScopes)
		}},
		{"leaves the scope to the server, which takes every one", func(w *admissionregistrationv1.ValidatingWebhook) { w.Rules[0].Scope = nil }},
		{"asks somebody else", func(w *admissionregistrationv1.ValidatingWebhook) {
			w.ClientConfig.URL = new("https://attacker.example" + webhook.Path)
		}},
		{"asks somebody whose name begins like ours", func(w *admissionregistrationv1.ValidatingWebhook) {
			w.ClientConfig.URL = new("https://127.0.0.1.attacker.example:443" + webhook.Path)
		}},
		{"asks somebody whose name begins like this machine's", func(w *admissionregistrationv1.ValidatingWebhook) {
			w.ClientConfig.URL = new("https://localhost.attacker.example:443" + webhook.Path)
		}},
		{"asks something else on the API server's machine", func(w *admissionregistrationv1.ValidatingWebhook) {
			w.ClientConfig.URL = new("https://127.0.0.1:10250/run")
		}},
		{"asks a service of another namespace", func(w *admissionregistrationv1.ValidatingWebhook) {
			w.ClientConfig.URL, w.ClientConfig.Service = nil, service(s.namespace)
		}},
		{"refuses when nobody answers", func(w *admissionregistrationv1.ValidatingWebhook) {
			w.FailurePolicy = new(admissionregistrationv1.Fail)
		}},
		{"leaves it to the server, which refuses when nobody answers", func(w *admissionregistrationv1.ValidatingWebhook) { w.FailurePolicy = nil }},
		{"holds rollouts up", func(w *admissionregistrationv1.ValidatingWebhook) { w.TimeoutSeconds = new(int32(30)) }},
		{"leaves the time to the server, which waits for long", func(w *admissionregistrationv1.ValidatingWebhook) { w.TimeoutSeconds = nil }},
		{"has no selector", func(w *admissionregistrationv1.ValidatingWebhook) { w.NamespaceSelector = nil }},
		{"judges kube-system", func(w *admissionregistrationv1.ValidatingWebhook) {
			values := &w.NamespaceSelector.MatchExpressions[0].Values
			*values = slices.DeleteFunc(*values, func(n string) bool { return n == "kube-system" })
		}},
		{"judges Moorgate", func(w *admissionregistrationv1.ValidatingWebhook) {
			values := &w.NamespaceSelector.MatchExpressions[0].Values
			*values = slices.DeleteFunc(*values, func(n string) bool { return n == "moorgate-system" })
		}},
		{"judges only kube-system", func(w *admissionregistrationv1.ValidatingWebhook) {
			w.NamespaceSelector.MatchExpressions[0].Operator = metav1.LabelSelectorOpIn
		}},
		{"excludes by a label that anybody sets", func(w *admissionregistrationv1.ValidatingWebhook) {
			w.NamespaceSelector.MatchExpressions[0].Key = "name"
		}},
		{"has another name", func(w *admissionregistrationv1.ValidatingWebhook) { w.Name = "secrets.moorgate.dev" }},
	} {
		config := withURL(loopback)
		c.change(&config.Webhooks[0])
		writes = append(writes, write{c.name, register(config)})
	}
	two := withURL(loopback)
	two.Webhooks = append(two.Webhooks, *two.Webhooks[0].DeepCopy())
	two.Webhooks[1].Name = "more.rollouts.moorgate.dev"
	elsewhere := withURL("https://attacker.example/")
	body, _ := json.Marshal(map[string]any{"webhooks": elsewhere.Webhooks})
	owned := `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"gone","uid":"1"}]}}`
	return append(writes,
		write{"registers two", register(two)},
		write{"replaces the whole", func(ctx context.Context, h hand) error { return h.client.Update(ctx, current(ctx, h, elsewhere)) }},
		write{"patches it", func(ctx context.Context, h hand) error {
			return h.client.Patch(ctx, registration("moorgate"), client.RawPatch(types.MergePatchType, body))
		}},
		write{"says what else it may ask about", patch(registration("moorgate"), `{"metadata":{"annotations":{"`+cluster.AnnotationAsksAlso+`":"widgets.apps.example.com"}}}`)},
		write{"forgets what else it may ask about", patch(registration("moorgate"), `{"metadata":{"annotations":{"`+cluster.AnnotationAsksAlso+`":null}}}`)},
		write{"has it collected as garbage", patch(registration("moorgate"), owned)},
		write{"holds it back from deletion", patch(registration("moorgate"), `{"metadata":{"finalizers":["x/y"]}}`)})
}

func register(config *admissionregistrationv1.ValidatingWebhookConfiguration) func(context.Context, hand) error {
	return func(ctx context.Context, h hand) error { return webhook.Register(ctx, h.client, config.DeepCopy()) }
}

// current is config in place of what is registered now.
func current(ctx context.Context, h hand, config *admissionregistrationv1.ValidatingWebhookConfiguration) *admissionregistrationv1.ValidatingWebhookConfiguration {
	now := registration("moorgate")
	_ = h.client.Get(ctx, client.ObjectKeyFromObject(now), now) // the update that follows fails without it
	now.Webhooks = config.DeepCopy().Webhooks
	return now
}

func withURL(url string) *admissionregistrationv1.ValidatingWebhookConfiguration {
	return webhook.Registration(webhook.RegistrationOptions{URL: url})
}

func service(namespace string) *admissionregistrationv1.ServiceReference {
	return &admissionregistrationv1.ServiceReference{Namespace: namespace, Name: "moorgate-webhook", Path: new(webhook.Path)}
}
