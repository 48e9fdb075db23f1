package remediate

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

func hurt(namespace, name string) Key {
	return Key{Symptom: causes.ImagePull, Container: "app", Root: gate.Ref{Kind: "Deployment", Namespace: namespace, Name: name, UID: namespace + "-" + name}}
}

// TestWhatIsSharedIsOneHappeningWhenEnoughShareIt shows how many it takes, and where it is told.
func TestWhatIsSharedIsOneHappeningWhenEnoughShareIt(t *testing.T) {
	s := newShares()
	registry := causes.Share{Kind: "Registry", Name: "r.example", Cause: "registry-unreachable"}
	s.join(hurt("a", "1"), registry, noon)
	s.join(hurt("a", "1"), registry, noon)
	again := hurt("a", "1")
	again.Container = "sidecar"
	s.join(again, registry, noon)
	s.join(hurt("a", "2"), registry, noon)
	x := s.all[registry]
	if x.due() {
		t.Error("two workloads are enough, one of them with two containers")
	}
	if s.join(hurt("a", "3"), registry, noon); !x.due() || x.place() != "a" {
		t.Errorf("three in one namespace: %t, in %s", x.due(), x.place())
	}
	if s.join(hurt("b", "1"), registry, noon); x.place() != cluster.OwnNamespace {
		t.Errorf("in two namespaces it is told in %s", x.place())
	}
	x.home = x.place()
	for _, name := range []string{"1", "2"} {
		s.leave(hurt("a", name))
	}
	s.leave(again)
	if s.leave(hurt("b", "1")); !x.due() || x.place() != cluster.OwnNamespace {
		t.Error("what was told is not told any more while one is left, or somewhere else")
	}
	if other := x.key("a"); other.String() == (&sharing{share: causes.Share{Kind: "Registry", Name: "q.example"}}).key("a").String() {
		t.Error("two registries are one happening")
	}
}

// TestSharesAreBounded shows that whatever joins and leaves, a happening is a part of one share at most, and nothing is kept of what nobody
// shares.
func TestSharesAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShares()
		for range rapid.IntRange(0, 100).Draw(t, "steps") {
			k := hurt(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "namespace"), fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "name")))
			share := causes.Share{}
			if n := rapid.IntRange(0, 3).Draw(t, "share"); n > 0 {
				share = causes.Share{Kind: "Registry", Name: fmt.Sprint(n)}
			}
			s.join(k, share, noon.Add(time.Hour))
			if x := s.of[k.String()]; (x == nil) != (share.Name == "") || x != nil && x.share != share {
				t.Fatalf("%s shares %v, and joined %v", k, x, share)
			}
		}
		parts := 0
		for _, x := range s.all {
			if parts += len(x.members); len(x.members) == 0 {
				t.Fatal("a share that nobody has is kept")
			}
		}
		if parts != len(s.of) {
			t.Fatalf("%d are parts, and %d are known to be", parts, len(s.of))
		}
	})
}

// TestTheKeyOfWhatIsSharedIsReadBack shows that after a restart a Case leads back to what is shared.
func TestTheKeyOfWhatIsSharedIsReadBack(t *testing.T) {
	for _, share := range []causes.Share{{Kind: "Registry", Name: "r.example", Cause: "registry-unreachable"}, {Kind: "Registry", Namespace: "shop", Name: "r.example", Cause: "image-unauthorized"}, {Kind: "ConfigMap", Namespace: "shop", Name: "settings", Cause: "missing-config-map"},
		{Kind: "Namespace", Namespace: "shop", Name: "shop", Cause: "other"}} {
		k := (&sharing{share: share}).key("shop")
		got, ok := parseKey(k.Root, k.String())
		if !ok || got != k || !got.ofMany() || shareOf(got) != share {
			t.Errorf("%s was read as %+v", k, got)
		}
	}
}
