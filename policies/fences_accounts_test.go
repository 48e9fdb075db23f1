package policies

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

const pipeline = "system:serviceaccount:ci:pipeline"

// An Approval that is committed to Git and applied by a GitOps controller is nobody's word.
func TestL18AServiceAccountApprovesOnlyWhereEveryGuardrailListsIt(t *testing.T) {
	s := newStage(t)
	s.forget(t, s.guardrail("fences-test", nil, v1alpha1.Selector{}))
	flux, own := "system:serviceaccount:flux-system:kustomize-controller", "system:serviceaccount:moorgate-system:moorgate-act"
	s.bind(t, s.namespace, "moorgate-approver", user(pipeline), user(flux), user(own))
	ci := s.person(t, pipeline, "system:serviceaccounts")
	waitForRight(t, ci, s.namespace, "approve", "cases")
	says := []write{{"approve", create(s.byAccount(pipeline))}}
	t.Run("not where there is no Guardrail", func(t *testing.T) {
		refusedNaming(t, says[0].do(t.Context(), ci), "", "moorgate-approvals-accounts, no params found")
	})
	t.Run("which is no matter of people", func(t *testing.T) {
		allowed(t, s.approver(t, "alice"), []write{{"approve", create(s.approval("alice"))}})
	})
	here := v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{corev1.LabelMetadataName: v1alpha1.LabelValue(s.namespace)}}
	elsewhere := v1alpha1.Selector{MatchExpressions: []v1alpha1.Requirement{{Key: "team", Operator: "Exists"}}}
	s.put(t, s.guardrail("lists-it", []string{pipeline, own}, here))
	s.put(t, s.guardrail("applies-elsewhere", nil, elsewhere))
	t.Run("where the one that applies lists it", func(t *testing.T) {
		settles(t, ci, s.byAccount(pipeline), "")
		allowed(t, ci, says)
	})
	t.Run("not without the label that says what it is", func(t *testing.T) {
		refused(t, ci, []write{{"approve", create(s.approval(pipeline))}}, "moorgate-approvals")
	})
	t.Run("not one that is not on the list", func(t *testing.T) {
		refused(t, s.person(t, flux, "system:serviceaccounts"), []write{{"approve", create(s.byAccount(flux))}}, "moorgate-approvals-accounts")
	})
	t.Run("none of Moorgate's own, though it is on the list", func(t *testing.T) {
		refused(t, s.unbound(t, "moorgate-act"), []write{{"approve", create(s.byAccount(own))}}, "moorgate-approvals", "moorgate-act")
	})
	t.Run("no person under its label", func(t *testing.T) {
		refused(t, s.person(t, "alice"), []write{{"approve", create(s.byAccount("alice"))}}, "moorgate-approvals-accounts")
	})
	t.Run("not where one of two lists it", func(t *testing.T) {
		second := s.guardrail("lists-another", []string{flux}, v1alpha1.Selector{})
		s.put(t, second)
		settles(t, ci, s.byAccount(pipeline), "lists-another")
		refused(t, ci, says, "moorgate-approvals-accounts")
		s.forget(t, second)
		settles(t, ci, s.byAccount(pipeline), "")
	})
	t.Run("not where one is illegible, be it for elsewhere", func(t *testing.T) {
		s.put(t, s.guardrail("illegible", []string{pipeline}, v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{"no label": "x"}}))
		settles(t, ci, s.byAccount(pipeline), "illegible")
		refused(t, ci, says, "moorgate-approvals-accounts")
	})
}

