package witness

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/webhook"
)

const planted = "hunter2-planted-Zx81Qv"

// Values stay where they were: in the object. What leaves are paths, and not even the hash of a value.
func TestL16NothingOfWhatPeopleChangeLeavesButThePaths(t *testing.T) {
	for _, reverted := range []bool{false, true} {
		t.Run(fmt.Sprintf("reverted: %t", reverted), func(t *testing.T) {
			p := newPlace(t)
			was, is := web(1, "registry.example/"+strings.ToLower(planted)+":1", "x", noon), web(1, "web:2", "kubectl-edit", noon)
			was.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "TOKEN", Value: planted}}
			is.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "TOKEN", Value: planted + planted}}
			was.Annotations, is.Annotations = map[string]string{"team": "shop"}, map[string]string{"team": "shop", "note": planted}
			is.Spec.Template.Spec.Containers[1].Command = []string{"sh", "-c", planted}
			p.ask("alice", admissionv1.Update, was, is, nil)
			p.see(stored(is, 2))
			for _, s := range p.book.stands["apps/deployments/shop/web"] {
				if said := fmt.Sprintf("%+v", s); strings.Contains(strings.ToLower(said), strings.ToLower(planted)) {
					t.Errorf("a value is kept while it is watched what becomes of it: %s", said)
				}
			}
			if reverted {
				p.see(stored(was, 3))
			}
			config := configMap(1, map[string]string{"password": planted})
			p.ask("alice", admissionv1.Update, config, configMap(1, map[string]string{"password": planted + "!"}), nil)
			p.see(configMap(2, map[string]string{"password": planted + "!"}))
			p.pass(standsFor)
			if len(p.told) != 2 {
				t.Fatalf("told %d times", len(p.told))
			}
			said := p.said()
			for _, f := range p.book.stands {
				said += fmt.Sprint(f)
			}
			for _, secret := range []string{planted, strings.ToLower(planted), planted[:12]} {
				if strings.Contains(said, secret) {
					t.Errorf("%s left: %s", secret, said)
				}
			}
			for _, path := range []string{"env[name=TOKEN].value", "data.password", "metadata.annotations.note"} {
				if !strings.Contains(said, path) {
					t.Errorf("%s is not told: %s", path, said)
				}
			}
		})
	}
}

func TestWhatIsToldFitsACaseWhoeverDidIt(t *testing.T) {
	nasty := "ali\x00ce\u202e\x1b[31m\n" + strings.Repeat("x", 10_000)
	p := newPlace(t)
	was, is := web(1, "web:1", nasty, noon), web(1, "web:2", nasty, noon.Add(time.Second))
	is.Annotations = map[string]string{nasty: "x", strings.Repeat("long", 5000): "y"}
	p.ask(nasty, admissionv1.Update, was, is, nil)
	p.see(stored(is, 2))
	back := stored(was, 3)
	back.ManagedFields = managed(strings.Repeat("z", 5000), noon)
	p.see(back)
	o := p.only()
	w := o.Witness
	if len(w.User) > 256 || len(w.Manager) > 128 || len(w.RevertedBy) > 256 || len(w.Paths) > 16 {
		t.Errorf("it does not fit: user %d, manager %d, by %d", len(w.User), len(w.Manager), len(w.RevertedBy))
	}
	k := cluster.NewCase(o.Signal, nil, nil)
	for _, text := range append(slices.Clone(w.Paths), w.User, w.Manager, w.RevertedBy, k.Spec.Signal.Text) {
		if len(text) > 1024 || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || !unicode.IsPrint(r) }) {
			t.Errorf("not fit to be shown: %q", text)
		}
	}
	for _, path := range w.Paths {
		if len(path) > 200 {
			t.Errorf("a path of %d bytes", len(path))
		}
	}
}

