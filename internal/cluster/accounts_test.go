package cluster

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"moorgate.dev/api/v1alpha1"
)

func TestUnlisted(t *testing.T) {
	const pipeline = "system:serviceaccount:ci:pipeline"
	rail := func(spec string) unstructured.Unstructured {
		return *decoded(t, `{"metadata":{"name":"rail"},"spec":`+spec+`}`)
	}
	listed := `"approval":{"serviceAccounts":["` + pipeline + `"]}`
	shop, elsewhere := `"namespaceSelector":{"matchLabels":{"name":"shop"}}`, `"namespaceSelector":{"matchLabels":{"name":"till"}}`
	tests := []struct {
		name, account string
		guardrails    []unstructured.Unstructured
		why           string
	}{
		{"no Guardrail", pipeline, nil, "no Guardrail applies"},
		{"one that lists it", pipeline, []unstructured.Unstructured{rail(`{` + listed + `}`)}, ""},
		{"one that lists another", "system:serviceaccount:ci:other", []unstructured.Unstructured{rail(`{` + listed + `}`)}, "does not list it"},
		{"one of two", pipeline, []unstructured.Unstructured{rail(`{` + listed + `}`), rail(`{` + shop + `}`)}, "does not list it"},
		{"one that lists it and one for elsewhere", pipeline, []unstructured.Unstructured{rail(`{` + listed + `,` + shop + `}`), rail(`{` + elsewhere + `}`)}, ""},
		{"one for elsewhere that lists it", pipeline, []unstructured.Unstructured{rail(`{` + listed + `,` + elsewhere + `}`)}, "no Guardrail applies"},
		{"one whose selector cannot be read", pipeline, []unstructured.Unstructured{rail(`{` + listed + `,"namespaceSelector":{"matchNames":["till"]}}`)}, "cannot be said"},
		{"one whose selector makes no sense", pipeline, []unstructured.Unstructured{rail(`{` + listed + `,"namespaceSelector":{"matchLabels":{"no label":""}}}`)}, "cannot be said"},
		{"one with a field that nobody knows", pipeline, []unstructured.Unstructured{rail(`{` + listed + `,"except":["` + pipeline + `"]}`)}, "cannot be said"},
		{"one without a spec", pipeline, []unstructured.Unstructured{*decoded(t, `{"metadata":{"name":"rail"}}`)}, "cannot be said"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if why := unlistedBy(tt.guardrails, labels.Set{"name": "shop"}, tt.account); (why == "") != (tt.why == "") || !strings.Contains(why, tt.why) {
				t.Errorf("got %q, want %q", why, tt.why)
			}
		})
	}
	for user, want := range map[string]string{"system:serviceaccount:moorgate-system:moorgate-act": "no identity of Moorgate", "system:node:node-1": "no person", "system:anonymous": "no person"} {
		if why := (Guardrails{}).unlisted(t.Context(), "shop", user); !strings.Contains(why, want) {
			t.Errorf("%s: got %q", user, why)
		}
	}
}

// What the API server itself says of a fence is no change of it; what says no time may be one.
func TestUnchangedSince(t *testing.T) {
	at := func(hour int) *metav1.Time {
		return &metav1.Time{Time: time.Date(2026, 11, 26, hour, 0, 0, 0, time.UTC)}
	}
	entry := func(when *metav1.Time, subresource string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Time: when, Subresource: subresource}
	}
	tests := []struct {
		name    string
		entries []metav1.ManagedFieldsEntry
		since   int
		known   bool
	}{
		{"created", nil, 9, true},
		{"written when it was created", []metav1.ManagedFieldsEntry{entry(at(9), "")}, 9, true},
		{"written later", []metav1.ManagedFieldsEntry{entry(at(9), ""), entry(at(11), ""), entry(at(10), "")}, 11, true},
		{"its status written later", []metav1.ManagedFieldsEntry{entry(at(12), "status"), entry(nil, "status")}, 9, true},
		{"written at no time", []metav1.ManagedFieldsEntry{entry(nil, "")}, 9, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := &v1alpha1.Approval{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: *at(9), ManagedFields: tt.entries}}
			if since, known := unchangedSince(o); known != tt.known || !since.Equal(at(tt.since).Time) {
				t.Errorf("got %s, %t", since, known)
			}
		})
	}
	if why := (Standing{}).voids(at(9).Time); why == "" {
		t.Error("a Standing of which nothing is known vouches")
	}
	stands := Standing{since: at(9).Time}
	for after, vouched := range map[time.Duration]bool{-time.Hour: false, 0: false, bindTime: false, bindTime + 1: true} {
		if why := stands.voids(at(9).Add(after)); (why == "") != vouched {
			t.Errorf("%s after: got %q", after, why)
		}
	}
}
