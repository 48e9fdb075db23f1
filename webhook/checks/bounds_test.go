package checks

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"pgregory.net/rapid"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// crowd makes the pod one of so many containers, each of which probes a port that none declares.
func crowd(n int) func(*Rollout) {
	return func(r *Rollout) {
		c := app(r).DeepCopy()
		for i := range n - 1 {
			c.Name = fmt.Sprint("c", i)
			c.ReadinessProbe.HTTPGet.Port = intstr.FromInt32(int32(i + 1))
			r.New.Template.Spec.Containers = append(r.New.Template.Spec.Containers, *c.DeepCopy())
		}
	}
}

func TestWhatIsTooLargeIsRefusedUnseen(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Rollout)
		large  bool
	}{
		"a sound rollout":       {func(*Rollout) {}, false},
		"as many as may be":     {crowd(containersMax), false},
		"one container more":    {crowd(containersMax + 1), true},
		"init containers count": {func(r *Rollout) { r.New.Template.Spec.InitContainers = make([]corev1.Container, containersMax) }, true},
		"too many references": {func(r *Rollout) {
			for i := range referencesTotal + 1 {
				r.New.Template.Spec.ImagePullSecrets = append(r.New.Template.Spec.ImagePullSecrets, corev1.LocalObjectReference{Name: fmt.Sprint(i)})
			}
		}, true},
		"the same reference over and over": {func(r *Rollout) {
			for range referencesTotal + 1 {
				r.New.Template.Spec.ImagePullSecrets = append(r.New.Template.Spec.ImagePullSecrets, corev1.LocalObjectReference{Name: "s"})
			}
		}, false},
		"too many tolerations": {func(r *Rollout) { r.New.Template.Spec.Tolerations = make([]corev1.Toleration, placementMax+1) }, true},
		"too many terms of affinity": {func(r *Rollout) {
			r.New.Template.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{Values: make([]string, placementMax)}}}}}}}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := sound()
			tt.change(&r)
			a := Assess(r, menu)
			large := len(a.Findings) > 0 && a.Findings[0].ID == TooLarge
			if large != tt.large || large && (len(a.Findings) != 1 || !a.Findings[0].Hard || a.Findings[0].Nature != gate.Lasting) {
				t.Errorf("%+v", a.Findings)
			}
			if confidence, _ := a.Confidence.Get(); large && confidence != 0 {
				t.Errorf("confidence %d though nothing was looked at", confidence)
			}
		})
	}
}

func TestTheRestIsCountedAndLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) gate.Finding {
			return gate.Finding{Text: "x", Points: rapid.IntRange(0, 50).Draw(t, "points"), Hard: rapid.Bool().Draw(t, "hard"),
				Nature: rapid.SampledFrom([]gate.Nature{gate.Lasting, gate.Pending, gate.Recent, gate.Standing}).Draw(t, "nature"), Evidence: []string{EvidenceWorkload}}
		}), 0, 200).Draw(t, "all")
		few := fewer(all)
		if len(few) > findingsMax+4 { // at most one rest for each nature
			t.Fatalf("%d of %d are left", len(few), len(all))
		}
		sums := func(findings []gate.Finding) map[string]int {
			m := map[string]int{}
			for _, f := range findings {
				m[string(f.Nature)] += f.Points
				if f.Hard {
					m[string(f.Nature)+"hard"] = 1
				}
			}
			return m
		}
		want, got := sums(all), sums(few)
		for k, n := range want {
			if got[k] != n {
				t.Fatalf("%q: %d became %d", k, n, got[k])
			}
		}
	})
}

func TestManyContainersCostNoMoreThanTheyAre(t *testing.T) {
	spec := func(n int) *corev1.PodSpec { r := sound(); crowd(n)(&r); return &r.New.Template.Spec }
	r := sound()
	r.New.Template.Spec = *spec(20000)
	start := time.Now()
	if got := lookReadiness(r); len(got.Findings) == 0 {
		t.Error("nothing found")
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("20000 containers took %s", d)
	}
}

// BenchmarkLargest is the largest manifest that is still looked at, with quotas and nodes.
func BenchmarkLargest(b *testing.B) {
	r := sound()
	crowd(containersMax)(&r)
	nodes := make([]Node, 500)
	for i := range nodes {
		nodes[i] = node(fmt.Sprintf("n%d", i), "16")
	}
	r.World.Nodes = gate.Known(nodes)
	quota(list("requests.cpu", "1000", "pods", "1000", "limits.cpu", "10", "requests.memory", "1Ti"), list("requests.cpu", "250", "pods", "250"))(&r)
	update(&r)
	advisor, q := Advisor(r), flow.Question{Facts: gate.Facts{Menu: menu}}
	b.ReportAllocs()
	for b.Loop() {
		advisor.Advise(context.Background(), q)
	}
}

// Two findings of a check that take its points once: which of them counts towards a denial must not hang on which comes first. What
// may be excused more easily never uses up the points of the rest.
func TestTheOrderOfFindingsDoesNotDecideWhichCounts(t *testing.T) {
	of := func(nature gate.Nature) gate.Finding { return gate.Finding{Nature: nature, Points: 20} }
	ranks := []gate.Nature{gate.Lasting, gate.Recent, gate.Pending, gate.Standing}
	for i, first := range ranks {
		for _, second := range ranks[i+1:] {
			for _, both := range [][]gate.Finding{{of(first), of(second)}, {of(second), of(first)}} {
				if got := fewer(both); got[0].Nature != first {
					t.Errorf("%q comes before %q", got[0].Nature, first)
				}
			}
		}
	}
	if got := fewer([]gate.Finding{{Nature: gate.Recent, Points: 30}, {Nature: gate.Lasting, Points: 5}}); got[0].Nature != gate.Lasting {
		t.Error("what is recent uses up the points of what lasts")
	}
}
