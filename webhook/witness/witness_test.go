package witness

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/source"
)

func TestWhatStandsIsToldOnce(t *testing.T) {
	p := newPlace(t)
	_, is := p.changes("alice")
	p.pass(standsFor - time.Second)
	if len(p.told) != 0 {
		t.Fatalf("told before it stood: %s", p.said())
	}
	p.see(stored(is, 3)) // a controller wrote the status
	p.pass(time.Second)
	p.pass(time.Hour)
	o := p.only()
	if o.Signal.Reason != v1alpha1.ReasonWitnessed || o.Witness.User != "alice" || o.Witness.Manager != "kubectl-edit" || o.Witness.RevertedBy != "" || o.Signal.Subject.UID != "uid-web" {
		t.Errorf("told %s", p.said())
	}
	p.tells(image)
}

func TestWhatIsPutBackIsToldWithWhoDidSo(t *testing.T) {
	t.Run("by a delivery", func(t *testing.T) {
		p := newPlace(t)
		was, _ := p.changes("alice")
		p.now = p.now.Add(time.Second)
		back := stored(was, 3)
		back.ManagedFields = managed("kustomize-controller", p.now)
		p.see(back)
		if o := p.only(); o.Signal.Reason != v1alpha1.ReasonReverted || o.Witness.RevertedBy != "kustomize-controller" || !strings.Contains(o.Signal.Text, "put it back after 1s") {
			t.Errorf("told %s", p.said())
		}
	})
	t.Run("by another person", func(t *testing.T) {
		p := newPlace(t)
		was, is := p.changes("alice")
		back := stored(was, 2)
		back.ManagedFields = managed("kubectl-edit", p.now)
		p.ask("bob", admissionv1.Update, stored(is, 2), back, nil)
		p.see(stored(back, 3))
		if len(p.told) != 1 || p.told[0].Witness.User != "alice" || p.told[0].Witness.RevertedBy != "bob" {
			t.Errorf("told %s", p.said())
		}
	})
	t.Run("only in part, so it stands", func(t *testing.T) {
		p := newPlace(t)
		was, is := web(1, "web:1", "x", noon), web(1, "web:2", "kubectl-edit", noon)
		is.Spec.Replicas = new(int32(5))
		p.ask("alice", admissionv1.Update, was, is, nil)
		p.see(stored(is, 2))
		part := stored(is, 3)
		part.Spec.Replicas = new(int32(2))
		p.see(part)
		p.pass(standsFor)
		if o := p.only(); o.Signal.Reason != v1alpha1.ReasonWitnessed {
			t.Errorf("told %s", p.said())
		}
	})
	t.Run("a deletion, by an object of the same name", func(t *testing.T) {
		p := newPlace(t)
		was := web(1, "web:1", "x", noon)
		p.ask("alice", admissionv1.Delete, was, nil, nil)
		p.gone(stored(was, 2))
		next := stored(was, 3)
		next.UID, next.ManagedFields = "uid-next", managed("helm", noon)
		p.see(next)
		if o := p.only(); o.Witness.Operation != "DELETE" || o.Witness.RevertedBy != "helm" || o.Signal.Subject.UID != "uid-web" {
			t.Errorf("told %s", p.said())
		}
	})
	t.Run("a creation", func(t *testing.T) {
		p := newPlace(t)
		is := web(0, "web:1", "kubectl-create", noon)
		p.ask("alice", admissionv1.Create, nil, is, nil)
		p.see(stored(is, 1))
		p.gone(stored(is, 2))
		if o := p.only(); o.Witness.Operation != "CREATE" || o.Signal.Reason != v1alpha1.ReasonReverted {
			t.Errorf("told %s", p.said())
		}
	})
	t.Run("a scale", func(t *testing.T) {
		p := newPlace(t)
		p.scales("alice", 2, 5)
		after := web(2, "web:1", "x", noon)
		after.Spec.Replicas, after.ManagedFields = new(int32(5)), append(after.ManagedFields, metav1.ManagedFieldsEntry{Manager: "kubectl", Operation: "Update", Subresource: "scale"})
		p.see(after)
		p.see(web(3, "web:1", "kustomize-controller", noon))
		p.tells("spec.replicas")
		if o := p.only(); o.Witness.Subresource != "scale" || o.Signal.Reason != v1alpha1.ReasonReverted {
			t.Errorf("told %s", p.said())
		}
	})
}

