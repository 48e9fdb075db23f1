package webhook

import (
	"context"
	"fmt"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// RegistrationName is the name of the ValidatingWebhookConfiguration.
	RegistrationName = "moorgate"
	// WebhookName is the name of the webhook in it, which prefixes every denial that people see.
	WebhookName = "rollouts.moorgate.dev"
	// Path is where the webhook is served.
	Path = "/admission/rollouts"
	// BreakGlass is the field manager under which somebody with the right asks not to be judged:
	// kubectl apply --field-manager=moorgate-break-glass.
	BreakGlass = "moorgate-break-glass"

	timeoutSeconds = 3
	registrar      = "moorgate-webhook" // the field manager of the registration
)

// exempt namespaces keep a cluster alive, or Moorgate itself.
var exempt = []string{"kube-system", "kube-public", "kube-node-lease", "moorgate-system"}

// RegistrationOptions say where the webhook answers and for whom.
type RegistrationOptions struct {
	Name     string // of the configuration; empty means RegistrationName
	URL      string // where it answers, path included; or else Service
	Service  *admissionregistrationv1.ServiceReference
	CABundle []byte
	// Own are the user names of Moorgate's own identities: their writes do not pass their own gate.
	Own []string
	// Kinds are what is asked about.
	Kinds Kinds
	// Namespaces narrows down which namespaces are judged, beside those that never are. Nil means all others.
	Namespaces *metav1.LabelSelector
}

// Registration is how the API server learns what to ask us about: creates and updates of rollouts that may start pods.
// Where we do not answer, rollouts go in, and are judged afterwards. Only dry runs have no side effects.
func Registration(o RegistrationOptions) *admissionregistrationv1.ValidatingWebhookConfiguration {
	return &admissionregistrationv1.ValidatingWebhookConfiguration{
		TypeMeta:   metav1.TypeMeta{APIVersion: "admissionregistration.k8s.io/v1", Kind: "ValidatingWebhookConfiguration"},
		ObjectMeta: metav1.ObjectMeta{Name: orName(o.Name), Labels: map[string]string{"app.kubernetes.io/part-of": "moorgate"}},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name:                    WebhookName,
			ClientConfig:            clientConfig(o),
			Rules:                   o.Kinds.rules(),
			FailurePolicy:           new(admissionregistrationv1.Ignore),
			MatchPolicy:             new(admissionregistrationv1.Equivalent),
			NamespaceSelector:       namespaces(o.Namespaces),
			SideEffects:             new(admissionregistrationv1.SideEffectClassNoneOnDryRun),
			TimeoutSeconds:          new(int32(timeoutSeconds)),
			AdmissionReviewVersions: []string{"v1"},
			MatchConditions:         conditions(o.Own),
		}},
	}
}

func orName(name string) string {
	if name == "" {
		return RegistrationName
	}
	return name
}

func clientConfig(o RegistrationOptions) admissionregistrationv1.WebhookClientConfig {
	c := admissionregistrationv1.WebhookClientConfig{Service: o.Service, CABundle: o.CABundle}
	if o.URL != "" {
		c.URL = &o.URL
	}
	return c
}

// rules are a rule for each group and version. A Pod is asked about when it is made: hardly anything of it can change later.
func (k Kinds) rules() []admissionregistrationv1.RuleWithOperations {
	var rules []admissionregistrationv1.RuleWithOperations
	for _, r := range k.resources() {
		group, version := []string{r.kind.Group}, []string{r.kind.Version}
		at := slices.IndexFunc(rules, func(o admissionregistrationv1.RuleWithOperations) bool {
			return slices.Equal(o.APIGroups, group) && slices.Equal(o.APIVersions, version)
		})
		if at >= 0 {
			rules[at].Resources = append(rules[at].Resources, r.resource)
			continue
		}
		operations := []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update}
		if r.kind.Group == corev1.GroupName {
			operations = operations[:1]
		}
		rules = append(rules, admissionregistrationv1.RuleWithOperations{Operations: operations, Rule: admissionregistrationv1.Rule{APIGroups: group,
			APIVersions: version, Resources: []string{r.resource}, Scope: new(admissionregistrationv1.NamespacedScope)}})
	}
	return rules
}

