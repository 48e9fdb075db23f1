package remediate_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/api/v1alpha1"
	ours "moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
	"moorgate.dev/test/cluster"
)

// offered are the kinds of others that the stories need, as bare as a definition may be.
var offered = map[string]string{
	"certificates.cert-manager.io": "Certificate v1 Namespaced", "issuers.cert-manager.io": "Issuer v1 Namespaced",
	"certificaterequests.cert-manager.io": "CertificateRequest v1 Namespaced", "orders.acme.cert-manager.io": "Order v1 Namespaced",
	"gitrepositories.source.toolkit.fluxcd.io": "GitRepository v1 Namespaced", "kustomizations.kustomize.toolkit.fluxcd.io": "Kustomization v1 Namespaced",
	"applications.argoproj.io": "Application v1alpha1 Namespaced",
}

var offering sync.Once

// offer adds the kinds to the cluster, once.
func (h *house) offer() {
	h.t.Helper()
	offering.Do(func() {
		for name, kind := range offered {
			plural, group, _ := strings.Cut(name, ".")
			is := strings.Fields(kind)
			h.lay(fmt.Sprintf(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %s}
spec:
  group: %s
  scope: %s
  names: {kind: %s, plural: %s, singular: %s}
  versions: [{name: %s, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]`,
				name, group, is[2], is[0], plural, strings.ToLower(is[0]), is[1]))
		}
	})
	for name, kind := range offered {
		_, group, _ := strings.Cut(name, ".")
		is := strings.Fields(kind)
		h.eventually("kind "+is[0], func() error {
			l := &unstructured.UnstructuredList{}
			l.SetAPIVersion(group + "/" + is[1])
			l.SetKind(is[0] + "List")
			return h.admin.List(h.t.Context(), l, client.InNamespace(h.namespace))
		})
	}
}

// lay creates what a manifest says, in the house's namespace.
func (h *house) lay(manifest string) *unstructured.Unstructured {
	h.t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &u.Object); err != nil {
		h.t.Fatal(err)
	}
	u.SetNamespace(h.namespace)
	if u.GetKind() == "CustomResourceDefinition" {
		u.SetNamespace("")
	}
	h.create(u)
	return u
}

// change writes an object anew.
func (h *house) change(u *unstructured.Unstructured, change func(map[string]any)) {
	h.t.Helper()
	h.eventually("a change of "+u.GetName(), func() error {
		if err := h.admin.Get(h.t.Context(), client.ObjectKeyFromObject(u), u); err != nil {
			return err
		}
		change(u.Object)
		return h.admin.Update(h.t.Context(), u)
	})
}

// because waits for the Case of an object to name a cause.
func (h *house) because(name, cause string) v1alpha1.Case {
	h.t.Helper()
	return h.judged(name, func(c v1alpha1.Case) error {
		if c.Status.Cause != cause {
			return fmt.Errorf("the cause is %q: %s (unread: %v)", c.Status.Cause, c.Status.Summary, c.Status.Unread)
		}
		return nil
	})
}

// unmentioned shows that there is no Case of some objects, once another was judged that came later.
func (h *house) unmentioned(names ...string) {
	h.t.Helper()
	h.overTwoSweeps()
	for _, c := range h.cases() {
		for _, name := range names {
			if c.Spec.Subject.Name == name {
				h.t.Errorf("there is a Case of %s: %s, %s", name, c.Spec.Signal.Reason, c.Status.Summary)
			}
		}
	}
}

func ago(d time.Duration) string { return time.Now().Add(-d).UTC().Format(time.RFC3339) }

// flux is an object of Flux that has been as ready as it says for ten minutes.
func flux(kind, group, name, spec, status, reason, message string) string {
	return fmt.Sprintf(`
apiVersion: %s/v1
kind: %s
metadata: {name: %s}
spec: {%s}
status: {conditions: [{type: Ready, status: %q, reason: %s, message: %q, lastTransitionTime: %q}]}`, group, kind, name, spec, status, reason, message, ago(10*time.Minute))
}

// TestStoriesOfDeliveries shows what fails to deliver, from its state to its Case, beside what only looks like it.
func TestStoriesOfDeliveries(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.offer()
	const kustomize, source = "kustomize.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"
	refused := `Deployment/shop/web dry-run failed (Forbidden): admission webhook "rollouts.moorgate.dev" denied the request: ` + planted
	h.lay(flux("Kustomization", kustomize, "refused", "", "False", "ReconciliationFailed", refused))
	h.lay(flux("Kustomization", kustomize, "poser", "", "False", "ReconciliationFailed", "the note says: "+refused))
	h.lay(flux("Kustomization", kustomize, "broken", "", "False", "BuildFailed", "kustomize build failed: "+planted))
	h.lay(flux("Kustomization", kustomize, "asleep", "suspend: true", "False", "BuildFailed", "kustomize build failed"))
	h.lay(flux("Kustomization", kustomize, "fine", "", "True", "ReconciliationSucceeded", "Applied"))
	h.lay(flux("GitRepository", source, "code", "", "False", "GitOperationFailed", "unable to clone: "+planted))
	h.lay(flux("GitRepository", source, "locked", "", "False", "AuthenticationFailed", "no secret"))
	app := fmt.Sprintf("\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: %%s}\nstatus: {conditions: [{type: %%s, message: x, lastTransitionTime: %q}]}", ago(10*time.Minute))
	h.lay(fmt.Sprintf(app, "uncompared", "ComparisonError"))
	h.lay(fmt.Sprintf(app, "warned", "OrphanedResourceWarning"))
	log, _ := h.watch(time.Second)
	for name, cause := range map[string]string{"refused": "denied-by-gate", "poser": "apply-failed", "broken": "build-failed", "code": "source-failing",
		"locked": "source-access", "uncompared": "build-failed"} {
		if c := h.because(name, cause); strings.Contains(fmt.Sprintf("%+v", c), planted) {
			t.Errorf("what a controller said of %s left", name)
		}
	}
	h.unmentioned("asleep", "fine", "warned")
	if strings.Contains(fmt.Sprintf("%+v", log.of(gate.RecordVerdict, h.namespace)), planted) {
		t.Error("what a controller said is in the log")
	}
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(kustomize + "/v1")
	u.SetKind("Kustomization")
	u.SetName("broken")
	u.SetNamespace(h.namespace)
	h.change(u, func(o map[string]any) {
		o["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded"}}}
	})
	h.judged("broken", recovered(metav1.ConditionTrue, "Ready"))
}

// TestStoriesOfCertificates shows certificates that are unfit, beside those that are not.
func TestStoriesOfCertificates(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.offer()
	cert := func(name, issuer, status string) *unstructured.Unstructured {
		return h.lay(fmt.Sprintf("\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: %s}\nspec: {secretName: %s-tls, issuerRef: {name: %s}}\nstatus: {%s}", name, name, issuer, status))
	}
	unready := fmt.Sprintf(`conditions: [{type: Ready, status: "False", reason: DoesNotExist, message: x, lastTransitionTime: %q}]`, ago(time.Hour))
	issuer := func(name, ready string) {
		h.lay(fmt.Sprintf("\napiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: %s}\nstatus: {conditions: [{type: Ready, status: %q, reason: x, message: x}]}", name, ready))
	}
	issuer("good", "True")
	issuer("ill", "False")
	cert("orphan", "nobody", unready)
	cert("blocked", "ill", unready)
	ordered := cert("ordered", "good", unready)
	beneath := func(api, kind, name, status string, owner *unstructured.Unstructured) *unstructured.Unstructured {
		return h.lay(fmt.Sprintf("\napiVersion: %s\nkind: %s\nmetadata: {name: %s, ownerReferences: [{apiVersion: %s, kind: %s, name: %s, uid: %s, controller: true}]}\nstatus: {%s}",
			api, kind, name, owner.GetAPIVersion(), owner.GetKind(), owner.GetName(), owner.GetUID(), status))
	}
	request := beneath("cert-manager.io/v1", "CertificateRequest", "ordered-1", `conditions: [{type: Ready, status: "False", reason: Failed}]`, ordered)
	beneath("acme.cert-manager.io/v1", "Order", "ordered-1", "state: invalid", request)
	dates := func(end, renewal time.Duration) string {
		return fmt.Sprintf("notAfter: %q, renewalTime: %q", ago(-end), ago(-renewal))
	}
	const day = 24 * time.Hour
	old := cert("old", "good", dates(-time.Hour, -30*day))
	cert("late", "good", dates(day, -29*day))
	cert("sound", "good", dates(60*day, 30*day))
	cert("renewing", "good", dates(29*day, -day))
	cert("young", "good", fmt.Sprintf(`conditions: [{type: Ready, status: "False", reason: Issuing, message: x, lastTransitionTime: %q}]`, ago(-time.Hour)))
	h.watch(time.Second)
	for name, cause := range map[string]string{"orphan": "issuer-missing", "blocked": "issuer-not-ready", "ordered": "order-failed", "old": "certificate-expired", "late": "renewal-late"} {
		if c := h.because(name, cause); len(c.Status.Unread) > 0 {
			t.Errorf("%s: not read is %v", name, c.Status.Unread)
		}
	}
	h.unmentioned("sound", "renewing", "young")
	h.change(old, func(o map[string]any) {
		o["status"] = map[string]any{"notAfter": ago(-60 * day), "renewalTime": ago(-30 * day)}
	})
	h.judged("old", recovered(metav1.ConditionTrue, "Ready"))
}

// TestStoriesOfAutoscalers shows autoscalers that are blind, as the real controller says it, beside those that are not.
func TestStoriesOfAutoscalers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	scaler := func(name, target string) {
		use, least := int32(50), int32(1)
		h.create(&autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: name}, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			MinReplicas: &least, MaxReplicas: 3, ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: target},
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
				Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: &use}}}}}})
	}
	if err := cluster.Shared(t).Usage(t.Context(), h.namespace, "greedy-*", "app", "200m", "64Mi"); err != nil {
		t.Fatal(err)
	}
	h.deployment("greedy", 1, "") // asks for nothing
	h.deployment("mute", 1, "")   // has no metrics
	h.deployment("still", 0, "")  // is scaled to nothing
	scaler("lost", "nothing")
	scaler("greedy-scaler", "greedy")
	scaler("mute-scaler", "mute")
	scaler("still-scaler", "still")
	h.watch(time.Second)
	if c := h.because("lost", "scale-target-missing"); !strings.Contains(c.Status.Summary, "Deployment/nothing") {
		t.Errorf("it says %q", c.Status.Summary)
	}
	if c := h.because("greedy-scaler", "request-missing"); !strings.Contains(c.Status.Summary, "container app has no request of cpu") {
		t.Errorf("it says %q", c.Status.Summary)
	}
	h.because("mute-scaler", "metrics-missing")
	h.unmentioned("still-scaler")
	h.deployment("nothing", 0, "")
	h.judged("lost", recovered(metav1.ConditionTrue, "Ready"))
}

// nodes adds nodes of this house alone.
func (h *house) nodes(opts cluster.NodeOptions) []string {
	h.t.Helper()
	names, err := cluster.Shared(h.t).AddNodes(h.t.Context(), opts)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		for _, name := range names {
			if err := h.admin.Delete(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
				h.t.Error(err)
			}
		}
	})
	return names
}

// TestStoriesOfNodes shows a node that is unwell, whose Case lives in Moorgate's own namespace, beside one that is cordoned.
func TestStoriesOfNodes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := cluster.Shared(t)
	nodes := h.nodes(cluster.NodeOptions{Count: 3, NamePrefix: "story", Taints: []corev1.Taint{{Key: "story", Effect: corev1.TaintEffectNoSchedule}}})
	ill := func(node string, condition corev1.NodeCondition) {
		if err := c.SetNodeCondition(t.Context(), node, condition); err != nil {
			t.Fatal(err)
		}
	}
	ill(nodes[0], corev1.NodeCondition{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue, Reason: "KubeletHasDiskPressure"})
	ill(nodes[1], corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Reason: "KubeletNotReady",
		Message: "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:" + planted})
	cordoned := corev1.Node{}
	h.eventually("a cordoned node", func() error {
		if err := h.admin.Get(t.Context(), client.ObjectKey{Name: nodes[2]}, &cordoned); err != nil {
			return err
		}
		cordoned.Spec.Unschedulable = true
		return h.admin.Update(t.Context(), &cordoned)
	})
	h.watch(time.Second)
	of := func(node string, right func(v1alpha1.Case) error) {
		t.Helper()
		h.eventually("the Case of node "+node, func() error {
			var list v1alpha1.CaseList
			if err := h.admin.List(t.Context(), &list, client.InNamespace(ours.OwnNamespace)); err != nil {
				return err
			}
			for _, c := range list.Items {
				if c.Spec.Subject.Name == node && meta.FindStatusCondition(c.Status.Conditions, remediate.ConditionRecovered) != nil {
					return right(c)
				}
			}
			return fmt.Errorf("there is none among %d", len(list.Items))
		})
	}
	cause := func(want string) func(v1alpha1.Case) error {
		return func(c v1alpha1.Case) error {
			if c.Status.Cause != want || strings.Contains(fmt.Sprintf("%+v", c), planted) {
				return fmt.Errorf("the Case is %+v", c.Status)
			}
			return nil
		}
	}
	of(nodes[0], cause("node-disk-pressure"))
	of(nodes[1], cause("node-network-down"))
	if err := c.HealNode(t.Context(), nodes[0]); err != nil {
		t.Fatal(err)
	}
	of(nodes[0], recovered(metav1.ConditionTrue, "Ready"))
	var list v1alpha1.CaseList
	if err := h.admin.List(t.Context(), &list, client.InNamespace(ours.OwnNamespace)); err != nil {
		t.Fatal(err)
	}
	for _, c := range list.Items {
		if c.Spec.Subject.Name == nodes[2] {
			t.Errorf("there is a Case of a node that is cordoned: %s", c.Status.Summary)
		}
	}
}
