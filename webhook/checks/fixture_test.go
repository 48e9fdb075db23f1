package checks

import (
	"fmt"
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"moorgate.dev/certs"
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// tale is one case of a check: what differs from a sound create, and what the check must say of it.
type tale struct {
	name    string
	change  func(*Rollout)
	points  int    // of all findings together
	text    string // part of some finding's text
	hard    bool
	nature  gate.Nature
	unknown string // part of some unknown
}

func (c Check) tell(t *testing.T, tales []tale) {
	t.Helper()
	for _, tt := range tales {
		t.Run(tt.name, func(t *testing.T) {
			r := sound()
			if tt.change != nil {
				tt.change(&r)
			}
			got := c.look(r)
			points, hard, texts := 0, false, ""
			for _, f := range got.Findings {
				points += f.Points
				hard = hard || f.Hard
				texts += f.Text + "\n"
				if f.Nature != tt.nature {
					t.Errorf("nature %q of %q, want %q", f.Nature, f.Text, tt.nature)
				}
				if len(f.Evidence) == 0 || len([]rune(f.Text)) > textMax {
					t.Errorf("finding without evidence or too long: %q", f.Text)
				}
			}
			if points != tt.points || hard != tt.hard || !strings.Contains(texts, tt.text) {
				t.Errorf("points %d hard %v %q, want %d %v %q", points, hard, texts, tt.points, tt.hard, tt.text)
			}
			if tt.unknown == "" && len(got.Unknown) > 0 || !strings.Contains(strings.Join(got.Unknown, "\n"), tt.unknown) {
				t.Errorf("unknown %q, want %q", got.Unknown, tt.unknown)
			}
		})
	}
}

// sound is the create of a Deployment that nothing is wrong with, in a world that is known throughout.
func sound() Rollout {
	labels := map[string]string{"app": "web"}
	w := Workload{
		Ref:      gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "u1"},
		Replicas: 3, MaxSurge: 1, Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "app", Image: "registry.example.com:5000/shop/web:1.4",
				Resources: corev1.ResourceRequirements{Requests: list("cpu", "1", "memory", "1Gi")},
				Ports:     []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
				ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{
					HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromString("http")}}}}}}},
	}
	return Rollout{New: w, World: World{At: noon,
		Quotas: gate.Known([]corev1.ResourceQuota{}), LimitRanges: gate.Known([]corev1.LimitRange{}),
		Budgets: gate.Known([]policyv1.PodDisruptionBudget{}), Pods: gate.Known([]corev1.Pod{}), Failures: gate.Known(Failures{}),
		Services: gate.Known([]corev1.Service{}), Neighbours: gate.Known(Neighbours{}), Ingresses: gate.Known([]networkingv1.Ingress{}), HTTPRoutes: gate.Known([]Route{}),
		Certificates: gate.Known([]certs.IssuedCertificate{}), FailedBefore: gate.Known([]PastFailure{}),
		Autoscalers: gate.Known([]autoscalingv2.HorizontalPodAutoscaler{}), VerticalAutoscalers: gate.Known([]VerticalAutoscaler{}),
		Revisions: gate.Known([]Revision{}), Nodes: gate.Known([]Node{node("n1", "4"), node("n2", "4"), node("n3", "4")})}}
}

// update makes the rollout an update of three running pods of the image before.
func update(r *Rollout) {
	old := r.New
	old.Template = *r.New.Template.DeepCopy()
	old.Template.Spec.Containers[0].Image = "registry.example.com:5000/shop/web:1.3"
	r.Old = &old
	var pods []corev1.Pod
	for i := range old.Replicas {
		p := *shape(&old.Template, nil)
		p.Name, p.Spec.NodeName = fmt.Sprintf("web-%d", i), fmt.Sprintf("n%d", i%3+1)
		p.Status.Phase = corev1.PodRunning
		pods = append(pods, p)
	}
	r.World.Pods = gate.Known(pods)
	nodes, _ := r.World.Nodes.Get()
	for i := range nodes {
		for _, p := range pods {
			if p.Spec.NodeName == nodes[i].Object.Name {
				fit.Add(nodes[i].Requested, fit.Requests(&p))
				nodes[i].Pods++
			}
		}
	}
}

func app(r *Rollout) *corev1.Container { return &r.New.Template.Spec.Containers[0] }

func node(name, cpu string) Node {
	return Node{Requested: corev1.ResourceList{}, Object: &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name, "disk": "hdd"}},
		Status: corev1.NodeStatus{Allocatable: list("cpu", cpu, "memory", "64Gi", "pods", "110"),
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}}}
}

// list makes a ResourceList out of names and quantities in turn.
func list(pairs ...string) corev1.ResourceList {
	l := corev1.ResourceList{}
	for i := 0; i+1 < len(pairs); i += 2 {
		l[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return l
}

// steps makes one change out of several.
func steps(all ...func(*Rollout)) func(*Rollout) {
	return func(r *Rollout) {
		for _, s := range all {
			s(r)
		}
	}
}

func ptr[T any](v T) *T { return &v }