// scales has a person use the subresource scale.
func (p *place) scales(user string, from, to int32) {
	p.t.Helper()
	scale := func(n int32) []byte {
		b, err := json.Marshal(autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{UID: "uid-web", ResourceVersion: "1"}, Spec: autoscalingv1.ScaleSpec{Replicas: n}})
		if err != nil {
			p.t.Fatal(err)
		}
		return b
	}
	p.ask(user, admissionv1.Update, web(1, "web:1", "x", noon), nil, func(r *admission.Request) {
		r.SubResource, r.OldObject.Raw, r.Object.Raw = subresourceScale, scale(from), scale(to)
	})
}

// A request that another webhook refuses after this one is never stored, and a Case would tell of what nobody did.
func TestWhatIsNotStoredLeavesNothing(t *testing.T) {
	tests := map[string]func(p *place){
		"it was refused by somebody else": func(p *place) {
			p.ask("alice", admissionv1.Update, web(1, "web:1", "x", noon), web(1, "web:2", "kubectl-edit", noon), nil)
		},
		"somebody else stored another value": func(p *place) {
			p.ask("alice", admissionv1.Update, web(1, "web:1", "x", noon), web(1, "web:2", "kubectl-edit", noon), nil)
			p.see(web(2, "web:3", "kubectl-edit", noon))
		},
		"somebody else stored the same as another manager": func(p *place) {
			p.ask("alice", admissionv1.Update, web(1, "web:1", "x", noon), web(1, "web:2", "kubectl-edit", noon), nil)
			p.see(web(2, "web:2", "helm", noon))
		},
		"somebody else stored the same in another second": func(p *place) {
			p.ask("alice", admissionv1.Update, web(1, "web:1", "x", noon), web(1, "web:2", "kubectl-edit", noon), nil)
			p.see(web(2, "web:2", "kubectl-edit", noon.Add(time.Second)))
		},
		"another object of the same name": func(p *place) {
			p.ask("alice", admissionv1.Update, web(1, "web:1", "x", noon), web(1, "web:2", "kubectl-edit", noon), nil)
			other := web(2, "web:2", "kubectl-edit", noon)
			other.UID = "uid-other"
			p.see(other)
		},
		"nothing changed": func(p *place) {
			p.ask("alice", admissionv1.Update, web(1, "web:1", "x", noon), web(1, "web:1", "kubectl-edit", noon), nil)
			p.see(web(2, "web:1", "kubectl-edit", noon))
		},
		"it was only tried": func(p *place) {
			p.ask("alice", admissionv1.Update, web(1, "web:1", "x", noon), web(1, "web:2", "kubectl-edit", noon), func(r *admission.Request) { r.DryRun = new(true) })
			p.see(web(2, "web:2", "kubectl-edit", noon))
		},
		"a component of the cluster did it": func(p *place) {
			p.ask("system:serviceaccount:x:y", admissionv1.Update, web(1, "web:1", "x", noon), web(1, "web:2", "kubectl-edit", noon), nil)
			p.see(web(2, "web:2", "kubectl-edit", noon))
		},
		"a delivery did it": func(p *place) {
			p.ask("ci", admissionv1.Update, web(1, "web:1", "x", noon), web(1, "web:2", "kubectl-edit", noon), nil)
			p.see(web(2, "web:2", "kubectl-edit", noon))
		},
		"nothing declares what is in the namespace": func(p *place) {
			p.book.Tracked = func(string) bool { return false }
			p.changes("alice")
		},
		"a scale to what there is": func(p *place) {
			p.scales("alice", 2, 2)
			after := web(2, "web:1", "x", noon)
			after.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl", Operation: "Update", Subresource: "scale"}}
			p.see(after)
		},
	}
	for name, does := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			does(p)
			p.pass(waitMost + time.Second)
			if len(p.told) != 0 {
				t.Errorf("told %s", p.said())
			}
			if p.book.count != 0 || p.book.size != 0 || len(p.book.waiting) != 0 || len(p.book.stands) != 0 || p.book.upheld != 0 {
				t.Errorf("it remembers %d writes of %d bytes and %d that stand", p.book.count, p.book.size, p.book.upheld)
			}
		})
	}
}

