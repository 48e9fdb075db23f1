package drift_test

import (
	"strings"
	"testing"
	"time"
)

const shopImage = "registry.example/shop/web:"

func version(v string) string { return strings.Replace(web, "web:1.4", "web:"+v, 1) }

// A hotfix that Git has adopted since leaves the person as the owner of the field: kubectl apply of the same value takes
// nothing over.
func TestAReleaseThatIsNotDeliveredYetIsNotReverted(t *testing.T) {
	released := time.Now().Add(time.Hour)
	tests := []struct {
		name  string
		at    time.Time // of the release
		after func(*stage)
	}{
		{"the release is the newer", released, nil},
		{"what was delivered last tells it, whatever the clocks say", time.Unix(2, 0), nil},
		{"the same person changes something else later", time.Unix(2, 0), func(s *stage) {
			s.kubectl("", "annotate", "deployment/web", "note=x", "--field-manager=kubectl-set")
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := deployed(t, web)
			s.kubectl("", "set", "image", "deployment/web", "app="+shopImage+"1.5")
			s.commit(map[string]string{"deploy/web.yaml": version("1.5")})
			s.kubectl(version("1.5"), "apply", "-f", "-")
			s.round()
			if test.after != nil {
				test.after(s)
			}
			s.commitAt(test.at, map[string]string{"deploy/web.yaml": version("1.6")})
			for _, restart := range []bool{false, true} {
				if restart {
					s.detector = s.detectorAs(s.judge)
				}
				s.round()
				k := s.onlyCase()
				if k.Status.Cause != "git-may-be-ahead" || len(k.Status.Chosen) != 0 || k.Status.Menu[0].ID == "adopt" || k.Status.Score != nil {
					t.Errorf("restarted %t: %s", restart, asJSON(k.Status))
				}
			}
		})
	}
}

// Delivery that leaves no annotation, as helm's does: the times alone tell.
func TestAChangeThatIsOlderThanGitsWordIsNotAdopted(t *testing.T) {
	s := newStage(t)
	s.source(nil)
	s.kubectl(web, "create", "-f", "-")
	s.kubectl("", "set", "image", "deployment/web", "app="+shopImage+"1.5")
	s.commitAt(time.Now().Add(time.Hour), map[string]string{"deploy/web.yaml": version("1.6")})
	s.round()
	if k := s.onlyCase(); k.Status.Cause != "git-may-be-ahead" || len(k.Status.Chosen) != 0 {
		t.Errorf("got %s", asJSON(k.Status))
	}
}

func TestACommitThatLeavesTheManifestAloneChangesNothing(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "set", "image", "deployment/web", "app="+shopImage+"1.5")
	s.round()
	s.commitAt(time.Now().Add(time.Hour), map[string]string{"deploy/notes.yaml": "a: 1\n"})
	s.round()
	if k := s.onlyCase(); k.Status.Cause != "changed-by-person" || asJSON(k.Status.Chosen) != `["adopt"]` {
		t.Errorf("got %s", asJSON(k.Status))
	}
}

func TestAChangeThatWasSeenToHappenNeedsNoTime(t *testing.T) {
	s := newStage(t)
	s.commitAt(time.Now().Add(time.Hour), map[string]string{"deploy/web.yaml": web})
	s.source(nil)
	s.kubectl(web, "create", "-f", "-")
	s.round()
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	s.round()
	if k := s.onlyCase(); asJSON(k.Status.Chosen) != `["adopt"]` {
		t.Errorf("the field was seen as Git has it, and then it changed: %s", asJSON(k.Status))
	}
	s.detector = s.detectorAs(s.judge)
	s.round()
	if k := s.onlyCase(); k.Status.Cause != "git-may-be-ahead" || !strings.Contains(k.Status.Findings[0].Text, "no time") {
		t.Errorf("who did not see it cannot say which came first: %s", asJSON(k.Status))
	}
}

// The annotation of kubectl apply survives a restart: Git's word was delivered, so what is live came after it.
func TestAChangeAfterADeliveryIsKnownAfterARestart(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	s.commitAt(time.Now().Add(time.Hour), map[string]string{"deploy/notes.yaml": "a: 1\n"})
	s.detector = s.detectorAs(s.judge)
	s.round()
	if k := s.onlyCase(); k.Status.Cause != "changed-by-person" || asJSON(k.Status.Chosen) != `["adopt"]` {
		t.Errorf("got %s", asJSON(k.Status))
	}
}

// The hotfix was adopted, and then Git took it back, which is not delivered yet: the annotation says what Git says again.
func TestARevertInGitIsNotUndone(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "set", "image", "deployment/web", "app="+shopImage+"1.5")
	s.commit(map[string]string{"deploy/web.yaml": version("1.5")})
	s.round()
	s.commitAt(time.Now().Add(time.Hour), map[string]string{"deploy/web.yaml": web})
	s.round()
	if k := s.onlyCase(); k.Status.Cause != "git-may-be-ahead" || len(k.Status.Chosen) != 0 {
		t.Errorf("got %s", asJSON(k.Status))
	}
}
