package webhook

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/api/v1alpha1"
)

func TestWhatWasAnsweredSpeaksBeforeWhatWasJudgedAfterwards(t *testing.T) {
	at := func(name, said string, after time.Duration) v1alpha1.Case {
		return v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(noon.Add(after))},
			Spec: v1alpha1.CaseSpec{Answer: &v1alpha1.Answer{Said: said}}}
	}
	tests := []struct {
		name  string
		cases []v1alpha1.Case
		want  string
	}{
		{"nobody, where nothing was let in", []v1alpha1.Case{at("a", Denied, 0), {}}, ""},
		{"the newest answer", []v1alpha1.Case{at("a", Admitted, 0), at("b", Warned, time.Second), at("c", Denied, time.Minute)}, "b"},
		{"an answer of the same second", []v1alpha1.Case{at("a", Warned, 0), at("z", SlippedThrough, 0)}, "a"},
		{"an answer, although the other Case is newer", []v1alpha1.Case{at("a", Warned, 0), at("z", SlippedThrough, time.Second)}, "a"},
		{"what slipped through, where nothing was answered", []v1alpha1.Case{at("z", SlippedThrough, 0)}, "z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if c := speaker(tt.cases); c != nil {
				got = c.Name
			}
			if got != tt.want {
				t.Errorf("%q speaks, want %q", got, tt.want)
			}
		})
	}
}
