package cluster

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// The verbs of the Actions that are carried out in the cluster.
const (
	VerbEvict    = "evict"
	VerbRollBack = "roll-back"
	VerbAnnotate = "annotate"
)

// annotationsOwner is the field manager of Moorgate's annotations.
const annotationsOwner = "moorgate"

// AnnotationPath is where an annotation stands, as the Path of an Edit.
func AnnotationPath(name string) string { return annotationPath + name + "]" }

const annotationPath = "metadata.annotations["

// RequestOf is the one call that carries an Action out: a pure function of its plan, so that whoever sends it can tell whether
// it is what was decided on. What amends a template needs more than its plan says, which hides values: that is Amend. A verb that is
// carried out in another way, and a plan that says more than its verb does, is an error.
func RequestOf(a gate.Action) (gate.Request, error) {
	switch {
	case a.Verb == VerbEvict && a.Reach == gate.ReachLive && len(a.Edits) == 0 && a.Base == "":
		return Eviction(a.Target)
	case a.Verb == gate.VerbHold || a.Verb == gate.VerbRelease:
		return delivering(a)
	case a.Verb == VerbAnnotate && a.Reach == gate.ReachMark && a.Base == "":
		return Annotations(a.Target, a.Edits)
	}
	return gate.Request{}, fmt.Errorf("%s %s, which reaches as far as %s, is nothing that is carried out by one call to the API server",
		gate.OneLine(a.Verb, 64), a.Target, a.Reach)
}

// object is what is sent of an object: its identity, and what little is to be said about it. The order of the fields and their
// form are part of what a Permit binds.
type object struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   identity `json:"metadata"`
}

type identity struct {
	Namespace   string            `json:"namespace"`
	Name        string            `json:"name"`
	UID         string            `json:"uid,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type eviction struct {
	object
	DeleteOptions struct {
		Preconditions struct {
			UID string `json:"uid"`
		} `json:"preconditions"`
	} `json:"deleteOptions"`
}

// Eviction asks for a pod to be evicted, so that disruption budgets hold, if it is still the pod with this UID: the same name may
// belong to another by then, as in a StatefulSet. There is no condition on the resourceVersion: every status that the kubelet
// writes moves it, a pod's spec is fixed, and what has become of the pod since it was looked at, a disruption budget or its own
// deletion, the API server weighs itself at that moment. The pod ends as it says itself: no grace period is given.
func Eviction(pod gate.Ref) (gate.Request, error) {
	if pod.Group != "" || pod.Version != "v1" || pod.Kind != "Pod" {
		return gate.Request{}, fmt.Errorf("evict %s: it is not a pod of v1", pod)
	}
	if err := pinned(pod); err != nil {
		return gate.Request{}, fmt.Errorf("evict %s: %w", pod, err)
	}
	e := eviction{object: object{APIVersion: "policy/v1", Kind: "Eviction", Metadata: identity{Namespace: pod.Namespace, Name: pod.Name}}}
	e.DeleteOptions.Preconditions.UID = pod.UID
	return written(http.MethodPost, "/api/v1/namespaces/"+pod.Namespace+"/pods/"+pod.Name+"/eviction", "application/json", e)
}

// rollouts are the kinds that are annotated, with their names in a path.
var rollouts = map[string]string{"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}

// Annotations applies annotations under moorgate.dev/ to a rollout, and nothing else, server-side, if it is still the one with this
// UID. Every one of ours is sent, because server-side apply takes away what its owner leaves out.
func Annotations(rollout gate.Ref, edits []gate.Edit) (gate.Request, error) {
	resource, known := rollouts[rollout.Kind]
	if !known || rollout.Group != "apps" || rollout.Version != "v1" {
		return gate.Request{}, fmt.Errorf("annotate %s: it is not a rollout of apps/v1", rollout)
	}
	if err := pinned(rollout); err != nil {
		return gate.Request{}, fmt.Errorf("annotate %s: %w", rollout, err)
	}
	o := object{APIVersion: "apps/v1", Kind: rollout.Kind, Metadata: identity{Namespace: rollout.Namespace, Name: rollout.Name,
		UID: rollout.UID, Annotations: map[string]string{}}}
	for _, e := range edits {
		name, inside := strings.CutPrefix(e.Path, annotationPath)
		name, closed := strings.CutSuffix(name, "]")
		if !inside || !closed || !strings.HasPrefix(name, v1alpha1.GroupVersion.Group+"/") {
			return gate.Request{}, fmt.Errorf("annotate %s: %s is no annotation of ours", rollout, gate.OneLine(e.Path, 100))
		}
		var value string
		if err := json.Unmarshal([]byte(e.New), &value); err != nil {
			return gate.Request{}, fmt.Errorf("annotate %s: read the new value of %s: %w", rollout, name, err)
		}
		o.Metadata.Annotations[name] = value
	}
	path := "/apis/apps/v1/namespaces/" + rollout.Namespace + "/" + resource + "/" + rollout.Name
	// What is sent is JSON, which is YAML too: every API server since 1.22 takes this content type.
	return written(http.MethodPatch, path+"?fieldManager="+annotationsOwner+"&force=true", "application/apply-patch+yaml", o)
}

var uid = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)

// pinned is why it cannot be said which object is meant. Names that pass need no escaping in a path.
func pinned(r gate.Ref) error {
	switch {
	case !uid.MatchString(r.UID):
		return fmt.Errorf("its UID is %q, so it could be another object by now", gate.OneLine(r.UID, 64))
	case len(validation.IsDNS1123Label(r.Namespace)) > 0:
		return fmt.Errorf("%q is no name of a namespace", gate.OneLine(r.Namespace, 100))
	case len(validation.IsDNS1123Subdomain(r.Name)) > 0:
		return fmt.Errorf("%q is no name of an object", gate.OneLine(r.Name, 300))
	}
	return nil
}

func written(method, path, contentType string, body any) (gate.Request, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return gate.Request{}, fmt.Errorf("write %s %s: %w", method, path, err)
	}
	return gate.Request{Method: method, Path: path, ContentType: contentType, Body: b}, nil
}
