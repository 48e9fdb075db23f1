package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// The law: what a rollout's pods are made from is changed as a whole or not at all, and only if nobody has touched the object since it
// was looked at. The request says what the object is (UID and resourceVersion) and what its template is, and the API server compares
// them itself. Beside the template it leaves one mark on the object, by which whoever takes over sees that this very request went
// through. The bytes are checked against the plan before they are sent: whatever they change that the plan does not say is refused.

// jsonPatch is the content type of every amendment.
const jsonPatch = "application/json-patch+json"

// Amendment is a change of a rollout's pod template, each side as the API server writes it.
type Amendment struct {
	ResourceVersion string
	Old, New        json.RawMessage
	// Bare is whether the rollout has no annotations at all.
	Bare bool
}

type patchOp struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

const (
	annotationsPointer = "/metadata/annotations"
	markPointer        = annotationsPointer + "/moorgate.dev~1last-action"
	templatePointer    = "/spec/template"
)

// amended are the kinds of which each verb may change the template.
var amended = map[string][]string{VerbRollBack: {"Deployment"}}

// Amends is whether a verb changes a rollout's template.
func Amends(verb string) bool { return amended[verb] != nil }

// Amend asks for a rollout's template to become another. It is an error where the change is not exactly what the plan says.
func Amend(plan gate.Action, m Amendment) (gate.Request, error) {
	r := plan.Target
	if !slices.Contains(amended[plan.Verb], r.Kind) || r.Group != "apps" || r.Version != "v1" || plan.Reach != gate.ReachLive || plan.Base != "" {
		return gate.Request{}, fmt.Errorf("%s %s: nothing of the kind is done to it", gate.OneLine(plan.Verb, 64), r)
	}
	if err := pinned(r); err != nil {
		return gate.Request{}, fmt.Errorf("%s %s: %w", plan.Verb, r, err)
	}
	if m.ResourceVersion == "" {
		return gate.Request{}, fmt.Errorf("%s %s: its resourceVersion is not known, so somebody could have changed it", plan.Verb, r)
	}
	if err := means(plan, m); err != nil {
		return gate.Request{}, fmt.Errorf("%s %s: %w", plan.Verb, r, err)
	}
	mark := markOf(plan, m.ResourceVersion)
	marking := patchOp{"add", markPointer, quoted(mark)}
	if m.Bare {
		marking = patchOp{"add", annotationsPointer, json.RawMessage(`{"` + v1alpha1.AnnotationLastAction + `":"` + mark + `"}`)}
	}
	path := "/apis/apps/v1/namespaces/" + r.Namespace + "/" + rollouts[r.Kind] + "/" + r.Name + "?fieldManager=" + annotationsOwner
	return written(http.MethodPatch, path, jsonPatch, []patchOp{{"test", "/metadata/uid", quoted(r.UID)}, {"test", "/metadata/resourceVersion", quoted(m.ResourceVersion)},
		{"test", templatePointer, m.Old}, {"replace", templatePointer, m.New}, marking})
}

// Mark is what a plan's Request leaves on the object, and the digests of the template that it takes for granted and of the one that it
// sets. They are empty where it does not amend one.
func Mark(plan gate.Action) (mark, was, is string) {
	m, err := amendmentIn(plan.Request)
	if !Amends(plan.Verb) || err != nil {
		return "", "", ""
	}
	from, err1 := template(m.Old)
	to, err2 := template(m.New)
	if errors.Join(err1, err2) != nil {
		return "", "", ""
	}
	return markOf(plan, m.ResourceVersion), TemplateDigest(from), TemplateDigest(to)
}

// markOf tells one request from every other: of one plan, from one state of the object.
func markOf(plan gate.Action, resourceVersion string) string {
	sum := sha256.Sum256([]byte(plan.PlanDigest() + " at " + resourceVersion))
	return hex.EncodeToString(sum[:16])
}

// amendmentIn reads the amendment out of a Request.
func amendmentIn(q *gate.Request) (Amendment, error) {
	if q == nil {
		return Amendment{}, errors.New("it has no request")
	}
	var ops []patchOp
	if err := json.Unmarshal(q.Body, &ops); err != nil {
		return Amendment{}, fmt.Errorf("read its request: %w", err)
	}
	if len(ops) != 5 {
		return Amendment{}, fmt.Errorf("its request has %d steps, and an amendment has 5", len(ops))
	}
	m := Amendment{Old: ops[2].Value, New: ops[3].Value, Bare: ops[4].Path == annotationsPointer}
	if err := json.Unmarshal(ops[1].Value, &m.ResourceVersion); err != nil {
		return Amendment{}, fmt.Errorf("read the resourceVersion in its request: %w", err)
	}
	return m, nil
}

// TemplateDigest is a hash of a pod template: "sha256:" and 64 hexadecimal digits.
func TemplateDigest(t *corev1.PodTemplateSpec) string {
	b, err := json.Marshal(t)
	if err != nil {
		return "" // plain data can always be written
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func quoted(s string) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		return json.RawMessage(`""`) // text can always be written
	}
	return b
}
