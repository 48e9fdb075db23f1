package scenarios

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/webhook"
)

// got is what came of a change.
type got struct {
	out           string // what kubectl printed
	refused       error  // how kubectl ended
	c             v1alpha1.Case
	before, after *unstructured.Unstructured // the workload; nil where there is none
	annotations   error                      // why the workload is not annotated with the verdict
}

// String is everything that a reader of a failure wants to see.
func (g got) String() string {
	c := g.c.DeepCopy()
	c.ManagedFields = nil
	return fmt.Sprintf("kubectl says (%v):\n%s\nThe Case:\n%s", g.refused, g.out, asYAML(c))
}

// live is the workload as it is, nil if there is none.
func (p *place) live(u *unstructured.Unstructured) *unstructured.Unstructured {
	now := &unstructured.Unstructured{}
	now.SetGroupVersionKind(u.GroupVersionKind())
	if err := p.admin.Get(p.t.Context(), client.ObjectKey{Namespace: p.ns, Name: u.GetName()}, now); err != nil {
		return nil
	}
	return now
}

// annotated waits until the workload carries the verdict of the Case.
func (p *place) annotated(u *unstructured.Unstructured, name string) error {
	return p.until(p.t.Context(), func() error {
		var c v1alpha1.Case
		if err := p.admin.Get(p.t.Context(), client.ObjectKey{Namespace: p.ns, Name: name}, &c); err != nil {
			return err
		}
		now := p.live(u)
		if now == nil {
			return errors.New("there is no such workload")
		}
		return marked(now, c)
	})
}

// marked says whether the workload carries the verdict of the Case.
func marked(obj client.Object, c v1alpha1.Case) error {
	score := "unknown"
	if c.Status.Score != nil {
		score = strconv.Itoa(int(*c.Status.Score))
	}
	has := obj.GetAnnotations()
	if has[v1alpha1.AnnotationCase] != c.Name || has[v1alpha1.AnnotationScore] != score || has[v1alpha1.AnnotationVerdict] != c.Status.Decision {
		return fmt.Errorf("its annotations are %v, the Case %s has score %s and decision %s", has, c.Name, score, c.Status.Decision)
	}
	return nil
}

// compare says what is not as wanted, a line each.
func (s story) compare(g got) []string {
	var wrong []string
	differs := func(what string, wanted, got any) {
		wrong = append(wrong, fmt.Sprintf("  %s:\n    - wanted %v\n    + got    %v", what, wanted, got))
	}
	w, o := s.want, g.c.Spec.Answer.Opinion
	if said := g.c.Spec.Answer.Said; said != w.Answer {
		differs("answer", w.Answer, said)
	}
	if g.c.Status.Answer != g.c.Spec.Answer.Said {
		differs("status.answer of the Case", g.c.Spec.Answer.Said, g.c.Status.Answer)
	}
	score := int32(-1)
	if o.Score != nil {
		score = *o.Score
	}
	if w.Score != nil && score != *w.Score || w.ScoreAtMost != nil && score > *w.ScoreAtMost || w.ScoreAtLeast != nil && score < *w.ScoreAtLeast {
		differs("score", bounds(w), score)
	}
	for _, id := range slices.Sorted(maps.Keys(w.Findings)) {
		has := func(f v1alpha1.Finding) bool { return f.ID == id && strings.Contains(f.Text, w.Findings[id]) }
		if !slices.ContainsFunc(o.Findings, has) {
			differs("findings", id+": …"+w.Findings[id]+"…", textsOf(o.Findings))
		}
	}
	for _, id := range s.absent() {
		if slices.ContainsFunc(o.Findings, func(f v1alpha1.Finding) bool { return f.ID == id }) {
			differs("findings", "nothing from "+id, textsOf(o.Findings))
		}
	}
	if !slices.Equal(w.Unread, o.Unread) {
		differs("unread", w.Unread, o.Unread)
	}
	for _, part := range w.Says {
		if !strings.Contains(g.out, part) {
			differs("kubectl's output", part, "see below")
		}
	}
	return append(wrong, s.promises(g)...)
}

func bounds(w want) string {
	var all []string
	for _, b := range []struct {
		word string
		n    *int32
	}{{"", w.Score}, {"at least ", w.ScoreAtLeast}, {"at most ", w.ScoreAtMost}} {
		if b.n != nil {
			all = append(all, fmt.Sprintf("%s%d", b.word, *b.n))
		}
	}
	return strings.Join(all, ", ")
}

// absent are the checks that must find nothing.
func (s story) absent() []string {
	if s.fails() {
		return s.want.Absent
	}
	return append(slices.Clone(s.want.Absent), s.check)
}

func textsOf(findings []v1alpha1.Finding) string {
	lines := []string{"nothing"}
	for _, f := range findings {
		lines = append(lines[:min(len(lines), len(findings))], fmt.Sprintf("%s (%d points): %s", f.ID, f.Points, f.Text))
	}
	return strings.Join(lines[min(1, len(findings)):], "\n             ")
}

// promises are what holds whatever a story is about: who is refused starts nothing and is told where to read on, who is
// warned is let in and told, and who is admitted hears nothing. What is let in carries its verdict.
func (s story) promises(g got) []string {
	var wrong []string
	must := func(holds bool, otherwise string) {
		if !holds {
			wrong = append(wrong, "  "+otherwise)
		}
	}
	names := strings.Contains(g.out, g.c.Name)
	switch g.c.Spec.Answer.Said {
	case webhook.Denied:
		must(g.refused != nil, "the answer is Denied, and kubectl succeeded")
		must(names, "the refusal does not name the Case "+g.c.Name)
		must(g.before != nil || g.after == nil, "what was refused exists")
		must(g.before == nil || g.after != nil && g.after.GetGeneration() == g.before.GetGeneration(), "what was refused has changed the workload")
	case webhook.Warned:
		must(g.refused == nil, "the answer is Warned, and kubectl failed")
		must(names && strings.Contains(g.out, "Warning: moorgate: "), "kubectl does not warn, or does not name the Case "+g.c.Name)
	default:
		must(g.refused == nil, "the answer is Admitted, and kubectl failed")
		must(!strings.Contains(g.out, "Warning: moorgate: "), "the answer is Admitted, and kubectl warns")
	}
	must(g.annotations == nil, fmt.Sprintf("the workload does not carry its verdict: %v", g.annotations))
	return wrong
}

// asYAML is for people who read why a test failed.
func asYAML(v any) string {
	b, err := json.Marshal(v)
	if err == nil {
		b, err = yaml.JSONToYAML(b)
	}
	if err != nil {
		return err.Error()
	}
	return string(b)
}
