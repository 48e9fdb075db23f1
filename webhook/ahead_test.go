package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

// waitsForAModel is a policy under which a rollout waits for a model's word.
func waitsForAModel(on gate.OnPending) gate.Policy {
	p := rail(gate.AdmissionEnforce)
	p.Rails[0].ConfidenceBelow, p.Rails[0].Asking = gate.Known(0), gate.Asking{Ask: gate.AskAlways, CaseTokens: 10000, NamespaceTokens: 100000}
	p.Rails[0].DenyAdvised, p.Rails[0].OnPending, p.Rails[0].PendingFor = true, on, 30*time.Second
	return p
}

// advisedBench is a Handler that knows that a model can be asked, and an Ahead beside it over the same world.
type advisedBench struct {
	bench
	ahead  *Ahead
	opened []*v1alpha1.Case
}

func newAdvisedBench(t *testing.T, p gate.Policy) *advisedBench {
	t.Helper()
	door, err := redact.New(redact.Options{Key: bytes.Repeat([]byte{7}, redact.KeyBytes)})
	if err != nil {
		t.Fatal(err)
	}
	b := &advisedBench{bench: newBench(t, p)}
	b.Cases, b.Door, b.Advice = b.shelf, door, &Advice{Now: at(noon), seen: noon}
	b.ahead = &Ahead{Sight: b.Sight, Reader: b.shelf, Door: door, Away: func() string { return "" },
		Open: func(_ context.Context, s gate.Signal, a *v1alpha1.Answer, labels map[string]string) (*v1alpha1.Case, bool, error) {
			c := cluster.NewCase(s, a, labels)
			b.opened = append(b.opened, c)
			return c, true, nil
		}}
	return b
}

