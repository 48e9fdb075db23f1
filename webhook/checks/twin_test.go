package checks

import (
	"reflect"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"pgregory.net/rapid"

	"moorgate.dev/internal/gate"
)

// twins are changes of one field, each with the checks that it is the business of.
var twins = []struct {
	name   string
	change func(*Rollout)
	of     []string
}{
	{"latest", func(r *Rollout) { app(r).Image = "registry.example.com:5000/shop/web:latest" }, []string{"image-tag", "change-risk", "rollout-state", "quota", "node-fit"}},
	{"no readiness probe", func(r *Rollout) { app(r).ReadinessProbe = nil }, []string{"readiness", "change-risk", "rollout-state", "quota", "node-fit"}},
	{"a Service's port", func(r *Rollout) {
		for i, all := 0, servicesOf(r); i < len(all); i++ {
			all[i].Spec.Ports[0].TargetPort = intstr.FromString("nowhere")
		}
	}, []string{"services"}},
	{"an expired certificate", func(r *Rollout) {
		all, _ := r.World.Certificates.Get()
		for i := range all {
			all[i].NotAfter = noon.Add(-1)
		}
	}, []string{"certificates"}},
	{"a Secret that is gone", func(r *Rollout) { r.World.Secrets["tls-a"] = gate.Known(false) }, []string{Missing}},
	{"a failing namespace", func(r *Rollout) { r.World.Failures = gate.Known(Failures{Pods: 9, Failing: 8}) }, []string{"namespace-failures"}},
	{"a dependency that is down", func(r *Rollout) {
		r.World.Dependencies[Dependency{DependService, "shop", "svc-a"}] = gate.Known(Health{Down: "has no ready endpoint"})
	}, []string{Depended}},
	{"what failed before", func(r *Rollout) { r.World.FailedBefore = gate.Known([]PastFailure{{At: noon, How: "Crashed"}}) }, []string{"failed-before"}},
	{"a cordoned node", func(r *Rollout) {
		if all, _ := r.World.Nodes.Get(); len(all) > 0 {
			all[0].Object.Spec.Unschedulable, all[0].Class = true, Class{}
		}
	}, []string{"node-fit", "node-health"}},
	{"a node label that is deprecated", func(r *Rollout) {
		r.New.Template.Spec.NodeSelector = map[string]string{"beta.kubernetes.io/arch": "amd64"}
	},
		[]string{"deprecated", "node-fit", "node-health", "quota", "change-risk", "rollout-state"}},
	{"a controller that has not looked", func(r *Rollout) {
		if r.Old != nil {
			r.Old.Status.Observed = false
		}
	}, []string{"rollout-state"}},
	{"a source that is suspended", func(r *Rollout) {
		if d, _ := r.World.Delivery.Get(); len(d.Sources) > 0 {
			d.Sources[0].State = gate.Known(Readiness{Suspended: true})
		}
	}, []string{"gitops-source"}},
	{"no budgets", func(r *Rollout) { r.World.Budgets = emptied(r.World.Budgets) }, []string{"disruption-budget", "autoscaling"}},
	{"no autoscalers", func(r *Rollout) { r.World.Autoscalers = emptied(r.World.Autoscalers) }, []string{"autoscaling"}},
	{"no LimitRanges", func(r *Rollout) { r.World.LimitRanges = emptied(r.World.LimitRanges) },
		[]string{"limit-range", "autoscaling", "requests", "node-fit", "quota"}},
}

// emptied is the fact that there is none.
func emptied[T any](gate.Fact[[]T]) gate.Fact[[]T] { return gate.Known([]T{}) }

func servicesOf(r *Rollout) []corev1.Service {
	all, _ := r.World.Services.Get()
	return all
}

// TestATwinDiffersInWhatItIsAbout changes one thing of a scene: the checks whose business it is may say something else, and no other does.
func TestATwinDiffersInWhatItIsAbout(t *testing.T) {
	differed := map[string]bool{}
	for _, twin := range twins {
		rapid.Check(t, func(t *rapid.T) {
			seed := rapid.Int64().Draw(t, "seed")
			r, changed := rolloutOf(seed, plainly), rolloutOf(seed, plainly)
			twin.change(&changed)
			was, is := lookAll(r), lookAll(changed)
			for i := range was {
				if reflect.DeepEqual(was[i], is[i]) {
					continue
				}
				if differed[twin.name] = true; !slices.Contains(twin.of, all[i].ID) {
					t.Fatalf("%s makes %s say %+v, before %+v", twin.name, all[i].ID, is[i], was[i])
				}
			}
		})
		if !differed[twin.name] {
			t.Errorf("%s changes nothing anywhere", twin.name)
		}
	}
}
