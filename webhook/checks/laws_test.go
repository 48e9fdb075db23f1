package checks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand"
	"reflect"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"pgregory.net/rapid"

	"moorgate.dev/certs"
	"moorgate.dev/internal/gate"
)

// verdictOf is all of an assessment that a decision can hang on: the numbers, and of each check the points of each nature and whether it is
// hard. What the findings say is left out: names may come in it.
func verdictOf(r Rollout) map[string]int {
	a := Assess(r, menu)
	score, _ := a.Score.Get()
	sure, _ := a.Confidence.Get()
	rollback, failing := Facts(r)
	all := map[string]int{"score": score, "confidence": sure, "open: " + a.Open: 1, fmt.Sprint("rollback ", said(rollback)): 1, fmt.Sprint("failing ", said(failing)): 1,
		fmt.Sprint("brings ", Brings(r)): 1}
	for _, f := range a.Findings {
		key := fmt.Sprintf("%s as %q", f.ID, f.Nature)
		all[key] += f.Points
		if f.Hard {
			all[key+", hard"] = 1
		}
	}
	maps.DeleteFunc(all, func(key string, points int) bool { return points == 0 && key != "score" && key != "confidence" })
	return all
}

// beyondIt is what one verdict says and the other does not.
func beyondIt(a, b map[string]int) map[string]int {
	a = maps.Clone(a)
	maps.DeleteFunc(a, func(key string, points int) bool { return b[key] == points })
	return a
}

// told is what each check says, for a reader.
func told(r Rollout) string {
	out := ""
	for i, x := range lookAll(r) {
		for _, f := range x.Findings {
			out += fmt.Sprintf("\n%s %d %s: %s", all[i].ID, f.Points, f.Nature, f.Text)
		}
		for _, u := range x.Unknown {
			out += fmt.Sprintf("\n%s unknown: %s", all[i].ID, u)
		}
	}
	return out
}

func said(f gate.Fact[bool]) string {
	v, known := f.Get()
	return fmt.Sprint(v, known)
}

// law shows over chance that a change of a rollout leaves the verdict as it was.
func law(t *testing.T, change func(seed int64, rng *rand.Rand) (before, after Rollout)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Int64().Draw(t, "seed")
		rng := rand.New(rand.NewSource(rapid.Int64().Draw(t, "change")))
		for i := range int64(10) {
			before, after := change(seed+i, rng)
			if was, is := verdictOf(before), verdictOf(after); !reflect.DeepEqual(was, is) {
				t.Fatalf("%v became %v\n%s\n\nbecame\n%s", beyondIt(was, is), beyondIt(is, was), told(before), told(after))
			}
		}
	})
}

// Every check has something to say in some scene, or the laws would say nothing of it.
func TestTheScenesSpeakOfEveryCheck(t *testing.T) {
	found, unknown := map[string]bool{}, map[string]bool{}
	for seed := range int64(3000) {
		r := rolloutOf(seed, plainly)
		for i, x := range lookAll(r) {
			found[all[i].ID] = found[all[i].ID] || len(x.Findings) > 0
			unknown[all[i].ID] = unknown[all[i].ID] || len(x.Unknown) > 0
		}
	}
	for _, c := range All() {
		if !found[c.ID] {
			t.Errorf("no scene has %s find anything", c.ID)
		}
	}
	if n := len(slices.DeleteFunc(slices.Collect(maps.Values(unknown)), func(yes bool) bool { return !yes })); n < 12 {
		t.Errorf("only %d checks ever lack anything", n)
	}
}

// TestNamesDoNotDecide: everything is called otherwise, in another order of the alphabet, consistently.
func TestNamesDoNotDecide(t *testing.T) {
	law(t, func(seed int64, rng *rand.Rand) (Rollout, Rollout) {
		salt := fmt.Sprint(rng.Int63())
		return rolloutOf(seed, plainly), rolloutOf(seed, func(s string) string {
			sum := sha256.Sum256([]byte(salt + s))
			return "n" + hex.EncodeToString(sum[:5])
		})
	})
}

// TestOrderDoesNotDecide: lists in which order means nothing are shuffled, of the manifest and of the world. Init containers are left:
// they run in their order.
func TestOrderDoesNotDecide(t *testing.T) {
	law(t, func(seed int64, rng *rand.Rand) (Rollout, Rollout) {
		before, after := rolloutOf(seed, plainly), rolloutOf(seed, plainly)
		for _, w := range []*Workload{after.Old, &after.New} {
			if w == nil {
				continue
			}
			spec := &w.Template.Spec
			shuffled(rng, spec.Containers)
			shuffled(rng, spec.Volumes)
			shuffled(rng, spec.Tolerations)
			for _, c := range everyContainer(spec) {
				shuffled(rng, c.Env)
				shuffled(rng, c.Ports)
				shuffled(rng, c.VolumeMounts)
			}
		}
		if sameHashes(before) != sameHashes(after) {
			return before, before // shuffled, what ran before is another template, and no way back
		}
		w := &after.World
		reordered(rng, w.Quotas)
		reordered(rng, w.LimitRanges)
		reordered(rng, w.Nodes)
		reordered(rng, w.Budgets)
		reordered(rng, w.Pods)
		reordered(rng, w.Services)
		reordered(rng, w.Ingresses)
		reordered(rng, w.HTTPRoutes)
		reordered(rng, w.Certificates)
		reordered(rng, w.Autoscalers)
		reordered(rng, w.VerticalAutoscalers)
		reordered(rng, w.FailedBefore)
		return before, after
	})
}

