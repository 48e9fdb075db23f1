package checks

import (
	"context"
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"testing"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"pgregory.net/rapid"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// anyRollout draws a rollout with any of the faults that the checks look for.
func anyRollout(t *rapid.T) Rollout {
	r := sound()
	r.New.Replicas = rapid.Int32Range(0, 20).Draw(t, "replicas")
	r.New.MaxSurge = rapid.Int32Range(0, 5).Draw(t, "surge")
	r.New.MaxUnavailable = rapid.Int32Range(0, r.New.Replicas).Draw(t, "unavailable")
	r.New.Ref.Kind = rapid.SampledFrom([]string{"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "Rollout"}).Draw(t, "kind")
	r.New.Later = r.New.Ref.Kind == "CronJob"
	r.New.Once = r.New.Later || r.New.Ref.Kind == "Job" || r.New.Ref.Kind == "Pod"
	spec := &r.New.Template.Spec
	for i := range rapid.IntRange(0, 3).Draw(t, "containers") {
		c := corev1.Container{Name: fmt.Sprintf("c%d", i), Image: rapid.SampledFrom([]string{"a", "a:1", "a:latest"}).Draw(t, "image")}
		if rapid.Bool().Draw(t, "port") {
			c.Ports = []corev1.ContainerPort{{Name: fmt.Sprintf("p%d", i), ContainerPort: int32(i + 1)}}
		}
		if rapid.Bool().Draw(t, "probe") {
			c.ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{
				Port: rapid.SampledFrom([]intstr.IntOrString{intstr.FromInt32(1), intstr.FromString("p0"), intstr.FromString("x")}).Draw(t, "to")}}}
		}
		spec.Containers = append(spec.Containers, c)
	}
	app(&r).Name = rapid.String().Draw(t, "name")
	app(&r).Image = rapid.StringMatching(`[a-z\x00-\x1f\x{202e}]{0,200}(:latest)?`).Draw(t, "image")
	for _, name := range []string{"s1", "s2"} {
		if rapid.Bool().Draw(t, name) {
			env(name, nil)(&r)
			r.World.Secrets = map[string]gate.Fact[bool]{"s1": gate.Known(rapid.Bool().Draw(t, "there"))}
		}
	}
	if rapid.Bool().Draw(t, "quota") {
		quota(list("requests.cpu", "5", "limits.memory", "1Gi"), list("requests.cpu", "3"))(&r)
	}
	if rapid.Bool().Draw(t, "selector") {
		spec.NodeSelector = map[string]string{"disk": "ssd"}
	}
	if rapid.Bool().Draw(t, "update") {
		update(&r)
	}
	r.World.Failures = gate.Known(Failures{Pods: 9, Failing: rapid.IntRange(0, 9).Draw(t, "failing")})
	return r
}

func score(r Rollout) int      { n, _ := Assess(r, menu).Score.Get(); return n }
func confidence(r Rollout) int { n, _ := Assess(r, menu).Confidence.Get(); return n }

func TestAssessmentsStayInBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRollout(t)
		a := Assess(r, menu)
		if s := score(r); s < 0 || s > 100 {
			t.Fatalf("score %d", s)
		}
		if c := confidence(r); c < 0 || c > 100 {
			t.Fatalf("confidence %d", c)
		}
		for _, f := range a.Findings {
			if f.ID == "" || f.Points < 0 || f.Text == "" || len([]rune(f.Text)) > textMax || len(f.Evidence) == 0 {
				t.Fatalf("finding %+v", f)
			}
			if slices.ContainsFunc([]rune(f.Text), func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Fatalf("unprintable %q", f.Text)
			}
		}
		if again := Assess(r, menu); !reflect.DeepEqual(a, again) {
			t.Fatalf("the same rollout was assessed as %+v and as %+v", a, again)
		}
	})
}

func TestUnrelatedChangesNeverChangeTheScore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRollout(t)
		want := score(r)
		r.New.Ref.Name = rapid.StringMatching(`[a-z]{1,20}`).Draw(t, "rename")
		spec := &r.New.Template.Spec
		rng := rand.New(rand.NewSource(rapid.Int64().Draw(t, "shuffle")))
		rng.Shuffle(len(spec.Containers), func(i, j int) {
			spec.Containers[i], spec.Containers[j] = spec.Containers[j], spec.Containers[i]
		})
		for i := range spec.Containers {
			spec.Containers[i].Args = []string{"unrelated"}
		}
		if nodes, known := r.World.Nodes.Get(); known {
			rng.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
		}
		other := policyv1.PodDisruptionBudget{}
		other.Spec.Selector = r.New.Selector.DeepCopy()
		other.Spec.Selector.MatchLabels = map[string]string{"app": "unrelated"}
		other.Spec.MaxUnavailable = ptr(intstr.FromInt32(0))
		r.World.Budgets = gate.Known([]policyv1.PodDisruptionBudget{other})
		quota(list("services", "0"), list("services", "9"))(&r)
		if r.World.Secrets != nil {
			r.World.Secrets["unrelated"] = gate.Known(false)
		}
		if got := score(r); got != want {
			t.Fatalf("score %d became %d: %+v", want, got, Assess(r, menu).Findings)
		}
	})
}

func TestNotKnowingNeverRaisesConfidence(t *testing.T) {
	forgetting := []func(*World){
		func(w *World) { w.Quotas = gate.Fact[[]corev1.ResourceQuota]{} },
		func(w *World) { w.LimitRanges = gate.Fact[[]corev1.LimitRange]{} },
		func(w *World) { w.Nodes = gate.Fact[[]Node]{} },
		func(w *World) { w.Budgets = gate.Fact[[]policyv1.PodDisruptionBudget]{} },
		func(w *World) { w.Pods = gate.Fact[[]corev1.Pod]{} },
		func(w *World) { w.Failures = gate.Fact[Failures]{} },
		func(w *World) { w.Secrets = nil },
		func(w *World) { w.FailedBefore = gate.Fact[[]PastFailure]{} },
	}
	rapid.Check(t, func(t *rapid.T) {
		r := anyRollout(t)
		before := confidence(r)
		for _, i := range rapid.SliceOf(rapid.IntRange(0, len(forgetting)-1)).Draw(t, "forget") {
			forgetting[i](&r.World)
			after := confidence(r)
			if after > before {
				t.Fatalf("confidence rose from %d to %d by forgetting %d", before, after, i)
			}
			before = after
		}
	})
}

// BenchmarkAdvisor is one review in a cluster of 500 nodes and 5,000 pods: 250 of them in the namespace are the workload's.
func BenchmarkAdvisor(b *testing.B) {
	r := sound()
	r.New.Replicas, r.New.MaxSurge = 250, 63
	nodes := make([]Node, 500)
	for i := range nodes {
		nodes[i] = node(fmt.Sprintf("n%d", i), "16")
		nodes[i].Requested, nodes[i].Pods = list("cpu", "10", "memory", "10Gi"), 10
		nodes[i].Class = ClassOf(nodes[i].Object)
	}
	r.World.Nodes = gate.Known(nodes)
	quota(list("requests.cpu", "1000", "pods", "1000"), list("requests.cpu", "250", "pods", "250"))(&r)
	update(&r)
	advisor, q := Advisor(r), flow.Question{Facts: gate.Facts{Menu: menu}}
	b.ReportAllocs()
	for b.Loop() {
		advisor.Advise(context.Background(), q)
	}
}