func TestAChangeOfTenThousandFieldsIsOneShortCase(t *testing.T) {
	p := newPlace(t)
	was, is := map[string]string{}, map[string]string{}
	for i := range 10_000 {
		was[fmt.Sprint("key-", i)], is[fmt.Sprint("key-", i)] = "a", "b"
	}
	p.ask("alice", admissionv1.Update, configMap(1, was), configMap(1, is), nil)
	p.see(configMap(2, is))
	for _, all := range p.book.stands {
		if n := cap(all[0].fields); n > 2*fieldsMost {
			t.Errorf("%d fields are kept", n)
		}
	}
	p.pass(standsFor)
	if w := p.only().Witness; len(w.Paths) != pathsMost || w.More != 10_000-pathsMost {
		t.Errorf("%d paths and %d more", len(w.Paths), w.More)
	}
	if b, err := json.Marshal(p.only()); err != nil || len(b) > 16<<10 {
		t.Errorf("a Case of %d bytes (%v)", len(b), err)
	}
}

// Whatever the API server sends, the answer lets it in.
func TestNothingIsEverRefused(t *testing.T) {
	tests := map[string]func(*admission.Request){
		"nothing at all":         func(r *admission.Request) { *r = admission.Request{} },
		"no objects":             func(r *admission.Request) { r.Object.Raw, r.OldObject.Raw = nil, nil },
		"no JSON":                func(r *admission.Request) { r.Object.Raw, r.OldObject.Raw = []byte("{"), []byte{0xff} },
		"another type":           func(r *admission.Request) { r.Object.Raw = []byte(`{"spec":[],"metadata":7}`) },
		"no name":                func(r *admission.Request) { r.Name, r.Object.Raw = "", []byte(`{"metadata":{"name":{}}}`) },
		"a scale without scales": func(r *admission.Request) { r.SubResource = subresourceScale },
		"another subresource":    func(r *admission.Request) { r.SubResource = "status" },
		"a kind nobody watches":  func(r *admission.Request) { r.Resource.Resource = "secrets" },
		"another operation":      func(r *admission.Request) { r.Operation = "CONNECT" },
		"no user":                func(r *admission.Request) { r.UserInfo.Username = "" },
		"a user of 10 kB":        func(r *admission.Request) { r.UserInfo.Username = strings.Repeat("\x00", 10_000) },
		"bad options":            func(r *admission.Request) { r.Options.Raw = []byte("[") },
		"deep JSON":              func(r *admission.Request) { r.Object.Raw = []byte(strings.Repeat(`{"a":`, 20_000)) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			was, is := web(1, "web:1", "x", noon), web(1, "web:2", "kubectl-edit", noon)
			if resp := p.ask("alice", admissionv1.Update, was, is, change); !resp.Allowed || len(resp.Warnings) > 0 || len(resp.Patches) > 0 {
				t.Errorf("answered %+v", resp)
			}
			p.see(stored(is, 2))
			p.pass(waitMost + time.Second)
		})
	}
	t.Run("a part of it panics", func(t *testing.T) {
		p := newPlace(t)
		p.handler.Now = func() time.Time { panic(planted) }
		if resp := p.ask("alice", admissionv1.Update, web(1, "web:1", "x", noon), web(1, "web:2", "x", noon), nil); !resp.Allowed {
			t.Errorf("answered %+v", resp)
		}
	})
}

// Nobody waits for what the witness does: not while it looks at what was stored, and not while a thousand others change things.
func TestAFloodHoldsNothingUpAndTakesBoundedMemory(t *testing.T) {
	p := newPlace(t)
	req := request(t, "alice", admissionv1.Update, web(1, "web:1", "x", noon), web(1, "web:2", "kubectl-edit", noon))
	req.OldObject.Raw = []byte(`{"x":"` + strings.Repeat("x", 100<<10) + `"}`)
	p.book.work.Lock() // as long as the watch and the clock take
	for i := range 20_000 {
		if req.Name = fmt.Sprint("web-", i/40); !p.handler.Handle(t.Context(), req).Allowed {
			t.Fatal("refused")
		}
	}
	p.book.work.Unlock()
	if p.book.count == 0 || p.book.count > writesMost || p.book.size > writesSize {
		t.Errorf("%d writes of %d bytes wait", p.book.count, p.book.size)
	}
	for at, writes := range p.book.waiting {
		if len(writes) > writesEach {
			t.Errorf("%d writes of %s wait", len(writes), at)
		}
	}
	p.pass(waitMost + time.Second)
	if p.book.count != 0 || p.book.size != 0 {
		t.Errorf("after that, %d writes of %d bytes wait", p.book.count, p.book.size)
	}
	p.pass(time.Hour)
	if !strings.Contains(p.log.String(), "more than is told of in an hour") {
		t.Errorf("nobody is told what was lost: %s", p.log.String())
	}
}

