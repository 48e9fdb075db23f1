package cluster_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

// heardBack keeps the last answer that came.
type heardBack struct {
	next http.RoundTripper
	body []byte
}

func (h *heardBack) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := h.next.RoundTrip(req)
	if err == nil {
		h.body, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close() // it was read to its end
		resp.Body = io.NopCloser(bytes.NewReader(h.body))
	}
	return resp, err
}

func TestATerseClientOpensCasesWhole(t *testing.T) {
	full, ns := admin(t)
	heard := &heardBack{}
	config := testcluster.Shared(t).Config()
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { heard.next = next; return heard })
	over, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Terse(full, config, over)
	if err != nil {
		t.Fatal(err)
	}
	cases := cluster.Cases{Client: c, Now: noon}
	j := judgement(ns)
	answer := &v1alpha1.Answer{Said: "Denied", User: "jane", Opinion: cluster.Opinion(j)}
	want := cluster.NewCase(j.Question.Signal, answer, map[string]string{v1alpha1.LabelTemplate: "abc"})
	_, fresh, err := cases.Open(t.Context(), j.Question.Signal, answer, map[string]string{v1alpha1.LabelTemplate: "abc"})
	if err != nil || !fresh {
		t.Fatalf("open: new %t, %v", fresh, err)
	}
	if bytes.Contains(heard.body, []byte("jane")) || !bytes.Contains(heard.body, []byte("PartialObjectMetadata")) {
		t.Errorf("it was told back %.400s", heard.body)
	}
	var stored v1alpha1.Case
	if err := full.Get(t.Context(), client.ObjectKeyFromObject(want), &stored); err != nil {
		t.Fatal(err)
	}
	if want.Spec.Signal.FirstSeen = stored.Spec.Signal.FirstSeen; !equality.Semantic.DeepEqual(stored.Spec, want.Spec) || !equality.Semantic.DeepEqual(stored.Labels, want.Labels) {
		t.Errorf("stored:\n%+v\nwant:\n%+v", stored, want)
	}
	if _, fresh, err := cases.Open(t.Context(), j.Question.Signal, answer, nil); err != nil || fresh {
		t.Errorf("the same once more: new %t, %v", fresh, err)
	}
	j.Question.Signal.Subject.Namespace = "nowhere"
	if _, _, err := cases.Open(t.Context(), j.Question.Signal, answer, nil); !apierrors.IsNotFound(err) {
		t.Errorf("in a namespace that is not there: %v", err)
	}
	j.Question.Signal.Subject.Namespace, j.Question.Signal.Key, answer.Said = ns, "another", "Nonsense"
	if _, _, err := cases.Open(t.Context(), j.Question.Signal, answer, nil); !apierrors.IsInvalid(err) {
		t.Errorf("one that its schema refuses: %v", err)
	}
}
