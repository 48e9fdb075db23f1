package remediate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/remediate"
)

// scene is a namespace in which something fares badly, or looks as if.
type scene func(h *house)

// stories plays each in a namespace of its own, all at once, before one Watcher.
func stories(t *testing.T, all map[string]scene) {
	watching := newHouse(t)
	watching.watch(time.Second)
	for name, play := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			play(h)
			h.unwritten()
		})
	}
}

// names waits for the Case of a subject and a symptom to name a cause, in these words.
func (h *house) names(subject, symptom, cause, words string) v1alpha1.Case {
	h.t.Helper()
	var found v1alpha1.Case
	h.eventually(symptom+" of "+subject+" to be "+cause, func() error {
		for _, c := range h.cases() {
			if c.Spec.Subject.Name == subject && c.Spec.Signal.Reason == symptom && meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.CaseJudged) {
				if found = c; c.Status.Cause == cause && strings.Contains(c.Status.Summary, words) {
					return nil
				}
			}
		}
		return fmt.Errorf("it is %q, %q", found.Status.Cause, found.Status.Summary)
	})
	return found
}

// ends waits for a Case to say that it is over.
func (h *house) ends(subject, symptom, reason string) {
	h.t.Helper()
	h.eventually(symptom+" of "+subject+" to be over", func() error {
		for _, c := range h.cases() {
			if c.Spec.Subject.Name == subject && c.Spec.Signal.Reason == symptom {
				r := meta.FindStatusCondition(c.Status.Conditions, remediate.ConditionRecovered)
				if r != nil && r.Reason == reason {
					return nil
				}
				return fmt.Errorf("the condition is %+v", r)
			}
		}
		return fmt.Errorf("there is no Case")
	})
}

// quiet shows that nothing but the given subjects has a Case by the time that a Pod which no node can take has one.
func (h *house) quiet(but ...string) {
	h.t.Helper()
	h.create(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: "zz-marker"}, Spec: corev1.PodSpec{
		NodeSelector: map[string]string{"marker": "none"}, Containers: []corev1.Container{{Name: "app", Image: "registry.example/app:1"}}}})
	h.names("zz-marker", "Unschedulable", "node-selector", "marker=none")
	for _, c := range h.cases() {
		if name := c.Spec.Subject.Name; name != "zz-marker" && !strings.Contains(" "+strings.Join(but, " ")+" ", " "+name+" ") {
			h.t.Errorf("%s %s of %s is a Case: %s", c.Spec.Subject.Kind, name, c.Spec.Signal.Reason, c.Status.Summary)
		}
	}
}

// without shows that no Case is about a symptom.
func (h *house) without(symptom string) {
	h.t.Helper()
	for _, c := range h.cases() {
		if c.Spec.Signal.Reason == symptom {
			h.t.Errorf("%s of %s is a Case: %s", symptom, c.Spec.Subject.Name, c.Status.Summary)
		}
	}
}

func (h *house) list(o client.ObjectList) {
	h.t.Helper()
	if err := h.admin.List(h.t.Context(), o, client.InNamespace(h.namespace)); err != nil {
		h.t.Fatal(err)
	}
}

// unwritten shows that the judge wrote to no pod and no Deployment.
func (h *house) unwritten() {
	h.t.Helper()
	var pods corev1.PodList
	var deployments appsv1.DeploymentList
	h.list(&pods)
	h.list(&deployments)
	var all []string
	for i := range pods.Items {
		all = append(all, managers(&pods.Items[i])...)
	}
	for i := range deployments.Items {
		all = append(all, managers(&deployments.Items[i])...)
	}
	if strings.Contains(strings.Join(all, " "), judgeAgent) {
		h.t.Errorf("the judge wrote: %v", all)
	}
}

func asks(cpu, memory string) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
	}
}
