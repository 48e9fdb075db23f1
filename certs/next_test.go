package certs

import (
	"net"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	birth = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	local = wish{terms: usual, names: []string{"moorgate-webhook.moorgate-system.svc"}, ips: []net.IP{net.IPv4(127, 0, 0, 1)}}
)

func mustNext(t testing.TB, w wish, s stored, now time.Time) (stored, []string) {
	t.Helper()
	n, why, err := w.next(s, now)
	if err != nil {
		t.Fatal(err)
	}
	return n, why
}

func TestNext(t *testing.T) {
	fresh, _ := mustNext(t, local, stored{}, birth)
	changing, _ := mustNext(t, local, fresh, birth.Add(usual.root-usual.rootAhead+time.Hour))
	keyless := stored{roots: []pair{{cert: fresh.roots[0].cert}}, leaf: fresh.leaf}
	stranger, _ := mustNext(t, local, stored{}, birth)
	for _, c := range []struct {
		name  string
		from  stored
		at    time.Duration // after birth
		wish  wish
		why   string // part of a reason; "" means nothing changes
		roots int
		leaf  bool // is the leaf a new one
	}{
		{"nothing is stored", stored{}, 0, local, "no root that can sign", 1, true},
		{"all is well", fresh, 0, local, "", 1, false},
		{"a third is nearly left", fresh, 59 * day, local, "", 1, false},
		{"a third is left", fresh, 61 * day, local, "due for renewal", 1, true},
		{"the leaf has expired", fresh, 91 * day, local, "expired", 1, true},
		{"the clock was put back an hour", fresh, -time.Hour, local, "", 1, false},
		{"the clock was put back a year", fresh, -365 * day, local, "no root that can sign", 2, true},
		{"the clock was put forward eleven years", fresh, 11 * 365 * day, local, "no root that can sign", 1, true},
		{"the root ends within a year", stored{roots: fresh.roots, leaf: fresh.leaf}, usual.root - usual.rootAhead + time.Hour, local, "the root ends on", 2, true},
		{"while the roots change, nothing else does", changing, usual.root - usual.rootAhead + 2*time.Hour, local, "", 2, false},
		{"the old root goes when its last leaf has ended", changing, usual.root - usual.rootAhead + 2*day + usual.leaf, local, "of no use any more", 1, true},
		{"another name is asked for", fresh, 0, wish{terms: usual, names: []string{"other.svc"}}, "not for other.svc", 1, true},
		{"another address is asked for", fresh, 0, wish{terms: usual, ips: []net.IP{net.IPv4(10, 0, 0, 1)}}, "not for 10.0.0.1", 1, true},
		{"the root's key is lost: the leaf stays", keyless, 0, local, "no root that can sign", 2, false},
		{"the leaf is from a stranger", stored{roots: fresh.roots, leaf: stranger.leaf}, 0, local, "not from one of our roots", 1, true},
		{"the leaf is lost", stored{roots: fresh.roots}, 0, local, "missing", 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := birth.Add(c.at)
			n, why := mustNext(t, c.wish, c.from, now)
			if said := strings.Join(why, "; "); (c.why == "") != (said == "") || !strings.Contains(said, c.why) {
				t.Errorf("reasons %q, want %q", said, c.why)
			}
			if len(n.roots) != c.roots {
				t.Errorf("%d roots, want %d", len(n.roots), c.roots)
			}
			if renewed := n.leaf.cert != c.from.leaf.cert; renewed != c.leaf {
				t.Errorf("leaf renewed: %v, want %v", renewed, c.leaf)
			}
			if problem := c.wish.problem(n.leaf, n.roots, now); problem != "" {
				t.Errorf("the next state is no good either: %s", problem)
			}
			if _, again := mustNext(t, c.wish, n, now); len(again) > 0 {
				t.Errorf("it does not settle: %q", again)
			}
		})
	}
}

// A new root signs nothing before it has been trusted for the overlap.
func TestNewRootWaitsBeforeItSigns(t *testing.T) {
	old, _ := mustNext(t, local, stored{}, birth)
	change := birth.Add(usual.root - usual.rootAhead + time.Hour)
	both, _ := mustNext(t, local, old, change)
	if both.leaf.cert.CheckSignatureFrom(both.roots[0].cert) != nil {
		t.Error("the leaf made while the roots change is not from the old root")
	}
	later, _ := mustNext(t, local, both, change.Add(61*day))
	if later.leaf.cert.CheckSignatureFrom(later.roots[1].cert) != nil {
		t.Error("the leaf made after the overlap is not from the new root")
	}
}

// Whatever the clock does, the next state is one that a client with the same clock accepts, and it settles.
func TestNextSurvivesAnyClock(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, now := stored{}, birth
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(-6000, 6000).Draw(rt, "days")) * day)
			if rapid.Bool().Draw(rt, "small") {
				now = now.Add(-now.Sub(birth) / 2)
			}
			n, _ := mustNext(t, local, s, now)
			if problem := local.problem(n.leaf, n.roots, now); problem != "" {
				rt.Fatalf("at %s: %s", now, problem)
			}
			if len(n.roots) > maxRoots {
				rt.Fatalf("%d roots", len(n.roots))
			}
			if _, again := mustNext(t, local, n, now); len(again) > 0 {
				rt.Fatalf("at %s it does not settle: %q", now, again)
			}
			files, err := n.files()
			if err != nil {
				rt.Fatal(err)
			}
			s = parse(files)
			if _, again := mustNext(t, local, s, now); len(again) > 0 {
				rt.Fatalf("at %s what is read back differs: %q", now, again)
			}
		}
	})
}

// Whatever is in the Store, the next state is a good one.
func FuzzParse(f *testing.F) {
	s, _, err := local.next(stored{}, birth)
	if err != nil {
		f.Fatal(err)
	}
	files, err := s.files()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(files[fileRoots], files[fileRootKeys], files[fileLeaf], files[fileLeafKey])
	f.Add(files[fileLeaf], files[fileLeafKey], files[fileRoots], files[fileRootKeys])
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), []byte("x"), []byte(nil), []byte(nil))
	f.Fuzz(func(t *testing.T, roots, rootKeys, leaf, leafKey []byte) {
		n, _ := mustNext(t, local, parse(map[string][]byte{fileRoots: roots, fileRootKeys: rootKeys, fileLeaf: leaf, fileLeafKey: leafKey}), birth)
		if problem := local.problem(n.leaf, n.roots, birth); problem != "" {
			t.Error(problem)
		}
	})
}

func TestHealth(t *testing.T) {
	s, _ := mustNext(t, local, stored{}, birth)
	for _, c := range []struct {
		name string
		at   time.Duration
		want State
	}{
		{"before its time", -2 * time.Hour, NotYet}, {"on a clock that is a little behind", -time.Minute, Fresh}, {"new", 0, Fresh},
		{"a third left", 60*day + time.Hour, Due}, {"on its last day", 90 * day, Due}, {"over", 90*day + time.Second, Expired},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Health(s.leaf.cert, birth.Add(c.at)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	if got := Health(nil, birth); got != Missing {
		t.Errorf("nothing is %s", got)
	}
}
