package gate

import (
	"strings"
	"testing"
)

func TestRefReadsAsPeopleWriteIt(t *testing.T) {
	if got := web.String(); got != "Deployment/web in shop" {
		t.Error(got)
	}
	if got := (Ref{Kind: "Node", Name: "n1"}).String(); got != "Node/n1" {
		t.Error(got)
	}
}

func TestCaseNameKeepsTheWorkload(t *testing.T) {
	for name, want := range map[string]string{"web": "remediate-web-", "": "remediate-unnamed-", "---": "remediate-unnamed-", "Web.Shop_1": "remediate-web-shop-1-",
		strings.Repeat("z", 40): "remediate-" + strings.Repeat("z", 40) + "-", strings.Repeat("a", 41): "remediate-" + strings.Repeat("a", 40) + "-",
		"a0z9`/:{": "remediate-a0z9-"} {
		s := Signal{Face: FaceRemediate, Subject: Ref{Kind: "Deployment", Name: name}}
		if got := s.CaseName(); !strings.HasPrefix(got, want) || len(got) != len(want)+12 {
			t.Errorf("%q: %s, want %s and 12 digits", name, got, want)
		}
	}
	base := Signal{Face: FaceRemediate, Key: "k", Subject: web}
	for what, change := range map[string]func(*Signal){"face": func(s *Signal) { s.Face = FaceDrift }, "group": func(s *Signal) { s.Subject.Group = "" },
		"kind": func(s *Signal) { s.Subject.Kind = "DaemonSet" }, "namespace": func(s *Signal) { s.Subject.Namespace = "till" },
		"name": func(s *Signal) { s.Subject.Name = "api" }, "key": func(s *Signal) { s.Key = "l" }} {
		s := base
		if change(&s); s.CaseName()[len(s.CaseName())-12:] == base.CaseName()[len(base.CaseName())-12:] {
			t.Errorf("another %s, the same digits", what)
		}
	}
	same := base
	same.Subject.UID, same.Subject.Version, same.Text, same.Reason = "u9", "v2", "x", "y"
	if same.CaseName() != base.CaseName() {
		t.Error("the same happening is another Case")
	}
}
