package remediate

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

func TestIntakeHandsOutABurstOnce(t *testing.T) {
	i := newIntake(10)
	web := subject{namespace: "a", name: "web"}
	for n := range 5 {
		i.add(web, noon.Add(time.Duration(n)*time.Second))
	}
	if due := i.due(noon.Add(4*time.Second), 5*time.Second); len(due) != 0 {
		t.Errorf("%v did not wait", due)
	}
	if due := i.due(noon.Add(5*time.Second), 5*time.Second); len(due) != 1 || due[0] != web {
		t.Errorf("due is %v", due)
	}
	if due := i.due(noon.Add(time.Hour), 5*time.Second); len(due) != 0 {
		t.Errorf("%v is due twice", due)
	}
}

func TestIntakeSaysWhatDidNotFit(t *testing.T) {
	i := newIntake(2)
	for n := range 5 {
		i.add(subject{name: fmt.Sprint(n)}, noon)
	}
	if lost := i.overflow(); lost != 3 || i.overflow() != 0 {
		t.Errorf("lost %d", lost)
	}
}

func key(n int) Key {
	return Key{Symptom: causes.CrashLoop, Root: gate.Ref{UID: fmt.Sprint(n)}, Container: "app"}
}

func TestMemoryJudgesOnceInAWindow(t *testing.T) {
	m := newMemory(10, time.Hour)
	m.keep(key(1), "shape", "", noon)
	for name, c := range map[string]struct {
		key  Key
		at   time.Time
		want bool
	}{
		"the same":              {key(1), noon.Add(59 * time.Minute), true},
		"the same, much later":  {key(1), noon.Add(time.Hour), false},
		"another":               {key(2), noon, false},
		"another container":     {Key{Symptom: causes.CrashLoop, Root: gate.Ref{UID: "1"}, Container: "sidecar"}, noon, false},
		"another revision":      {Key{Symptom: causes.CrashLoop, Root: gate.Ref{UID: "1"}, Container: "app", Revision: "x"}, noon, false},
		"the same by its owner": {Key{Symptom: causes.CrashLoop, Root: gate.Ref{UID: "1", Name: "renamed"}, Container: "app"}, noon, true},
	} {
		if got := m.knows(c.key, "shape", c.at); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if m.knows(key(1), "another shape", noon) {
		t.Error("it looks different and is not judged again")
	}
	at := noon.Add(59 * time.Minute)
	m.knows(key(1), "shape", at)
	if !m.looked(key(1), at, time.Minute) || m.looked(key(1), at.Add(time.Minute), time.Minute) {
		t.Error("when somebody looked last was not kept")
	}
	m.forget(key(1))
	if m.knows(key(1), "shape", noon) {
		t.Error("it was not forgotten")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMemory(3, time.Hour)
		now := noon
		for range 40 {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "minutes")) * time.Minute)
			k := key(rapid.IntRange(0, 9).Draw(t, "key"))
			m.keep(k, "", "", now)
			if len(m.judged) > 3 || !m.knows(k, "", now) {
				t.Fatalf("%d are kept", len(m.judged))
			}
		}
	})
	m := newMemory(2, time.Hour)
	for n := range 4 {
		m.keep(key(n), "", "", noon.Add(time.Duration(n)*time.Second))
	}
	if m.knows(key(1), "", noon) || !m.knows(key(2), "", noon) || m.overflow() != 2 {
		t.Error("not the oldest were forgotten, or it was not said")
	}
}

// TestL10TheKeyKnowsNoPods shows that what differs between the pods of one revision is no part of its key, and that the
// key that a Case holds is read back as it was.
func TestL10TheKeyKnowsNoPods(t *testing.T) {
	root := gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "b1c9"}
	names := map[string]bool{}
	for n := range 100 {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("web-", n), Labels: map[string]string{"pod-template-hash": "5d9f"}}}
		k := Key{Symptom: causes.CrashLoop, Root: root, Container: "app", Revision: revisionOf(pod)}
		names[gate.Signal{Face: gate.FaceRemediate, Subject: root, Key: k.String()}.CaseName()] = true
		if again, ok := parseKey(root, k.String()); !ok || again != k {
			t.Fatalf("%s was read as %+v", k, again)
		}
	}
	if len(names) != 1 {
		t.Errorf("a hundred pods make %d Cases", len(names))
	}
	for _, foreign := range []string{"", "CrashLoop", "CrashLoop/other/app/5d9f", "Rollout/b1c9/app/5d9f", "CrashLoop/b1c9//5d9f", "CrashLoop/b1c9/app/5d9f/x"} {
		if k, ok := parseKey(root, foreign); ok {
			t.Errorf("%q was read as %+v", foreign, k)
		}
	}
}

// TestNobodyWaitsLongerThanTheWait shows that what comes in is looked at when its own wait is over, whatever came before.
func TestNobodyWaitsLongerThanTheWait(t *testing.T) {
	i, now := newIntake(8), time.Unix(100, 0)
	if _, some := i.rest(now, time.Second); some {
		t.Error("something waits in an empty intake")
	}
	i.add(subject{name: "b"}, now.Add(300*time.Millisecond))
	i.add(subject{name: "a"}, now)
	if rest, some := i.rest(now.Add(400*time.Millisecond), time.Second); !some || rest != 600*time.Millisecond {
		t.Errorf("the first is due in %s (%t)", rest, some)
	}
	if len(i.news) != 1 {
		t.Error("nobody was told that something came in")
	}
	if due := i.due(now.Add(time.Second), time.Second); len(due) != 1 || due[0].name != "a" {
		t.Errorf("due: %v", due)
	}
	if rest, some := i.rest(now.Add(time.Second), time.Second); !some || rest != 300*time.Millisecond {
		t.Errorf("the second is due in %s (%t)", rest, some)
	}
}
