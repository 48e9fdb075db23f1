package remediate

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// revisionAnnotation is where a Deployment's controller writes the number of a revision.
const revisionAnnotation = "deployment.kubernetes.io/revision"

// revisions tells what a Deployment could go back to. The only proof that a revision works is that pods of it are available
// now: the API keeps no record of how one fared that has no pods any more.
func revisions(w *causes.World, beside sets) {
	evidence := gate.Evidence{ID: causes.EvidenceRevisions, Source: "revisions of " + w.Root.Kind + "/" + w.Root.Name, At: w.At, Trust: gate.FromAPI}
	switch {
	case w.Root.Group != appsv1.GroupName || w.Root.Kind != "Deployment":
		w.Earlier = gate.Known[*causes.Earlier](nil)
		evidence.Text = "going back is offered for Deployments only"
	case beside.unread != "":
		evidence.Unread = beside.unread
		w.Earlier = gate.Unknown[*causes.Earlier](evidence.Unread)
	default:
		earlier, why := before(beside.items, w.Root.UID, w.Revision)
		w.Earlier, evidence.Text = gate.Known(earlier), why
	}
	w.Evidence = append(w.Evidence, evidence)
}

// before is the revision that a Deployment had before the given one, and in words what is known of it.
func before(sets []appsv1.ReplicaSet, deployment, revision string) (*causes.Earlier, string) {
	var current, previous *appsv1.ReplicaSet
	for i := range sets {
		if owner := metav1.GetControllerOf(&sets[i]); owner == nil || string(owner.UID) != deployment {
			continue
		}
		if sets[i].Labels[appsv1.DefaultDeploymentUniqueLabelKey] == revision {
			current = &sets[i]
		}
	}
	if current == nil || number(current) == 0 {
		return nil, "the ReplicaSet of the failing revision was not found"
	}
	for i := range sets {
		s := &sets[i]
		if owner := metav1.GetControllerOf(s); owner == nil || string(owner.UID) != deployment || s.UID == current.UID {
			continue
		}
		switch n := number(s); {
		case n > number(current):
			return nil, fmt.Sprintf("revision %d is being replaced by revision %d already", number(current), n)
		case n > 0 && (previous == nil || n > number(previous)):
			previous = s
		}
	}
	if previous == nil {
		return nil, fmt.Sprintf("there is no revision before revision %d", number(current))
	}
	e := &causes.Earlier{Name: previous.Name, Number: number(previous), Failing: number(current), Available: previous.Status.AvailableReplicas,
		Edits: edits(current, previous)}
	if e.Available == 0 {
		return e, fmt.Sprintf("whether revision %d ran well is not known: no pod of it is available now", e.Number)
	}
	return e, fmt.Sprintf("revision %d still has %d available pods", e.Number, e.Available)
}

// number is a revision's number, or 0 if it has none that makes sense.
func number(s *appsv1.ReplicaSet) int64 {
	n, err := strconv.ParseInt(s.Annotations[revisionAnnotation], 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// edits are what going back changes: each image by name, and everything else by the names and digests of the two templates, because
// the values of other fields (environment variables above all) are never shown.
func edits(from, to *appsv1.ReplicaSet) []gate.Edit {
	var changes []gate.Edit
	a, b := from.Spec.Template.DeepCopy(), to.Spec.Template.DeepCopy()
	hash := appsv1.DefaultDeploymentUniqueLabelKey
	delete(a.Labels, hash)
	delete(b.Labels, hash)
	was := a.DeepCopy()
	changes = append(changes, images("spec.template.spec.initContainers", a.Spec.InitContainers, b.Spec.InitContainers)...)
	changes = append(changes, images("spec.template.spec.containers", a.Spec.Containers, b.Spec.Containers)...)
	if !equality.Semantic.DeepEqual(a, b) {
		changes = append(changes, cluster.TemplateEdit(from.Labels[hash], to.Labels[hash], was, b))
	}
	return changes
}

// imageText is what a container runtime can pull. Anything else that the API server takes for an image is not shown, whatever
// it would look like: it stays a difference between the templates, and that is shown by their hashes.
var imageText = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,255}(@sha256:[0-9a-f]{64})?$`)

// images are the edits of the images of containers that both sides have. It makes these images equal in a.
func images(path string, a, b []corev1.Container) []gate.Edit {
	var changes []gate.Edit
	for i := range a {
		for j := range b {
			if a[i].Name == b[j].Name && a[i].Image != b[j].Image && imageText.MatchString(a[i].Image) && imageText.MatchString(b[j].Image) {
				changes = append(changes, gate.Edit{Path: path + "[name=" + a[i].Name + "].image", Old: quoted(a[i].Image), New: quoted(b[j].Image)})
				a[i].Image = b[j].Image
			}
		}
	}
	return changes
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}
