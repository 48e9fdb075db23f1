package cluster

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"moorgate.dev/internal/gate"
)

func TestRequestsAreExact(t *testing.T) {
	pod, err := Eviction(web1)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"namespace":"shop","name":"web-1"},"deleteOptions":{"preconditions":{"uid":"` + web1.UID + `"}}}`
	if pod.Method != http.MethodPost || pod.Path != "/api/v1/namespaces/shop/pods/web-1/eviction" || pod.ContentType != "application/json" || string(pod.Body) != want {
		t.Errorf("%+v %s", pod, pod.Body)
	}
	rollout := gate.Ref{Group: "apps", Version: "v1", Kind: "StatefulSet", Namespace: "shop", Name: "db.main", UID: "u-1"}
	marks, err := Annotations(rollout, []gate.Edit{{Path: "metadata.annotations[moorgate.dev/b]", New: `"2"`}, {Path: "metadata.annotations[moorgate.dev/a]", Old: `"0"`, New: `"1"`}})
	if err != nil {
		t.Fatal(err)
	}
	want = `{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"namespace":"shop","name":"db.main","uid":"u-1","annotations":{"moorgate.dev/a":"1","moorgate.dev/b":"2"}}}`
	if marks.Method != http.MethodPatch || marks.Path != "/apis/apps/v1/namespaces/shop/statefulsets/db.main?fieldManager=moorgate&force=true" ||
		marks.ContentType != "application/apply-patch+yaml" || string(marks.Body) != want {
		t.Errorf("%+v %s", marks, marks.Body)
	}
}

// A model's output once changed name or namespace. Here an identity is pinned by its UID, and what would lead a path astray is
// no name.
func TestL05IdentityIsPinned(t *testing.T) {
	odd := []string{"", "..", ".", "web/1", "web%2f1", "web-1/eviction", "web?x=y", "web#x", "Web", "web 1", "web\n1", "wéb", "-web", strings.Repeat("a", 254)}
	for _, name := range odd {
		for what, spoil := range map[string]func(*gate.Ref){"name": func(r *gate.Ref) { r.Name = name }, "namespace": func(r *gate.Ref) { r.Namespace = name }} {
			pod, rollout := web1, gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "u"}
			spoil(&pod)
			spoil(&rollout)
			if r, err := Eviction(pod); err == nil {
				t.Errorf("the %s %q: %+v", what, name, r)
			}
			if r, err := Annotations(rollout, nil); err == nil {
				t.Errorf("the %s %q: %+v", what, name, r)
			}
		}
	}
	for name, spoil := range map[string]func(*gate.Ref){
		"no UID":          func(r *gate.Ref) { r.UID = "" },
		"an odd UID":      func(r *gate.Ref) { r.UID = `x"}` },
		"another kind":    func(r *gate.Ref) { r.Kind = "Node" },
		"another group":   func(r *gate.Ref) { r.Group = "example.com" },
		"another version": func(r *gate.Ref) { r.Version = "v2" },
	} {
		pod, rollout := web1, gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "u"}
		spoil(&pod)
		spoil(&rollout)
		if r, err := Eviction(pod); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
		if r, err := Annotations(rollout, nil); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestOnlyOurAnnotationsAreWritten(t *testing.T) {
	good := gate.Edit{Path: AnnotationPath("moorgate.dev/readiness-score"), New: `"1"`}
	for name, spoil := range map[string]func(*gate.Edit){
		"a field":               func(e *gate.Edit) { e.Path = "spec.replicas" },
		"another's annotation":  func(e *gate.Edit) { e.Path = "metadata.annotations[example.com/x]" },
		"a look-alike":          func(e *gate.Edit) { e.Path = "metadata.annotations[moorgate.dev.example.com/x]" },
		"an open bracket":       func(e *gate.Edit) { e.Path = "metadata.annotations[moorgate.dev/x" },
		"a value of other type": func(e *gate.Edit) { e.New = "1" },
		"no value":              func(e *gate.Edit) { e.New = "" },
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			spoil(&bad)
			a := gate.Action{Verb: VerbAnnotate, Reach: gate.ReachMark, Edits: []gate.Edit{bad},
				Target: gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "u"}}
			if r, err := RequestOf(a); err == nil {
				t.Errorf("%s", r.Body)
			}
		})
	}
}

func FuzzEvictionStaysInItsPlace(f *testing.F) {
	f.Add("shop", "web-1", "u-1")
	f.Add("shop/../kube-system", "web-1/eviction?", `"},"x":{"`)
	f.Fuzz(func(t *testing.T, namespace, name, uid string) {
		r, err := Eviction(gate.Ref{Version: "v1", Kind: "Pod", Namespace: namespace, Name: name, UID: uid})
		if err != nil {
			return
		}
		parts := strings.Split(r.Path, "/")
		var body struct {
			Metadata      struct{ Namespace, Name string }
			DeleteOptions struct{ Preconditions struct{ UID string } }
		}
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatal(err)
		}
		if len(parts) != 8 || parts[4] != namespace || parts[6] != name || strings.ContainsAny(r.Path, "?%# ") ||
			body.Metadata.Namespace != namespace || body.Metadata.Name != name || body.DeleteOptions.Preconditions.UID != uid {
			t.Errorf("%s %s", r.Path, r.Body)
		}
	})
}