// The fence reads selectors as internal/cluster does, which is what Moorgate itself goes by.
func TestFenceReadsSelectorsAsMoorgateDoes(t *testing.T) {
	s := newStage(t)
	s.forget(t, s.guardrail("fences-test", nil, v1alpha1.Selector{}))
	var spaces []labels.Set
	for _, more := range []map[string]string{nil, {"tier": "a"}, {"tier": "b", "team.example/name": "shop"}, {"tier": "", "x": "y"}} {
		n := s.cluster.Namespace(t, more)
		s.bind(t, n, "moorgate-approver", group("system:serviceaccounts:ci"))
		waitForRight(t, s.person(t, account(0), "system:serviceaccounts:ci"), n, "approve", "cases")
		spaces = append(spaces, labels.Merge(labels.Set{corev1.LabelMetadataName: n}, more))
	}
	t.Run("what it can read", func(t *testing.T) {
		random := rand.New(rand.NewPCG(3, 7))
		written := slices.Clone(legible)
		for len(written) < 3*batch {
			written = append(written, randomSelector(random))
		}
		for some := range slices.Chunk(written, batch) {
			s.agrees(t, some, spaces)
		}
	})
	t.Run("what it cannot", func(t *testing.T) {
		for _, selector := range illegible {
			rail := s.put(t, s.guardrail("illegible", []string{account(0)}, selector))
			if made := composed(t, rail, spaces[0]); !strings.Contains(made.Unreadable, "namespaceSelector") {
				t.Errorf("Moorgate can read %+v: %+v", selector, made)
			}
			h := s.person(t, account(0), "system:serviceaccounts", "system:serviceaccounts:ci")
			there := stage{namespace: spaces[0][corev1.LabelMetadataName]}
			settles(t, h, there.byAccount(account(0)), "illegible")
			s.forget(t, rail)
		}
	})
}

// batch is how many ServiceAccounts a Guardrail can list, and one.
const batch = 17

func account(i int) string { return fmt.Sprintf("system:serviceaccount:ci:number-%02d", i) }

// agrees has every account listed by all Guardrails but one, so that it must be refused exactly where Moorgate says that this
// one applies.
func (s stage) agrees(t *testing.T, written []v1alpha1.Selector, spaces []labels.Set) {
	t.Helper()
	var rails []*v1alpha1.Guardrail
	var hands []hand
	for i, selector := range written {
		var others []string
		for j := range written {
			if i != j {
				others = append(others, account(j))
			}
		}
		rails = append(rails, s.put(t, s.guardrail(fmt.Sprintf("reads-%02d", i), others, selector)))
		hands = append(hands, s.person(t, account(i), "system:serviceaccounts", "system:serviceaccounts:ci"))
	}
	for _, space := range spaces {
		there, wrong := stage{namespace: space[corev1.LabelMetadataName]}, ""
		// Until the API server has seen all of them.
		err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, 20*time.Second, true, func(ctx context.Context) (bool, error) {
			wrong = ""
			for i, rail := range rails {
				applies := composed(t, rail, space).Name == rail.Name
				err := hands[i].client.Create(ctx, there.byAccount(account(i)), client.DryRunAll)
				if (err != nil) != applies {
					wrong += fmt.Sprintf("\n%+v applies: %t; got %v", rail.Spec.NamespaceSelector, applies, err)
				}
			}
			return wrong == "", nil
		})
		if err != nil {
			t.Errorf("in a namespace with %v: %s", space, wrong)
		}
	}
	for _, rail := range rails {
		s.forget(t, rail)
	}
}

// composed is the rail that Moorgate makes of a Guardrail for a namespace with these labels.
func composed(t *testing.T, g *v1alpha1.Guardrail, space labels.Set) gate.Rail {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(g)
	if err != nil {
		t.Fatal(err)
	}
	return cluster.Compose([]unstructured.Unstructured{{Object: content}}, space, time.Now()).Rails[0]
}

func expression(key, operator string, values ...v1alpha1.LabelValue) v1alpha1.Requirement {
	return v1alpha1.Requirement{Key: key, Operator: operator, Values: values}
}

func meets(all ...v1alpha1.Requirement) v1alpha1.Selector {
	return v1alpha1.Selector{MatchExpressions: all}
}

func has(key string, value v1alpha1.LabelValue) v1alpha1.Selector {
	return v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{key: value}}
}

var longest = strings.Repeat("a", 63)