// sameHashes says which templates are taken to be the same: order counts there, as for the controllers.
func sameHashes(r Rollout) string {
	old := r.New.Template
	if r.Old != nil {
		old = r.Old.Template
	}
	return fmt.Sprint(rolledOut(r), Hash(old) == Hash(r.New.Template), r.Old != nil && TemplateChanged(r.Old, r.New))
}

func shuffled[T any](rng *rand.Rand, all []T) {
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
}

func reordered[T any](rng *rand.Rand, f gate.Fact[[]T]) {
	all, _ := f.Get()
	shuffled(rng, all)
}

// TestWhatHasNothingToDoWithItDoesNotDecide adds to the world what belongs to others: it is neither a neighbour in trouble, nor does it
// lead to the pods, select them, or hold them to anything.
func TestWhatHasNothingToDoWithItDoesNotDecide(t *testing.T) {
	foreign := map[string]string{"app": "foreign"}
	law(t, func(seed int64, rng *rand.Rand) (Rollout, Rollout) {
		before, after := rolloutOf(seed, plainly), rolloutOf(seed, plainly)
		w := &after.World
		meta := metav1.ObjectMeta{Namespace: "shop", Name: "foreign"}
		w.Services = with(rng, w.Services, corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: foreign, Ports: []corev1.ServicePort{{Port: 1, TargetPort: intstr.FromString("foreign")}}}})
		w.Ingresses = with(rng, w.Ingresses, networkingv1.Ingress{ObjectMeta: meta, Spec: networkingv1.IngressSpec{TLS: []networkingv1.IngressTLS{{SecretName: "foreign"}},
			DefaultBackend: &networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "foreign", Port: networkingv1.ServiceBackendPort{Number: 9}}}}})
		w.HTTPRoutes = with(rng, w.HTTPRoutes, Route{Kind: "HTTPRoute", Name: "foreign", Backends: []Backend{{Service: "foreign", Port: 9}}})
		w.Certificates = with(rng, w.Certificates, certs.IssuedCertificate{Name: "foreign", Secret: "foreign", NotAfter: noon.Add(-1)})
		w.Budgets = with(rng, w.Budgets, policyv1.PodDisruptionBudget{ObjectMeta: meta, Spec: policyv1.PodDisruptionBudgetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: foreign}, MaxUnavailable: new(intstr.FromInt32(0))}})
		w.Autoscalers = with(rng, w.Autoscalers, autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: meta, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: after.New.Ref.Kind, Name: "foreign"}}})
		w.VerticalAutoscalers = with(rng, w.VerticalAutoscalers, VerticalAutoscaler{Name: "foreign", APIVersion: "apps/v1", Kind: "Deployment", Workload: "foreign",
			Containers: []VerticalPolicy{{Container: "*", Least: list("cpu", "99")}}})
		w.Quotas = with(rng, w.Quotas, corev1.ResourceQuota{ObjectMeta: meta, Status: corev1.ResourceQuotaStatus{Hard: list("services", "0"), Used: list("services", "9")}})
		w.LimitRanges = with(rng, w.LimitRanges, corev1.LimitRange{ObjectMeta: meta, Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
			{Type: corev1.LimitTypePersistentVolumeClaim, Max: list("storage", "1")}}}})
		w.Dependencies[Dependency{DependService, "shop", "foreign"}] = gate.Known(Health{Missing: true})
		w.Dependencies[Dependency{DependService, "foreign", "svc-a"}] = gate.Known(Health{Down: "is down"})
		w.Secrets["foreign"], w.ConfigMaps["foreign"] = gate.Known(false), gate.Unknown[bool]("not read")
		return before, after
	})
}

// with is a fact with one thing more, somewhere.
func with[T any](rng *rand.Rand, f gate.Fact[[]T], more T) gate.Fact[[]T] {
	all, known := f.Get()
	if !known {
		return f
	}
	return gate.Known(slices.Insert(slices.Clone(all), rng.Intn(len(all)+1), more))
}

// TestOneMoreNodeOnlyHelps: a node that suits nobody changes nothing but how the cluster looks, and one that is well and free helps or
// changes nothing.
func TestOneMoreNodeOnlyHelps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Int64().Draw(t, "seed")
		before, after := rolloutOf(seed, plainly), rolloutOf(seed, plainly)
		nodes, known := after.World.Nodes.Get()
		if !known || before.New.Ref.Kind == "DaemonSet" { // which would have a pod more
			return
		}
		more := node("more", "64")
		more.Object.Labels["disk"] = "ssd"
		more.Object.Labels["beta.kubernetes.io/os"] = "linux"
		after.World.Nodes = gate.Known(append(slices.Clone(nodes), more))
		if was, is := score(before), score(after); is < was {
			t.Fatalf("%d became %d: %+v", was, is, Assess(after, menu).Findings)
		}
	})
}
