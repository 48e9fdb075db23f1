package checks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Hash names a pod template by its content, without what restarting it or running it once leaves behind: two templates
// with the same hash run the same thing. It is 16 hexadecimal digits, a valid label value.
func Hash(template corev1.PodTemplateSpec) string {
	// What the template of a workload can say of itself is only its labels and annotations; the rest of its metadata is
	// never passed on to pods.
	template.ObjectMeta = metav1.ObjectMeta{
		Labels: without(template.Labels, "pod-template-hash", "controller-revision-hash", "pod-template-generation",
			"rollouts-pod-template-hash", "controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"),
		Annotations: without(template.Annotations, "kubectl.kubernetes.io/restartedAt"),
	}
	b, err := json.Marshal(template)
	if err != nil {
		// A template that was decoded can be encoded; an empty hash equals no revision's and so is no rollback.
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// TemplateHash is Hash of a workload's template. It is worked out where nobody has yet: it costs more than most checks. Of a Pod
// the labels, the annotations and the node are left out: they are written while it runs, and its author can change nothing
// else of it.
func TemplateHash(w *Workload) string {
	if w.Hashed != "" {
		return w.Hashed
	}
	template := w.Template
	if w.Ref.Group == corev1.GroupName && w.Ref.Kind == "Pod" {
		template.Labels, template.Annotations, template.Spec.NodeName = nil, nil, ""
	}
	return Hash(template)
}

func without(m map[string]string, keys ...string) map[string]string {
	m = maps.Clone(m)
	for _, k := range keys {
		delete(m, k)
	}
	return m
}

// TemplateChanged reports whether the change makes new pods: a create, or any difference in the template. A restart is
// one, although it changes nothing that Hash sees.
func TemplateChanged(old *Workload, new Workload) bool {
	return old == nil || !equality.Semantic.DeepEqual(old.Template, new.Template)
}

// NoOp reports whether the change leaves alone everything that the checks look at.
func NoOp(old *Workload, new Workload) bool {
	if old == nil {
		return false
	}
	a, b := *old, new
	for _, w := range []*Workload{&a, &b} {
		w.Status, w.Revision, w.Ref.UID, w.Hashed = Status{}, "", "", ""
	}
	return equality.Semantic.DeepEqual(a, b)
}

// Normal is what an opinion about a pod template rests on: the template without annotations, and without labels that the
// workload does not select by. What an injector adds there at random is no other change; what a check finds about it is looked
// for anew each time.
func Normal(w Workload) corev1.PodTemplateSpec {
	template := w.Template
	kept := map[string]string{}
	if w.Selector != nil {
		for key := range w.Selector.MatchLabels {
			kept[key] = template.Labels[key]
		}
		for _, e := range w.Selector.MatchExpressions {
			if value, ok := template.Labels[e.Key]; ok {
				kept[e.Key] = value
			}
		}
	}
	template.Annotations, template.Labels = nil, kept
	return template
}

// Change is the hash of the workload's template as Normal has it.
func Change(w Workload) string { return Hash(Normal(w)) }