// One person changes a thousand objects within a second, each of which is stored.
func TestAFloodOfWhatIsStoredIsBounded(t *testing.T) {
	p := newPlace(t)
	p.full = true // and the queue is full
	for i := range 1000 {
		name, ns := fmt.Sprint("web-", i), fmt.Sprint("shop-", i/100)
		was, is := web(1, "web:1", "x", noon), web(1, "web:2", "kubectl-edit", noon)
		was.Name, is.Name, was.Namespace, is.Namespace = name, name, ns, ns
		for range 3 {
			p.ask("alice", admissionv1.Update, was, is, nil)
		}
		p.see(stored(is, 2))
	}
	if p.book.upheld == 0 || p.book.upheld > standsMost {
		t.Errorf("%d are watched", p.book.upheld)
	}
	p.pass(standsFor)
	if p.book.upheld != 0 || len(p.book.stands) != 0 || p.book.count != 0 {
		t.Errorf("%d are watched, %d wait", p.book.upheld, p.book.count)
	}
	if !strings.Contains(p.log.String(), "too many Cases are waiting") {
		t.Errorf("nobody is told that they are lost: %.300s", p.log.String())
	}
}

func TestOneObjectAndOneNamespaceFillNoCluster(t *testing.T) {
	p := newPlace(t)
	at := func(name string, version int) {
		was, is := web(version, fmt.Sprint("web:", version), "x", p.now), web(version, fmt.Sprint("web:", version+1), "kubectl-edit", p.now)
		was.Name, is.Name = name, name
		p.ask("alice", admissionv1.Update, was, is, nil)
		p.see(stored(is, version+1))
		p.pass(standsFor)
	}
	for i := range objectMost * 2 {
		at("web", i)
	}
	if len(p.told) != objectMost {
		t.Errorf("%d Cases in an hour of one object", len(p.told))
	}
	p.now = noon.Truncate(time.Hour).Add(time.Hour)
	p.pass(0)
	p.told = nil
	for i := range namespaceMost + 10 {
		at(fmt.Sprint("web-", i), 1)
		p.now = noon.Truncate(time.Hour).Add(time.Hour)
	}
	if len(p.told) != namespaceMost {
		t.Errorf("%d Cases in an hour of one namespace", len(p.told))
	}
}

// Requests, the watch and the clock come from many sides at once.
func TestManySidesAtOnce(t *testing.T) {
	p := newPlace(t)
	var lock sync.Mutex
	told := 0
	p.book.Offer = func(webhook.Opening) bool { lock.Lock(); defer lock.Unlock(); told++; return true }
	p.book.StandsFor = time.Nanosecond
	var sides sync.WaitGroup
	for side := range 4 {
		sides.Go(func() {
			for i := range 50 {
				was, is := web(i, "web:1", "x", noon), web(i, fmt.Sprint("web:", side, i), "kubectl-edit", noon)
				was.Name, is.Name = fmt.Sprint("web-", i%8), fmt.Sprint("web-", i%8)
				p.handler.Handle(t.Context(), request(t, "alice", admissionv1.Update, was, is))
				p.see(stored(is, i+1))
				p.book.look(false)
			}
		})
	}
	sides.Wait()
	p.pass(waitMost + time.Second)
	if told == 0 || p.book.count != 0 || p.book.size != 0 || p.book.upheld != 0 {
		t.Errorf("told %d; %d writes of %d bytes wait, %d are watched", told, p.book.count, p.book.size, p.book.upheld)
	}
}