// ask asks ahead about a Deployment.
func (b *advisedBench) ask(t *testing.T, d *appsv1.Deployment) Asked {
	t.Helper()
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	said, err := b.ahead.Ask(t.Context(), appsv1.SchemeGroupVersion.WithKind("Deployment"), client.ObjectKeyFromObject(d), raw, "alice")
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// heardOn puts a Case on the shelf with what came of asking, so long ago.
func (b *advisedBench) heardOn(c *v1alpha1.Case, status metav1.ConditionStatus, ago time.Duration) {
	c = c.DeepCopy()
	c.Status.Answer, c.Status.Opinion = c.Spec.Answer.Said, v1alpha1.Opinion{Decision: "Deny", Score: new(int32(5)), Confidence: new(int32(90)),
		Findings: []v1alpha1.Finding{{ID: "model-1", Text: "the model: another product", Points: 90, Nature: string(gate.Advised)}}}
	c.Status.Conditions = []metav1.Condition{{Type: CaseAdvised, Status: status, Message: "nobody answered", LastTransitionTime: metav1.NewTime(noon.Add(-ago))}}
	b.shelf.objects = append(b.shelf.objects, c)
}

func changed(image string, replicas int32) *appsv1.Deployment {
	d := deployment("shop", "web")
	d.Spec.Template.Spec.Containers[0].Image, d.Spec.Replicas = image, &replicas
	return d
}

// TestWhatIsAskedAheadIsWhatTheGateLooksFor holds the Case that asking ahead opens beside the one that the gate would open.
func TestWhatIsAskedAheadIsWhatTheGateLooksFor(t *testing.T) {
	old := deployment("shop", "web")
	old.UID = "live"
	for name, tt := range map[string]struct {
		old *appsv1.Deployment
		new *appsv1.Deployment
	}{
		"a new one":                  {new: deployment("shop", "web")},
		"another image":              {old: old, new: changed("registry.example/app:1.2.4", 2)},
		"another image, and larger":  {old: old, new: changed("registry.example/app:1.2.4", 4)},
		"one that claims a UID":      {new: func() *appsv1.Deployment { d := deployment("shop", "web"); d.UID = "forged"; return d }()},
		"a change that claims a UID": {old: old, new: func() *appsv1.Deployment { d := changed("registry.example/app:1.2.4", 2); d.UID = "forged"; return d }()},
	} {
		t.Run(name, func(t *testing.T) {
			b := newAdvisedBench(t, waitsForAModel(gate.PendingRetry))
			op, applied := admissionv1.Create, tt.new.DeepCopy()
			applied.UID = ""
			if tt.old != nil {
				b.shelf.objects = append(b.shelf.objects, tt.old.DeepCopy())
				op, applied.UID = admissionv1.Update, tt.old.UID
			}
			if said := b.ask(t, tt.new); said.State != AheadAsked || len(b.opened) != 1 || b.opened[0].Name != said.Case {
				t.Fatalf("%+v, opened %v", said, b.opened)
			}
			resp := b.Handle(t.Context(), request(t, op, tt.old, applied))
			all := b.queued()
			if resp.Result.Code != http.StatusTooManyRequests || len(all) != 1 {
				t.Fatalf("%+v, queued %v", resp.Result, all)
			}
			gates, ours := cluster.NewCase(all[0].Signal, all[0].Answer, all[0].Labels), b.opened[0]
			if gates.Name != ours.Name || gates.Spec.Subject != ours.Spec.Subject || !reflect.DeepEqual(gates.Labels, ours.Labels) ||
				!reflect.DeepEqual(gates.Spec.Answer.Brief, ours.Spec.Answer.Brief) || ours.Spec.Answer.Said != AskedAhead || ours.Spec.Answer.User != "alice" {
				t.Errorf("the gate opens\n%+v\nahead\n%+v", gates, ours)
			}
		})
	}
}

// Who comes when many wait is answered at once and told why; who waits already goes on, and another namespace has its share.
func TestOnlySoManyWaitAtOnce(t *testing.T) {
	b := newAdvisedBench(t, waitsForAModel(gate.PendingRetry))
	b.Queue = NewQueue(cluster.Cases{}, 2*waitingMax, quiet())
	comes := func(namespace, name string) (waits bool, told string) {
		t.Helper()
		resp := b.Handle(t.Context(), request(t, admissionv1.Create, nil, deployment(namespace, name)))
		return !resp.Allowed && resp.Result.Code == http.StatusTooManyRequests, strings.Join(resp.Warnings, " ")
	}
	for ns := range waitingMax / waitingOf {
		namespace := fmt.Sprintf("shop-%d", ns)
		for i := range waitingOf {
			if waits, told := comes(namespace, fmt.Sprintf("web-%d", i)); !waits {
				t.Fatalf("web-%d of %s does not wait: %s", i, namespace, told)
			}
		}
		if waits, told := comes(namespace, "late"); waits || !strings.Contains(told, "too many rollouts wait for one already") {
			t.Errorf("one too many of %s waits %v: %s", namespace, waits, told)
		}
	}
	if waits, told := comes("other", "late"); waits || !strings.Contains(told, "too many rollouts wait for one already") {
		t.Errorf("one too many waits %v: %s", waits, told)
	}
	if waits, told := comes("shop-0", "web-0"); !waits {
		t.Errorf("who waits already is let in: %s", told)
	}
	b.Waits.Now = at(noon.Add(31 * time.Second))
	if !b.Waits.room(gate.Ref{Kind: "Deployment", Namespace: "other", Name: "late"}, 30*time.Second) {
		t.Error("waits that are over still count")
	}
}

func TestAskingAheadTells(t *testing.T) {
	retry := waitsForAModel(gate.PendingRetry)
	owned := deployment("shop", "web")
	owned.OwnerReferences = []metav1.OwnerReference{{APIVersion: "x/v1", Kind: "X", Name: "x", UID: "1", Controller: new(true)}}
	t.Run("that nothing depends on it", func(t *testing.T) {
		same := newAdvisedBench(t, retry)
		same.shelf.objects = append(same.shelf.objects, deployment("shop", "web"))
		for want, got := range map[string]Asked{
			"no Guardrail here keeps a rollout waiting": newAdvisedBench(t, waitsForAModel(gate.PendingWarn)).ask(t, deployment("shop", "web")),
			"the pod template does not change":          same.ask(t, changed("registry.example/app:1.2.3", 4)),
			"a controller owns it":                      newAdvisedBench(t, retry).ask(t, owned),
			"the checks decide it":                      newAdvisedBench(t, retry).ask(t, poor("shop", "web")),
		} {
			if got.State != AheadNeedless || !strings.Contains(got.Because, want) {
				t.Errorf("%q: %+v", want, got)
			}
		}
	})
	t.Run("that none can be asked, and leaves nothing", func(t *testing.T) {
		b := newAdvisedBench(t, retry)
		b.ahead.Away = func() string { return "no model is configured" }
		if said := b.ask(t, deployment("shop", "web")); said.State != AheadUnasked || said.Because != "no model is configured" || len(b.opened) != 0 {
			t.Errorf("%+v, opened %v", said, b.opened)
		}
	})
	t.Run("what was heard within the hour, and asks anew after it", func(t *testing.T) {
		b := newAdvisedBench(t, retry)
		b.ask(t, deployment("shop", "web"))
		b.heardOn(b.opened[0], metav1.ConditionTrue, 59*time.Minute)
		if said := b.ask(t, deployment("shop", "web")); said.State != AheadHeard || said.Opinion == nil || len(said.Opinion.Findings) != 1 || len(b.opened) != 1 {
			t.Errorf("%+v", said)
		}
		if resp := b.Handle(t.Context(), request(t, admissionv1.Create, nil, deployment("shop", "web"))); resp.Result.Code != http.StatusForbidden || !strings.Contains(resp.Result.Message, "another product") {
			t.Errorf("%+v", resp.Result)
		}
		b.shelf.objects = b.shelf.objects[:len(b.shelf.objects)-1]
		b.heardOn(b.opened[0], metav1.ConditionTrue, 61*time.Minute)
		if said := b.ask(t, deployment("shop", "web")); said.State != AheadAsked || len(b.opened) != 2 || b.opened[1].Name == b.opened[0].Name {
			t.Errorf("%+v", said)
		}
	})
	t.Run("that it was asked in vain, for a moment, and that speaks for nothing that is applied", func(t *testing.T) {
		b := newAdvisedBench(t, retry)
		b.ask(t, deployment("shop", "web"))
		b.heardOn(b.opened[0], metav1.ConditionFalse, aheadVain-time.Second)
		if said := b.ask(t, deployment("shop", "web")); said.State != AheadUnasked || said.Because != "nobody answered" || len(b.opened) != 1 {
			t.Errorf("%+v", said)
		}
		resp := b.Handle(t.Context(), request(t, admissionv1.Create, nil, deployment("shop", "web")))
		if all := b.queued(); resp.Result.Code != http.StatusTooManyRequests || len(all) != 1 || all[0].Signal.CaseName() == b.opened[0].Name {
			t.Errorf("%+v, queued %v", resp.Result, all)
		}
	})
}

func TestAskingAheadIsBounded(t *testing.T) {
	b := newAdvisedBench(t, waitsForAModel(gate.PendingRetry))
	ask := func(kind, name, raw string) error {
		_, err := b.ahead.Ask(t.Context(), appsv1.SchemeGroupVersion.WithKind(kind), client.ObjectKey{Namespace: "shop", Name: name}, []byte(raw), "mallory")
		return err
	}
	for _, raw := range []string{"", "{", "null", "[]", "{}", `{"metadata":{"name":"web","namespace":"till"}}`, `{"metadata":{"name":"other","namespace":"shop"}}`,
		`{"metadata":{"name":"web","namespace":"shop"},"spec":{"replicas":"many"}}`, `{"metadata":{"name":"web"}}`} {
		if err := ask("Deployment", "web", raw); !errors.Is(err, ErrUnfit) {
			t.Errorf("%s: %v", raw, err)
		}
	}
	var last error
	for i := range aheadOf + 1 {
		d := deployment("shop", "web-"+string(rune('a'+i)))
		raw, _ := json.Marshal(d)
		last = ask("Deployment", d.Name, string(raw))
	}
	if !errors.Is(last, ErrTooMany) || len(b.opened) != aheadOf {
		t.Errorf("%v after %d", last, len(b.opened))
	}
	l := lately{}
	for i := range aheadMost {
		if !l.one("ns-"+string(rune('a'+i/aheadOf)), noon) {
			t.Errorf("the %d. within a minute is refused", i+1)
		}
	}
	if l.one("fresh", noon) || !l.one("fresh", noon.Add(time.Minute)) || len(l.at) != 1 {
		t.Errorf("more than a minute's are let through, or they are remembered: %v", l.at)
	}
}
