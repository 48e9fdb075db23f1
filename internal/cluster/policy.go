package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// Guardrails reads which Guardrails apply to a namespace.
type Guardrails struct {
	// Reader reads unstructured Guardrails and typed Namespaces; an informer cache answers from memory.
	Reader client.Reader
	// Parsed remembers what was read of them; nil: each is parsed for every policy.
	Parsed *Parsed
	// Now is the time that freeze windows are worked out for. Without it a Guardrail that has any cannot be read.
	Now func() time.Time
}

// Policy is the policy that holds in a namespace. Where no Guardrail applies it is Default. A Guardrail that cannot be
// read applies as one that holds everything: it may be the one that would have said no.
func (g Guardrails) Policy(ctx context.Context, namespace string) (gate.Policy, error) {
	guardrails, of, unseen, err := g.read(ctx, namespace)
	if err != nil {
		return gate.Policy{}, err
	}
	var now time.Time
	if g.Now != nil {
		now = g.Now()
	}
	if unseen {
		return composeUnseen(guardrails, namespace, now), nil
	}
	return compose(guardrails, g.Parsed.of, of, now), nil
}

// read returns all Guardrails and the labels of a namespace, which are not known of one that nobody has seen.
func (g Guardrails) read(ctx context.Context, namespace string) (all []unstructured.Unstructured, of labels.Set, unseen bool, err error) {
	var ns corev1.Namespace
	err = g.Reader.Get(ctx, client.ObjectKey{Name: namespace}, &ns)
	unseen = apierrors.IsNotFound(err)
	if err != nil && !unseen {
		return nil, nil, false, fmt.Errorf("read namespace %s for its Guardrails: %w", namespace, err)
	}
	var list unstructured.UnstructuredList
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("GuardrailList"))
	if err := g.Reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil { // they are read only
		return nil, nil, false, fmt.Errorf("list Guardrails: %w", err)
	}
	return list.Items, ns.Labels, unseen, nil
}

// composeUnseen is the policy of a namespace that is so new that nobody has seen its labels: the Guardrails that apply
// whatever they are, and one that holds, because any other may apply too.
func composeUnseen(guardrails []unstructured.Unstructured, namespace string, at time.Time) gate.Policy {
	sure := slices.DeleteFunc(slices.Clone(guardrails), func(u unstructured.Unstructured) bool {
		selector, err := selectorOf(&u)
		return err == nil && !byNameOnly(selector)
	})
	p := Compose(sure, labels.Set{corev1.LabelMetadataName: namespace}, at)
	if len(guardrails) == 0 {
		return p
	}
	p.Rails = append(p.Rails, holding("(namespace not seen yet)", "the labels of namespace "+namespace+" are not known yet"))
	return p
}

// byNameOnly reports whether a selector asks for nothing but a namespace's name, which is the one label that is known of a
// namespace that nobody has seen. A selector such as NotIn would take what is not known for what is not there.
func byNameOnly(s v1alpha1.Selector) bool {
	for key := range s.MatchLabels {
		if key != corev1.LabelMetadataName {
			return false
		}
	}
	return !slices.ContainsFunc(s.MatchExpressions, func(r v1alpha1.Requirement) bool { return r.Key != corev1.LabelMetadataName })
}

// Compose is the policy that these Guardrails make for a namespace with these labels at a time, in the order of their names.
// It is a function of what it is given, so that the past can be decided again under other Guardrails.
func Compose(guardrails []unstructured.Unstructured, namespace labels.Set, at time.Time) gate.Policy {
	return compose(guardrails, parse, namespace, at)
}

func compose(guardrails []unstructured.Unstructured, read func(*unstructured.Unstructured) parsed, namespace labels.Set, at time.Time) gate.Policy {
	var p gate.Policy
	for i := range guardrails {
		if rail, applies := railOf(guardrails[i].GetName(), read(&guardrails[i]), namespace, at); applies {
			p.Rails = append(p.Rails, rail)
		}
	}
	if len(p.Rails) == 0 {
		return Default()
	}
	slices.SortFunc(p.Rails, func(a, b gate.Rail) int { return strings.Compare(a.Name, b.Name) })
	return p
}

// railOf is the rail that a Guardrail makes in a namespace at a time. One that plainly selects other namespaces makes none, whatever
// else in it cannot be read.
func railOf(name string, p parsed, namespace labels.Set, at time.Time) (gate.Rail, bool) {
	if p.selector != nil && !p.selector.Matches(namespace) {
		return gate.Rail{}, false
	}
	rail, err := p.rail(at)
	if err != nil {
		return holding(name, err.Error()), true
	}
	return rail, true
}

// holding is the rail of a Guardrail that cannot be read. It holds for that one reason: its numbers are those of Default, so that
// no other is made up.
func holding(name, why string) gate.Rail {
	r := Default().Rails[0]
	r.Name, r.Unreadable = name, why
	return r
}

// Default is the policy where no Guardrail applies: watch, judge by the schema's default numbers, touch nothing.
func Default() gate.Policy {
	return gate.Policy{Rails: []gate.Rail{{Name: "(none applies: Observe)", Mode: gate.Observe, Admission: gate.AdmissionObserve,
		WarnBelow: gate.Known(80), DenyBelow: gate.Known(50), ConfidenceBelow: gate.Known(60), AgreementBelow: gate.Known(67), HistoryBelow: gate.Known(80),
		Asking:  gate.Asking{Ask: gate.AskUnsettled, Expert: gate.ExpertUnsure, CaseTokens: 150_000, NamespaceTokens: 2_000_000},
		Actions: []gate.Permitted{{Verb: "pull-request"}}, Drift: gate.Settling{Direction: gate.DirectionAdopt, Any: true},
		Budgets: gate.Budgets{Total: gate.Budget{Actions: 10, Window: time.Hour}, Namespace: gate.Budget{Actions: 3, Window: time.Hour},
			Workload: gate.Budget{Actions: 1, Window: time.Hour}},
		Restraint: gate.Restraint{MinHealthy: gate.Known(51), Storm: gate.Known(20), Wait: 30 * time.Second, Fresh: 5 * time.Minute, Attempts: 3,
			CoolDown: 5 * time.Minute},
		Approvers: gate.Known(0), PendingFor: 30 * time.Second}}}
}
