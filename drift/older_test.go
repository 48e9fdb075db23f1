package drift_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"moorgate.dev/drift"
)

// TestAnImageThatGitSaidBeforeIsToldOfOne has people roll back by hand to what Git said, and to what it never said.
func TestAnImageThatGitSaidBeforeIsToldOfOne(t *testing.T) {
	overlay := func(tag string) map[string]string {
		return overlaid(map[string]string{"deploy/kustomization.yaml": "resources:\n- ../base\nimages:\n- name: registry.example/shop/web\n  newTag: \"" + tag + "\"\n"})
	}
	plain := func(tag string) map[string]string {
		return map[string]string{"deploy/web.yaml": strings.Replace(web, "web:1.4", "web:"+tag, 1)}
	}
	for name, files := range map[string]func(string) map[string]string{"a plain folder": plain, "an overlay": overlay} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.commit(files("1.3"))
			s.commit(map[string]string{"deploy/other.txt": "between"})
			s.commit(files("1.5"))
			s.source(nil)
			s.kubectl(strings.Replace(web, "web:1.4", "web:1.5", 1), "apply", "-f", "-")
			s.round()
			asked := 0
			past := s.detector.Past
			s.detector.Past = func(ctx context.Context, r drift.Repository, commit string, files []string) (drift.Past, error) {
				asked++
				return past(ctx, r, commit, files)
			}
			image("1.3")(s)
			s.round()
			s.round()
			if k := s.onlyCase(); !strings.Contains(asJSON(k.Status.Findings), `"image-of-before"`) || k.Status.Cause != "emergency-fix" {
				t.Errorf("cause %s, findings %s", k.Status.Cause, asJSON(k.Status.Findings))
			}
			if asked != 1 {
				t.Errorf("the past was read %d times", asked)
			}
			image("1.2")(s)
			s.round()
			for _, k := range s.cases() {
				if strings.Contains(k.Spec.Signal.Text, "web:1.2") && strings.Contains(asJSON(k.Status.Findings), `"image-of-before"`) {
					t.Errorf("Git never said it: %s", asJSON(k.Status.Findings))
				}
			}
		})
	}
}

func TestAPastThatCannotBeReadIsNoImageOfBefore(t *testing.T) {
	s := newStage(t)
	s.commit(map[string]string{"deploy/web.yaml": strings.Replace(web, "web:1.4", "web:1.3", 1)})
	s.commit(map[string]string{"deploy/web.yaml": web})
	s.source(nil)
	s.kubectl(web, "apply", "-f", "-")
	s.round()
	asked := 0
	s.detector.Past = func(context.Context, drift.Repository, string, []string) (drift.Past, error) {
		asked++
		return drift.Past{}, errors.New("planted words of a server")
	}
	image("1.3")(s)
	s.round()
	s.round()
	if k := s.onlyCase(); strings.Contains(asJSON(k), "image-of-before") || strings.Contains(asJSON(k), "planted words") {
		t.Errorf("got %s", asJSON(k))
	}
	if asked != 1 {
		t.Errorf("it was asked for %d times", asked)
	}
}
