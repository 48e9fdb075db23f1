package remediate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// empty knows no object, and counts who asks.
type empty struct {
	client.Reader
	asked int
}

func (e *empty) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	e.asked++
	return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
}

func owned(uid string) *corev1.Pod {
	yes := true
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", OwnerReferences: []metav1.OwnerReference{
		{APIVersion: "example.com/v1", Kind: "Thing", Name: uid, UID: types.UID(uid), Controller: &yes}}}}
}

// TestALookAsksForSoManyOwners shows a workload of a kind that may own anything, beside more strangers than one look asks
// for: the look says that it does not know, and the next one goes on from there.
func TestALookAsksForSoManyOwners(t *testing.T) {
	server := &empty{}
	e := eye{owners: server, roots: newRoots(1000, 1000, time.Hour)}
	for look := range 4 {
		f, unsure := e.family(gate.Ref{Group: "example.com", Kind: "Stack", Namespace: "shop", UID: "stack"}, sets{}, noon), 0
		for i := range 3 * maxAsked {
			if ours, err := f.has(t.Context(), owned(fmt.Sprint(i))); ours || err != nil && !errors.Is(err, errAskedEnough) {
				t.Fatalf("%t, %v", ours, err)
			} else if err != nil {
				unsure++
			}
		}
		if want := max(0, 2-look) * maxAsked; unsure != want {
			t.Errorf("look %d is unsure of %d pods, want %d", look, unsure, want)
		}
	}
	if server.asked != 3*maxAsked {
		t.Errorf("the server was asked %d times", server.asked)
	}
}

// TestRoots shows that what is remembered is bounded, that one namespace makes another forget nothing unless it is itself the
// fullest, and that what is old or gone is asked for again.
func TestRoots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRoots(8, 20, time.Hour)
		ref := gate.Ref{Namespace: "quiet", UID: "root"}
		r.keep("quiet", "a", ref, noon)
		for range rapid.IntRange(0, 200).Draw(t, "strangers") {
			namespace := rapid.SampledFrom([]string{"n", "o", "p", "q"}).Draw(t, "namespace")
			r.keep(namespace, rapid.StringN(1, 3, 3).Draw(t, "uid"), gate.Ref{Namespace: namespace, UID: "x"}, noon)
		}
		sum := 0
		for namespace, known := range r.known {
			if sum += len(known); len(known) > 8 {
				t.Fatalf("%d are kept of %s", len(known), namespace)
			}
		}
		if sum != r.size || sum > 20 {
			t.Fatalf("%d are kept, and %d counted", sum, r.size)
		}
		if got, known := r.get("quiet", "a", noon); !known || got != ref {
			t.Fatal("a namespace that does nothing was forgotten")
		}
		if _, known := r.get("quiet", "a", noon.Add(time.Hour)); known {
			t.Fatal("it is believed for ever")
		}
		if r.forget(ref); r.size != sum-1 {
			t.Fatal("what is gone is remembered")
		}
	})
}

// TestAKeyIsReadBack shows that the key of whatever an owner reference may say leads back to the happening.
func TestAKeyIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := Key{Symptom: causes.CrashLoop, Root: plain(gate.Ref{Kind: rapid.String().Draw(t, "kind"), UID: rapid.String().Draw(t, "uid")}), Container: "app",
			Revision: rapid.StringMatching(`[A-Za-z0-9._-]{0,63}`).Draw(t, "revision")}
		key := gate.OneLine(k.String(), 512)
		if got, ok := parseKey(k.Root, key); !ok || got != k {
			t.Fatalf("%q was read as %+v", key, got)
		}
	})
}

// TestANamespaceGetsItsShare shows that whoever makes looks slow uses up their own time and not that of others.
func TestANamespaceGetsItsShare(t *testing.T) {
	now, log := noon, &notes{}
	p := &patrol{Watcher: Watcher{Log: log, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }},
		intake: newIntake(1), shares: newShares(), memory: newMemory(1, time.Hour), turns: newTurns(time.Minute)}
	work := func(namespace string, n int) (done int) {
		for range n {
			if p.visit(t.Context(), namespace, "work", func(context.Context) error { now = now.Add(4 * time.Second); return nil }) {
				done++
			}
		}
		return done
	}
	if slow, quiet := work("slow", 9), work("quiet", 1); slow != 3 || quiet != 1 {
		t.Errorf("%d looks at slow and %d at quiet", slow, quiet)
	}
	p.say(t.Context())
	if len(log.all) != 1 || !strings.HasSuffix(log.all[0].Text, ": slow") {
		t.Errorf("it was said: %+v", log.all)
	}
	p.turns.anew()
	if work("slow", 1) != 1 {
		t.Error("the next round is no other")
	}
}

// TestCasesTakeTurns shows that a namespace whose time was up goes on where it stopped, also where that Case is gone.
func TestCasesTakeTurns(t *testing.T) {
	for first, want := range map[string]string{"": "a b d", "a": "a b d", "b": "b d a", "c": "d a b", "z": "a b d"} {
		var cases []*v1alpha1.Case
		for _, name := range []string{"d", "a", "b"} {
			cases = append(cases, &v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Name: name}})
		}
		var names []string
		for _, c := range inTurn(cases, first) {
			names = append(names, c.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("from %q: %s", first, got)
		}
	}
}