var legible = []v1alpha1.Selector{{}, has("tier", "a"), has("tier", ""), has("team.example/name", "shop"), has("name", "shop"),
	meets(expression("tier", "In", "a", "b")), meets(expression("tier", "NotIn", "a", "b")), meets(expression("tier", "Exists")),
	meets(expression("tier", "DoesNotExist")), meets(expression("tier", "In", "")), meets(expression("tier", "NotIn", "")),
	meets(expression("x", "Exists"), expression("tier", "NotIn", "a")), meets(expression("x", "DoesNotExist"), expression("x", "Exists")),
	{MatchLabels: map[string]v1alpha1.LabelValue{"tier": "b"}, MatchExpressions: []v1alpha1.Requirement{expression("team.example/name", "In", "shop")}},
	has(longest, v1alpha1.LabelValue(longest)), has(strings.Repeat(longest+".", 3)+longest[:61]+"/"+longest, "x"), meets(expression("A_b-c.D", "DoesNotExist"))}

var illegible = []v1alpha1.Selector{has("no label", "x"), has("", "x"), has("tier", "-a"), has("tier", "a b"), has("a/b/c", "x"), has("/a", "x"),
	has("a/", "x"), has("A/b", "x"), has("a..b/c", "x"), has(longest+"a", "x"), has(strings.Repeat(longest+".", 4)+"a/b", "x"),
	meets(expression("tier\n", "Exists")), meets(expression("-tier", "DoesNotExist")), meets(expression("tier", "In", "a", "ä")), meets(expression("tier", "NotIn", "a\n"))}

// randomSelector is any selector that can be read.
func randomSelector(r *rand.Rand) v1alpha1.Selector {
	keys, values := []string{"tier", "x", "team.example/name", "absent"}, []v1alpha1.LabelValue{"", "a", "b", "shop", "y"}
	s := v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{}}
	if r.IntN(3) == 0 {
		s.MatchLabels[keys[r.IntN(len(keys))]] = values[r.IntN(len(values))]
	}
	for range r.IntN(3) {
		e := expression(keys[r.IntN(len(keys))], []string{"In", "NotIn", "Exists", "DoesNotExist"}[r.IntN(4)])
		if strings.HasSuffix(e.Operator, "In") {
			for range 1 + r.IntN(2) {
				e.Values = append(e.Values, values[r.IntN(len(values))])
			}
		}
		s.MatchExpressions = append(s.MatchExpressions, e)
	}
	return s
}

// byAccount is what a ServiceAccount says, which must say that it is one.
func (s stage) byAccount(name string) *v1alpha1.Approval {
	a := s.approval(name)
	a.Labels = map[string]string{v1alpha1.LabelApprover: v1alpha1.ApproverServiceAccount}
	return a
}

func (s stage) guardrail(name string, accounts []string, selector v1alpha1.Selector) *v1alpha1.Guardrail {
	return &v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.GuardrailSpec{NamespaceSelector: selector, Approval: v1alpha1.ApprovalTerms{ServiceAccounts: accounts}}}
}

// put creates a Guardrail and returns it as the API server completed it.
func (s stage) put(t *testing.T, g *v1alpha1.Guardrail) *v1alpha1.Guardrail {
	t.Helper()
	g = g.DeepCopy()
	if err := s.admin.client.Create(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.admin.client.Delete(context.WithoutCancel(t.Context()), g) })
	return g
}

func (s stage) forget(t *testing.T, g *v1alpha1.Guardrail) {
	t.Helper()
	if err := s.admin.client.Delete(t.Context(), g); err != nil {
		t.Fatal(err)
	}
}

// settles waits until the API server has seen the Guardrails as they are now: until a dry run is refused for the reason of one,
// or goes through where that is empty.
func settles(t *testing.T, h hand, a *v1alpha1.Approval, guardrail string) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 20*time.Second, true, func(ctx context.Context) (bool, error) {
		last = h.client.Create(ctx, a.DeepCopy(), client.DryRunAll)
		if guardrail == "" {
			return last == nil, nil
		}
		return apierrors.IsForbidden(last) && strings.Contains(last.Error(), "Guardrail "+guardrail+" "), nil
	})
	if err != nil {
		t.Fatalf("wait for the Guardrails to be seen (%q): %v", guardrail, last)
	}
}