// The API server may ask twice about one write, of one replica or of two.
func TestAWriteThatIsAskedAboutTwiceIsOneCase(t *testing.T) {
	first, second := newPlace(t), newPlace(t)
	was, is := web(1, "web:1", "x", noon), web(1, "web:2", "kubectl-edit", noon)
	for _, p := range []*place{first, second, second} {
		p.ask("alice", admissionv1.Update, was, is, nil)
	}
	second.now = second.now.Add(300 * time.Millisecond)
	for _, p := range []*place{first, second} {
		p.see(stored(is, 2))
		p.pass(standsFor)
	}
	if a, b := first.only(), second.only(); a.Signal.CaseName() != b.Signal.CaseName() {
		t.Errorf("two Cases of one write: %s and %s", a.Signal.CaseName(), b.Signal.CaseName())
	}
	again := newPlace(t)
	again.ask("alice", admissionv1.Update, stored(was, 3), stored(is, 3), nil)
	again.see(stored(is, 4))
	again.pass(standsFor)
	if again.only().Signal.CaseName() == first.only().Signal.CaseName() {
		t.Error("the same change made later is another happening")
	}
}

func TestWhenTheProcessStopsWhatWasStoredIsTold(t *testing.T) {
	p := newPlace(t)
	p.changes("alice")
	p.book.look(true)
	p.tells(image)
}

// What differs between two objects is what has to be as it was before they are the same again.
func TestWhatWasPutBackIsKnownByItsFields(t *testing.T) {
	m := marker{key: []byte("x")}
	value := rapid.Custom(func(t *rapid.T) any { return anything(t, 3) })
	rapid.Check(t, func(t *rapid.T) {
		a, b := map[string]any{"x": value.Draw(t, "a")}, map[string]any{"x": value.Draw(t, "b")}
		found := differences(m, nil, a, b)
		for _, f := range found {
			if now, there := lookup(a, f.path); m.of(f.path, now, there) != f.was {
				t.Fatalf("%s is not what it was, and nobody changed it", f.path)
			}
			if now, there := lookup(b, f.path); m.of(f.path, now, there) == f.was {
				t.Fatalf("%s is as it was, and it was changed", f.path)
			}
		}
		again, _ := json.Marshal(a)
		if other, _ := json.Marshal(b); string(again) != string(other) && len(found) == 0 {
			t.Fatalf("%s and %s differ", again, other)
		}
	})
}

func anything(t *rapid.T, depth int) any {
	switch k := rapid.IntRange(0, 3).Draw(t, "kind"); {
	case k == 0 || depth == 0:
		return rapid.SampledFrom([]any{"a", "b", int64(1), true}).Draw(t, "leaf")
	case k == 1:
		list := []any{}
		for i := range rapid.IntRange(1, 3).Draw(t, "items") {
			list = append(list, map[string]any{"name": string(rune('a' + i)), "v": anything(t, depth-1)})
		}
		return list
	case k == 2:
		return []any{anything(t, depth-1)}
	}
	m := map[string]any{}
	for _, name := range []string{"p", "q"} {
		if rapid.Bool().Draw(t, "has") {
			m[name] = anything(t, depth-1)
		}
	}
	return m
}

func TestAPathIsWrittenAsPeopleDo(t *testing.T) {
	m := marker{key: []byte("x")}
	was, is := tree(web(1, "web:1", "x", noon)), tree(web(1, "web:2", "x", noon))
	if found := differences(m, nil, was, is); len(found) != 1 || found[0].path.String() != image {
		t.Errorf("got %v", found)
	}
	if _, there := lookup(was, source.Path{{Field: "spec"}, {Field: "nothing"}}); there {
		t.Error("what is not there is found")
	}
}
