package webhook

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
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
	request, err := cluster.RequestOf(plan)
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(request.Body); err != nil {
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
