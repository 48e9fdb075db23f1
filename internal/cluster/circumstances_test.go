package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
)

func asked(namespace string) flow.Question {
	s := happening(namespace, "x")
	return flow.Question{Signal: s, Case: cluster.CaseRef(s), Facts: gate.Facts{At: time.Now(), Subject: s.Subject},
		Evidence: []gate.Evidence{{ID: "a", At: noon().Add(time.Minute)}, {ID: "b", At: noon()}}}
}

func TestCircumstances(t *testing.T) {
	k, ns := admin(t)
	if err := clientgoscheme.AddToScheme(k.Scheme()); err != nil {
		t.Fatal(err)
	}
	pod := func(name, fault string) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "registry.example/app:1"}}}}
		if fault != "" {
			p.Labels = map[string]string{testcluster.FaultLabel: fault}
		}
		if err := k.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	pod("well", "")
	pod("waiting", "written-by-the-test")
	ended := pod("ended", "written-by-the-test")
	if err := k.Status().Patch(t.Context(), ended, client.RawPatch(types.MergePatchType, []byte(`{"status": {"phase": "Succeeded"}}`))); err != nil {
		t.Fatal(err)
	}
	cases := cluster.Cases{Client: k, Now: time.Now}
	c := cluster.Circumstances{Reader: k,
		Ledger: func(context.Context) (gate.Ledger, []gate.Tally, error) {
			return gate.Ledger{Entries: []gate.Spent{{ID: "r"}}}, []gate.Tally{{Cause: "x", Verb: "evict", Tried: 3, Healed: 2}}, nil
		},
		Approvals: func(_ context.Context, namespace, name string) gate.Fact[[]gate.Approval] {
			return gate.Known([]gate.Approval{{Name: namespace + "/" + name}})
		},
		Paused: func(context.Context) gate.Fact[[]string] { return gate.Known([]string{"looking"}) }}
	find := func() gate.Facts {
		q := asked(ns)
		c.Complete(t.Context(), &q, gate.Known(noon()), "x", "evict")
		return q.Facts
	}
	before, _ := find().Storm.Get()
	if _, _, err := cases.OpenWitnessed(t.Context(), happening(ns, "seen"), &v1alpha1.Witness{User: "alice", Operation: "UPDATE", At: metav1.NewTime(noon())}); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		s := happening(ns, fmt.Sprint(n))
		if n == 0 {
			s.Face = gate.FaceWebhook
		}
		if _, _, err := cases.Open(t.Context(), s, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	var f gate.Facts
	deadline := time.Now().Add(30 * time.Second)
	for f = find(); ; f = find() {
		if share, _ := f.Health.Get(); share == (gate.Share{Well: 1, Total: 2}) || time.Now().After(deadline) {
			break
		}
	}
	if share, known := f.Health.Get(); !known || share != (gate.Share{Well: 1, Total: 2}) {
		t.Errorf("health %+v, want one well pod of the two that are not finished", share)
	}
	if n, known := f.Storm.Get(); !known || n != before+2 {
		t.Errorf("%d Cases were opened lately after %d, want two more: one is an answer at the gate, one is what a person did", n, before)
	}
	if labels, known := f.Namespace.Get(); !known || labels[corev1.LabelMetadataName] != ns {
		t.Errorf("labels %v", labels)
	}
	if at, known := f.Oldest.Get(); !known || !at.Equal(noon()) {
		t.Errorf("the oldest evidence is of %s", at)
	}
	if given, _ := f.Approvals.Get(); len(given) != 1 || given[0].Name != asked(ns).Case {
		t.Errorf("approvals %+v", given)
	}
	l, _ := f.Ledger.Get()
	tally, _ := f.History.Get()
	if reasons, _ := f.Paused.Get(); len(reasons) != 1 || len(l.Entries) != 1 || tally.Healed != 2 {
		t.Errorf("paused %v, ledger %+v, history %+v", reasons, l, tally)
	}
}

func TestWhatIsNotKnownOfCircumstances(t *testing.T) {
	t.Run("where nobody looked", func(t *testing.T) {
		q := asked("shop")
		cluster.Circumstances{}.Complete(t.Context(), &q, gate.Unknown[time.Time]("its Case cannot be read"), "x", "evict")
		f := q.Facts
		_, since := f.Since.Get()
		_, labels := f.Namespace.Get()
		_, health := f.Health.Get()
		_, storm := f.Storm.Get()
		_, ledger := f.Ledger.Get()
		_, history := f.History.Get()
		_, approvals := f.Approvals.Get()
		if _, paused := f.Paused.Get(); since || labels || health || storm || ledger || history || approvals || paused {
			t.Errorf("something is known: %+v", f)
		}
	})
	t.Run("where nobody may look", func(t *testing.T) {
		testcluster.Shared(t)
		config, err := testcluster.Shared(t).ServiceAccount(t.Context(), "default", "stranger")
		if err != nil {
			t.Fatal(err)
		}
		k, _ := admin(t)
		stranger, err := client.New(config, client.Options{Scheme: k.Scheme()})
		if err != nil {
			t.Fatal(err)
		}
		q := asked("default")
		cluster.Circumstances{Reader: stranger, Ledger: func(context.Context) (gate.Ledger, []gate.Tally, error) {
			return gate.Ledger{}, nil, errors.New("read the ledger: \x1b[31mit is broken")
		}}.Complete(t.Context(), &q, gate.Known(noon()), "x", "evict")
		for what, why := range map[string]string{"labels": q.Facts.Namespace.Why(), "health": q.Facts.Health.Why(), "storm": q.Facts.Storm.Why()} {
			if why == "" || why == "nobody looked" {
				t.Errorf("%s: %q", what, why)
			}
		}
		if why := q.Facts.Ledger.Why(); why != "read the ledger: [31mit is broken" && why != "read the ledger:  [31mit is broken" {
			t.Errorf("ledger: %q", why)
		}
		if _, known := q.Facts.History.Get(); known {
			t.Error("a history without a ledger is known")
		}
	})
	t.Run("what was never tried is known to be so", func(t *testing.T) {
		q := asked("shop")
		cluster.Circumstances{Ledger: func(context.Context) (gate.Ledger, []gate.Tally, error) { return gate.Ledger{}, nil, nil }}.
			Complete(t.Context(), &q, gate.Known(noon()), "x", "evict")
		if tally, known := q.Facts.History.Get(); !known || tally != (gate.Tally{Cause: "x", Verb: "evict"}) {
			t.Errorf("history %+v", tally)
		}
	})
	t.Run("evidence without a time", func(t *testing.T) {
		for name, evidence := range map[string][]gate.Evidence{"none": nil, "no time": {{At: noon()}, {Source: "pods"}}} {
			q := asked("shop")
			q.Evidence = evidence
			cluster.Circumstances{}.Complete(t.Context(), &q, gate.Known(noon()), "x", "evict")
			if at, known := q.Facts.Oldest.Get(); known {
				t.Errorf("%s: %s", name, at)
			}
		}
	})
}
