package webhook

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

func TestMarkWritesOnlyWhatIsOurs(t *testing.T) {
	ref := gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "u1"}
	c := &v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "webhook-web-1"},
		Spec: v1alpha1.CaseSpec{Answer: &v1alpha1.Answer{Said: Warned, Opinion: v1alpha1.Opinion{Decision: "Hold", Score: new(int32(70))}}}}
	plan, changes := mark(ref, map[string]string{"other": "kept", v1alpha1.AnnotationTemplate: "old"}, c, "new")
	if !changes {
		t.Fatal("nothing changes")
	}
	u, err := markedObject(plan)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{v1alpha1.AnnotationScore: "70", v1alpha1.AnnotationVerdict: "Hold", v1alpha1.AnnotationCase: "webhook-web-1", v1alpha1.AnnotationTemplate: "new"}
	if got := u.GetAnnotations(); len(got) != len(want) {
		t.Errorf("%v", got)
	}
	for k, v := range want {
		if u.GetAnnotations()[k] != v {
			t.Errorf("%s is %q, want %q", k, u.GetAnnotations()[k], v)
		}
	}
	if len(u.Object) != 3 || u.GetUID() != "u1" { // apiVersion, kind, metadata
		t.Errorf("%v", u.Object)
	}
	if _, again := mark(ref, want, c, "new"); again {
		t.Error("what is there already is written again")
	}
	c.Status.Opinion = v1alpha1.Opinion{Decision: "Allow", Score: new(int32(95))}
	if _, again := mark(ref, want, c, "new"); !again {
		t.Error("a newer opinion is not written")
	}
}

func TestMarkedObjectRefusesEverythingElse(t *testing.T) {
	good := gate.Action{Target: gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Name: "web", UID: "u"},
		Edits: []gate.Edit{{Path: "metadata.annotations[moorgate.dev/readiness-score]", New: `"1"`}}}
	if _, err := markedObject(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*gate.Action){
		"a field":               func(a *gate.Action) { a.Edits[0].Path = "spec.replicas" },
		"another's annotation":  func(a *gate.Action) { a.Edits[0].Path = "metadata.annotations[example.com/x]" },
		"a look-alike":          func(a *gate.Action) { a.Edits[0].Path = "metadata.annotations[moorgate.dev.example.com/x]" },
		"an open bracket":       func(a *gate.Action) { a.Edits[0].Path = "metadata.annotations[moorgate.dev/x" },
		"a value of other type": func(a *gate.Action) { a.Edits[0].New = "1" },
		"an object without UID": func(a *gate.Action) { a.Target.UID = "" },
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			bad.Edits = []gate.Edit{good.Edits[0]}
			spoil(&bad)
			if u, err := markedObject(bad); err == nil {
				t.Errorf("%v", u)
			}
		})
	}
}

func TestAPermitIsForOnePlanOnly(t *testing.T) {
	plan := gate.Action{Target: gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Name: "web", UID: "u"}, Reach: gate.ReachMark}
	if outcome, err := (marker{}).Act(t.Context(), gate.Permit{}, plan); err == nil || outcome != gate.OutcomeRefused {
		t.Errorf("%s, %v", outcome, err)
	}
}

func TestTouchedIsWhenTheTemplateWasLastWritten(t *testing.T) {
	entry := func(minutes int, fields, subresource string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Time: new(metav1.NewTime(noon.Add(time.Duration(minutes) * time.Minute))), Subresource: subresource, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	d := deployment("shop", "web")
	d.ManagedFields = []metav1.ManagedFieldsEntry{
		entry(1, `{"f:spec":{"f:template":{"f:spec":{}}}}`, ""), entry(2, `{"f:metadata":{"f:annotations":{}}}`, ""),
		entry(3, `{"f:spec":{"f:template":{}}}`, "status"), entry(4, `broken`, ""), {}}
	if got := touched(d, noon); !got.Equal(noon.Add(time.Minute)) {
		t.Error(got)
	}
	if got := touched(deployment("shop", "web"), noon); !got.Equal(noon) {
		t.Error(got)
	}
}
