package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// shelf is a reader that hands out Cases in pages, and never ends if endless.
type shelf struct {
	client.Reader
	cases   []v1alpha1.Case
	page    int
	endless bool
	fail    error
}

func (s *shelf) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	var o client.ListOptions
	o.ApplyOptions(opts)
	if s.fail != nil {
		return s.fail
	}
	out := list.(*v1alpha1.CaseList)
	from := 0
	_, _ = fmt.Sscan(o.Continue, &from)
	to := min(from+s.page, len(s.cases))
	for _, c := range s.cases[from:to] {
		if c.Namespace == o.Namespace && o.LabelSelector.Matches(labelsOf(c)) {
			out.Items = append(out.Items, c)
		}
	}
	if to < len(s.cases) || s.endless {
		out.Continue = fmt.Sprint(to)
	}
	return nil
}

type labelSet map[string]string

func (l labelSet) Has(k string) bool              { _, ok := l[k]; return ok }
func (l labelSet) Get(k string) string            { return l[k] }
func (l labelSet) Lookup(k string) (string, bool) { v, ok := l[k]; return v, ok }
func labelsOf(c v1alpha1.Case) labelSet           { return c.Labels }
func pastCase(name string, change ...func(*v1alpha1.Case)) v1alpha1.Case {
	c := v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: map[string]string{v1alpha1.LabelFace: "remediate"}},
		Spec: v1alpha1.CaseSpec{Signal: v1alpha1.CaseSignal{Face: "remediate", Reason: "CrashLoop", Key: "k"}, Subject: v1alpha1.Subject{Kind: "Deployment", Name: "web"}}}
	c.Status.Cause = "BadRollout"
	c.Status.Findings = []v1alpha1.Finding{{ID: "missing", Text: "a Secret is missing"}, {ID: "model-1", Text: "it may be the Secret", Nature: "advised"}}
	c.Status.Acting = &v1alpha1.Acting{Phase: v1alpha1.PhaseHealed, Verb: "rollback", At: metav1.NewTime(noon())}
	for _, f := range change {
		f(&c)
	}
	return c
}

func TestPastCasesAreThoseThatWereVerified(t *testing.T) {
	phase := func(p string) func(*v1alpha1.Case) { return func(c *v1alpha1.Case) { c.Status.Acting.Phase = p } }
	s := &shelf{page: 2, cases: []v1alpha1.Case{
		pastCase("healed"),
		pastCase("newer", phase(v1alpha1.PhaseWorsened), func(c *v1alpha1.Case) { c.Status.Acting.At = metav1.NewTime(noon().Add(time.Hour)) }),
		pastCase("ineffective", phase(v1alpha1.PhaseIneffective)),
		pastCase("held", phase(v1alpha1.PhaseHeld)), pastCase("acted", phase(v1alpha1.PhaseActed)), pastCase("unclear", phase(v1alpha1.PhaseUnclear)),
		pastCase("never", func(c *v1alpha1.Case) { c.Status.Acting = nil }),
		pastCase("no-cause", func(c *v1alpha1.Case) { c.Status.Cause = "" }),
		pastCase("mislabelled", func(c *v1alpha1.Case) { c.Spec.Signal.Face = "webhook" }),
		pastCase("elsewhere", func(c *v1alpha1.Case) { c.Namespace = "bank" }),
	}}
	got, err := cluster.PastCases(t.Context(), s, "shop")
	if err != nil || len(got) != 3 || got[0].Case != "shop/newer" || got[0].Result != gate.ResultWorsened || got[1].Case != "shop/healed" || got[2].Result != gate.ResultIneffective {
		t.Fatalf("%v: %+v", err, got)
	}
	if p := got[1]; p.Verb != "rollback" || p.Cause != "BadRollout" || p.Workload != "web" || !slices.Equal(p.Rests, []string{"missing"}) || len(p.Findings) != 2 || !p.At.Equal(noon()) {
		t.Errorf("%+v", p)
	}
}

func TestPastCasesAreBoundedAndNeverPartly(t *testing.T) {
	many := &shelf{page: 100}
	for i := range 700 {
		many.cases = append(many.cases, pastCase(fmt.Sprint("c", i), func(c *v1alpha1.Case) {
			c.Status.Acting.At = metav1.NewTime(noon().Add(time.Duration(i) * time.Second))
		}))
	}
	if got, err := cluster.PastCases(t.Context(), many, "shop"); err != nil || len(got) != 500 || got[0].Case != "shop/c699" {
		t.Errorf("%d of 700 (%v)", len(got), err)
	}
	for name, s := range map[string]*shelf{"a reader that fails": {fail: errors.New("forbidden")}, "one that never ends": {endless: true}} {
		if got, err := cluster.PastCases(t.Context(), s, "shop"); err == nil || got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	if _, err := cluster.PastCases(t.Context(), many, ""); err == nil {
		t.Error("without a namespace nothing is listed")
	}
}
