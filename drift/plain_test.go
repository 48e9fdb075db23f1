package drift

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestWhatTheAPIServerRepeatsIsNotPassedOn(t *testing.T) {
	const before = "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): "
	says := func(reason metav1.StatusReason, message string, causes ...metav1.StatusCause) error {
		return &apierrors.StatusError{ErrStatus: metav1.Status{Code: 500, Reason: reason, Message: message, Details: &metav1.StatusDetails{Causes: causes}}}
	}
	const refuses = "the API server refuses what Git says "
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"a field that is none", says("", before+".spec.replicaz: field not declared in schema"), refuses + "(status 500): .spec.replicaz: field not declared in schema"},
		{"a key of a list", says("", before+`.spec.ports[containerPort="hunter2",protocol="T]\"CP"].x: expected numeric (int or float), got string`), refuses + "(status 500): .spec.ports[…].x: expected numeric"},
		{"the name of a container", says("", before+`.spec.containers[name="app"].env[name="TOKEN"].value: expected string, got &{hunter2}`), refuses + `(status 500): .spec.containers[name="app"].env[name="TOKEN"].value: expected string`},
		{"a value that looks like a field", says("", before+"errors:\n  .spec.a: expected string, got x\n  .hunter2: field not declared in schema"), refuses + "(status 500): .spec.a: expected string"},
		{"words of any other shape", says("BadRequest", "strict decoding error: hunter2"), refuses + "(BadRequest)"},
		{"fields that are invalid", says("Invalid", "hunter2", metav1.StatusCause{Type: "FieldValueInvalid", Message: "hunter2", Field: "spec.containers[0].limits[hunter2]"}), refuses + "(Invalid): spec.containers[0].limits[…] (FieldValueInvalid)"},
		{"a webhook", says("Forbidden", `admission webhook "policy.example.com" denied the request: hunter2`), refuses + `(Forbidden), by the admission webhook "policy.example.com"`},
		{"a policy", says("Invalid", `deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'no-root' with binding 'b' denied request: hunter2`), refuses + "(Invalid), by the ValidatingAdmissionPolicy 'no-root'"},
		{"no time", fmt.Errorf("x: %w", context.DeadlineExceeded), "there was no time for it"},
		{"something else", errors.New("hunter2"), "it could not be asked for"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := plainly(test.err); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestFileNamesAreWhatTheyLookLike(t *testing.T) {
	for file, want := range map[string]string{"deploy/web-1.yaml": "deploy/web-1.yaml", "a b.yaml": `"a b.yaml"`, "a\u202elmay.x": `"almay.x"`,
		"x.yaml:1 - image: a + image: b": `"x.yaml:1 - image: a + image: b"`} {
		if got := fileName(file); got != want {
			t.Errorf("%q is shown as %s, want %s", file, got, want)
		}
	}
	l := looked(Drift{Path: fieldsOf("spec", "replicas"), Git: int64(2), Live: int64(5)})
	l.object.File = "a\u202e\u200bb.yaml"
	l.proposals, _ = propose(ground{files: map[string][]byte{"web.yaml": []byte(manifest)}}, l.object, l.drifts, nil)
	l.missed(evidenceLive, "live\u202e", time.Unix(1, 0), "why\u200b")
	for _, text := range []string{l.sentence(0), l.detail(0), menu(l)[0].Text, l.unread[0]} {
		for _, r := range text {
			if r == '\u202e' || r == '\u200b' {
				t.Errorf("%q keeps an invisible character", text)
			}
		}
	}
}