func namespaces(narrower *metav1.LabelSelector) *metav1.LabelSelector {
	s := &metav1.LabelSelector{}
	if narrower != nil {
		s = narrower.DeepCopy()
	}
	s.MatchExpressions = append(s.MatchExpressions, metav1.LabelSelectorRequirement{Key: "kubernetes.io/metadata.name",
		Operator: metav1.LabelSelectorOpNotIn, Values: slices.Clone(exempt)})
	return s
}

// conditions keep out what needs no verdict, before any call is made. Optional fields are read with ?. throughout: a
// condition that errors would skip the webhook in silence.
func conditions(own []string) []admissionregistrationv1.MatchCondition {
	var changed []string
	for _, field := range []string{"template", "replicas", "strategy", "updateStrategy", "paused", "volumeClaimTemplates"} {
		changed = append(changed, fmt.Sprintf("object.?spec.?%s != oldObject.?spec.?%s", field, field))
	}
	return []admissionregistrationv1.MatchCondition{
		{Name: "not-a-subresource", Expression: "request.?subResource.orValue('') == ''"},
		{Name: "something-may-start", Expression: "request.operation == 'CREATE' || (request.kind.group == 'apps' ? (" + strings.Join(changed, " || ") +
			") : object.?spec != oldObject.?spec)"},
		// A Pod of a ReplicaSet and a Job of a CronJob were scored with that.
		{Name: "not-part-of-another", Expression: "!(request.kind.group in ['', 'batch'] && " +
			"object.?metadata.?ownerReferences.orValue([]).exists(r, r.?controller.orValue(false)))"},
		{Name: "not-moorgate-itself", Expression: "!(request.?userInfo.?username.orValue('') in [" + Quoted(own) + "])"},
		// Whoever may do everything has this right too, and GitOps tools often may: so the right alone opens nothing, the
		// request must ask for it. The field manager stays visible on the object afterwards.
		{Name: "no-glass-broken", Expression: "!(request.?options.?fieldManager.orValue('') == '" + BreakGlass +
			"' && authorizer.group('moorgate.dev').resource('guardrails').check('bypass').allowed())"},
	}
}

// Quoted writes texts as the items of a list in CEL.
func Quoted(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = "'" + strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), "'", `\'`) + "'"
	}
	return strings.Join(quoted, ", ")
}

// Deregister takes the webhook out of the registration by server-side apply, under the field manager that put it in: nobody is
// asked any more, and rollouts go in at once instead of waiting for somebody who is gone. The configuration itself stays, and
// Register fills it again. It is for the orderly stop of the only process that answers: where another replica still does, it
// would silence that too.
func Deregister(ctx context.Context, c client.Client) error {
	config := Registration(RegistrationOptions{})
	config.Webhooks = []admissionregistrationv1.ValidatingWebhook{}
	if err := Register(ctx, c, config); err != nil {
		return fmt.Errorf("take out again: %w", err)
	}
	return nil
}

// Register creates or updates the configuration by server-side apply. It is called once the webhook answers: until then
// every rollout would wait for nobody.
func Register(ctx context.Context, c client.Client, config *admissionregistrationv1.ValidatingWebhookConfiguration) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(config)
	if err != nil {
		return fmt.Errorf("register the webhook: %w", err)
	}
	u := &unstructured.Unstructured{Object: content}
	unstructured.RemoveNestedField(u.Object, "metadata", "creationTimestamp")
	if err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(registrar), client.ForceOwnership); err != nil {
		return fmt.Errorf("register the webhook as %s: %w", config.Name, err)
	}
	return nil
}
