package drift

import (
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
)

// TestACaseOfManyIsBounded has more objects than a Case may name, under names as long as names get.
func TestACaseOfManyIsBounded(t *testing.T) {
	m := many{reason: reasonDeletedTogether}
	for i := range 300 {
		m.objects = append(m.objects, gate.Ref{Kind: "ConfigMap", Name: fmt.Sprintf("%03d-%s", i, strings.Repeat("x", 240)), UID: "1"})
	}
	m.complete(client.ObjectKey{Namespace: "shop", Name: "shop"}, tree{})
	if named := m.named(); len(named) != mostNamed || named[99].Name != m.objects[99].Name {
		t.Errorf("%d are named", len(named))
	}
	if text := m.sentence(); !strings.HasPrefix(text, "the cluster no longer has 300 objects") || !strings.HasSuffix(text, "and 295 more") {
		t.Errorf("it says %q", text)
	}
	if text := m.finding().Text; len(text) > 256 {
		t.Errorf("a finding of %d characters", len(text))
	}
}

func TestOneWhoWasSeenStandsForAllOnlyWhereTheyDidAll(t *testing.T) {
	alice, bob := Owner{User: "alice"}, Owner{User: "bob"}
	for _, tt := range []struct {
		by   []Owner
		want string
	}{{nil, ""}, {[]Owner{alice, alice}, "alice"}, {[]Owner{alice, {}}, ""}, {[]Owner{{}, alice}, ""}, {[]Owner{alice, bob}, ""}} {
		if got := (many{by: tt.by}).seen().User; got != tt.want {
			t.Errorf("%v: %q, want %q", tt.by, got, tt.want)
		}
	}
}

func TestWhatSaysThatAnObjectStays(t *testing.T) {
	s := stay{"argocd.argoproj.io/sync-options", "prune=false"}
	for text, want := range map[string]bool{"Prune=false": true, "Validate=false, Prune=false": true, "Prune=falsely": false, "": false, "Prune=confirm": false} {
		if s.in(text) != want {
			t.Errorf("%q: %t", text, !want)
		}
	}
}

// TestWhatIsWatchedKeepsItsMark has two objects of one delivery share their labels, and an object of none keep none.
func TestWhatIsWatchedKeepsItsMark(t *testing.T) {
	var s slimmer
	one := s.mark(map[string]string{fluxName: "apps", fluxNamespace: "flux-system", "app": "web"})
	if len(one) != 2 || one[fluxName] != "apps" || s.mark(map[string]string{"app": "web"}) != nil {
		t.Errorf("got %v", one)
	}
	for i := range 2 * mostMarks {
		s.mark(map[string]string{fluxName: fmt.Sprint(i)})
	}
	if len(s.marks) > mostMarks {
		t.Errorf("%d are kept", len(s.marks))
	}
}
