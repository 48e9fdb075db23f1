package gate

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestPermit(t *testing.T) {
	f := facts()
	plan := f.Menu[0]
	v := Decide(Policy{Rails: []Rail{rail()}}, opinion(), f)
	permit, ok := v.Permit()
	if !ok {
		t.Fatalf("no permit in %+v", v)
	}
	other := plan
	other.Target.Name = "web-2"
	if permit.Spend(other) {
		t.Error("the permit was spent on another plan")
	}
	if permit.Covers(other) || !permit.Covers(plan) || (Permit{}).Covers(plan) || (Permit{digest: plan.Digest()}).Covers(plan) {
		t.Error("the permit does not cover its own plan, or covers another")
	}
	if !permit.Spend(plan) {
		t.Error("the permit was refused for its own plan, or spent by asking what it covers")
	}
	if permit.Covers(plan) {
		t.Error("a permit that is spent covers its plan")
	}
	if again, _ := v.Permit(); permit.Spend(plan) || again.Spend(plan) {
		t.Error("the permit was spent twice")
	}
	if (Permit{}).Spend(plan) || (Permit{digest: plan.PlanDigest()}).Spend(plan) {
		t.Error("a permit that Decide did not make was spent")
	}
}

func TestAVerdictFromJSONCarriesNoPermit(t *testing.T) {
	b, err := json.Marshal(Decide(Policy{Rails: []Rail{rail()}}, opinion(), facts()))
	if err != nil {
		t.Fatal(err)
	}
	var v Verdict
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if _, ok := v.Permit(); v.Decision != Allow || ok {
		t.Errorf("read back %s with permit %t, want Allow without", v.Decision, ok)
	}
}

func TestAnswersCarryNoPermit(t *testing.T) {
	for _, id := range []string{"admit", "none"} {
		a := opinion()
		a.Choice = []string{id}
		v := Decide(Policy{Rails: []Rail{rail()}}, a, facts())
		if _, ok := v.Permit(); v.Decision != Allow || ok {
			t.Errorf("%s: %s with permit %t, want Allow without", id, v.Decision, ok)
		}
	}
}

// TestL03APermitIsForExactlyTheseBytes changes each byte of what would be sent, and of what was weighed, one by one: the permit is
// good for none of it, and afterwards still for what it was given for.
func TestL03APermitIsForExactlyTheseBytes(t *testing.T) {
	f := facts()
	f.Menu[0].Workload, f.Menu[0].Edits = web, []Edit{{"spec.x", `"1"`, `"2"`}}
	f.Menu[0].Base = "c0ffee"
	permit, ok := Decide(Policy{Rails: []Rail{rail()}}, opinion(), f).Permit()
	if !ok {
		t.Fatal("no permit")
	}
	texts := map[string]func(*Action) *string{
		"method": func(a *Action) *string { return &a.Request.Method }, "path": func(a *Action) *string { return &a.Request.Path },
		"content type": func(a *Action) *string { return &a.Request.ContentType },
		"verb":         func(a *Action) *string { return &a.Verb }, "group": func(a *Action) *string { return &a.Target.Group },
		"version": func(a *Action) *string { return &a.Target.Version }, "kind": func(a *Action) *string { return &a.Target.Kind },
		"namespace": func(a *Action) *string { return &a.Target.Namespace }, "name": func(a *Action) *string { return &a.Target.Name },
		"uid": func(a *Action) *string { return &a.Target.UID }, "base": func(a *Action) *string { return &a.Base },
		"field": func(a *Action) *string { return &a.Edits[0].Path }, "old value": func(a *Action) *string { return &a.Edits[0].Old },
		"new value": func(a *Action) *string { return &a.Edits[0].New },
	}
	copied := func() Action {
		a := f.Menu[0]
		request := *a.Request
		request.Body = bytes.Clone(request.Body)
		a.Request, a.Edits = &request, slices.Clone(a.Edits)
		return a
	}
	refuse := func(what string, a Action) {
		if permit.Spend(a) {
			t.Fatalf("spent although the %s is another", what)
		}
	}
	for what, text := range texts {
		a := copied()
		*text(&a) += "x"
		refuse(what, a)
		for i := range len(*text(&f.Menu[0])) {
			a := copied()
			b := []byte(*text(&a))
			b[i] ^= 1
			*text(&a) = string(b)
			refuse(what, a)
		}
	}
	for i := range f.Menu[0].Request.Body {
		a := copied()
		a.Request.Body[i] ^= 1
		refuse("body", a)
	}
	for what, change := range map[string]func(*Action){
		"number of edits": func(a *Action) { a.Edits = nil },
		"body's length":   func(a *Action) { a.Request.Body = a.Request.Body[1:] },
		"reach":           func(a *Action) { a.Reach = ReachGit },
		"request":         func(a *Action) { a.Request = nil },
	} {
		a := copied()
		change(&a)
		refuse(what, a)
	}
	if !permit.Spend(copied()) {
		t.Error("the permit is not good for what it was given for")
	}
}

// TestOnePermitIsSpentOnce lets many spend it at the same time.
func TestOnePermitIsSpentOnce(t *testing.T) {
	v := Decide(Policy{Rails: []Rail{rail()}}, opinion(), facts())
	var spent atomic.Int32
	var all sync.WaitGroup
	start := make(chan struct{})
	for range 64 {
		permit, _ := v.Permit()
		all.Go(func() {
			<-start
			if permit.Spend(eviction()) {
				spent.Add(1)
			}
		})
	}
	close(start)
	all.Wait()
	if n := spent.Load(); n != 1 {
		t.Errorf("spent %d times", n)
	}
}

// TestWhoGetsNoPermit lists what is allowed and still carries none.
func TestWhoGetsNoPermit(t *testing.T) {
	for name, change := range map[string]func(*Assessment, *Facts){
		"an answer with a request":         func(a *Assessment, f *Facts) { a.Choice, f.Menu[4].Request = []string{"admit"}, &Request{} },
		"nothing with a request":           func(a *Assessment, f *Facts) { a.Choice, f.Menu[5].Request = []string{"none"}, &Request{} },
		"a plan without a request":         func(_ *Assessment, f *Facts) { f.Menu[0].Request = nil },
		"a pull request without a request": func(a *Assessment, f *Facts) { a.Choice, f.Menu[1].Request = []string{"propose"}, nil },
		"two steps":                        func(a *Assessment, _ *Facts) { a.Choice = []string{"act", "propose"} },
	} {
		a, f := opinion(), facts()
		change(&a, &f)
		v := Decide(Policy{Rails: []Rail{rail()}}, a, f)
		if _, ok := v.Permit(); v.Decision != Allow || ok {
			t.Errorf("%s: %s with permit %t, want Allow without", name, v.Decision, ok)
		}
	}
	for choice, want := range map[string]bool{"act": true, "propose": true, "mark": true} {
		a := opinion()
		a.Choice = []string{choice}
		if _, ok := Decide(Policy{Rails: []Rail{rail()}}, a, facts()).Permit(); ok != want {
			t.Errorf("%s: permit %t", choice, ok)
		}
	}
}

func TestALoweredVerdictCarriesNoPermit(t *testing.T) {
	v := Decide(Policy{Rails: []Rail{rail()}}, opinion(), facts())
	held := v.Lower(Reason{Rule: "budget", Decision: Hold, Text: "spent"})
	denied := held.Lower(Reason{Rule: "x", Text: "no"})
	same := v.Lower(Reason{Rule: "x", Decision: Allow, Text: "fine"})
	if held.Decision != Hold || denied.Decision != Deny || same.Decision != Allow || len(held.Reasons) != 1 || len(denied.Reasons) != 2 {
		t.Errorf("%+v, %+v, %+v", held, denied, same)
	}
	if again := denied.Lower(Reason{Rule: "y", Decision: Hold, Text: "wait"}); again.Decision != Deny {
		t.Errorf("lowered to %s", again.Decision)
	}
	for _, lower := range []Verdict{held, denied, same} {
		if _, ok := lower.Permit(); ok {
			t.Errorf("%+v carries a permit", lower)
		}
	}
	if _, ok := v.Permit(); !ok {
		t.Error("the verdict lost its own")
	}
}

// TestAReachThatDoesNotExistIsTheFurthest shows that nothing slips under the rules by a reach or a mode that nobody defined.
func TestAReachThatDoesNotExistIsTheFurthest(t *testing.T) {
	for _, reach := range []Reach{-1, ReachNothing + 1, 99} {
		f := facts()
		f.Menu[0].Reach = reach
		if v := Decide(Policy{Rails: []Rail{rail()}}, opinion(), f); v.Decision != Allow {
			t.Errorf("reach %d: %+v", reach, v)
		}
		r := rail()
		r.Mode = Propose
		if v := Decide(Policy{Rails: []Rail{r}}, opinion(), f); v.Decision != Hold || v.Reasons[0].Rule != "mode" {
			t.Errorf("reach %d in Propose: %+v", reach, v)
		}
	}
	for _, r := range []Rail{func() Rail { r := rail(); r.Mode = 4; return r }(), func() Rail { r := rail(); r.Mode = -1; return r }(),
		func() Rail { r := rail(); r.Admission = 3; return r }(), func() Rail { r := rail(); r.Admission = -1; return r }()} {
		v := Decide(Policy{Rails: []Rail{r}}, opinion(), facts())
		if v.Decision == Allow || v.Reasons[0].Rule != "readable" {
			t.Errorf("mode %d, admission %d: %+v", r.Mode, r.Admission, v)
		}
	}
}

func TestPlanDigest(t *testing.T) {
	base := Action{ID: "a", Verb: "scale", Target: Ref{Kind: "Deployment", Name: "web", UID: "u"}, Edits: []Edit{{"p", "1", "2"}}, Base: "c"}
	same := base
	same.ID, same.Text = "b", "other words"
	if base.PlanDigest() != same.PlanDigest() {
		t.Error("the id and the text for people are part of the digest")
	}
	changes := map[string]func(*Action){
		"verb":      func(a *Action) { a.Verb = "evict" },
		"reach":     func(a *Action) { a.Reach = ReachGit },
		"group":     func(a *Action) { a.Target.Group = "apps" },
		"version":   func(a *Action) { a.Target.Version = "v1" },
		"kind":      func(a *Action) { a.Target.Kind = "Pod" },
		"namespace": func(a *Action) { a.Target.Namespace = "n" },
		"name":      func(a *Action) { a.Target.Name = "w" },
		"uid":       func(a *Action) { a.Target.UID = "v" },
		"base":      func(a *Action) { a.Base = "d" },
		"path":      func(a *Action) { a.Edits = []Edit{{"q", "1", "2"}} },
		"old":       func(a *Action) { a.Edits = []Edit{{"p", "0", "2"}} },
		"new":       func(a *Action) { a.Edits = []Edit{{"p", "1", "3"}} },
		"shift":     func(a *Action) { a.Edits = []Edit{{"p1", "", "2"}} },
		"more":      func(a *Action) { a.Edits = append(slices.Clone(a.Edits), Edit{}) },
	}
	for name, change := range changes {
		a := base
		change(&a)
		if a.PlanDigest() == base.PlanDigest() {
			t.Errorf("%s is not part of the digest", name)
		}
	}
}

func TestDigest(t *testing.T) {
	a := eviction()
	if a.Digest() != eviction().Digest() || a.Digest() == a.PlanDigest() || !strings.HasPrefix(a.Digest(), "sha256:") || len(a.Digest()) != 71 {
		t.Errorf("digest %s, plan %s", a.Digest(), a.PlanDigest())
	}
	shifted := eviction()
	shifted.Request.Method, shifted.Request.Path = "POST/", shifted.Request.Path[1:]
	if shifted.Digest() == a.Digest() {
		t.Error("what ends one part may begin the next")
	}
	a.Request = nil
	if a.Digest() != "" {
		t.Errorf("without a request the digest is %q", a.Digest())
	}
}

func TestPolicyDigest(t *testing.T) {
	if d := (Policy{Rails: []Rail{{Freezes: []Interval{{To: now.AddDate(8000, 0, 0)}}}}}).Digest(); d != "" {
		t.Errorf("what cannot be written has the digest %s", d)
	}
	p, q := Policy{Rails: []Rail{rail()}}, Policy{Rails: []Rail{rail()}}
	if p.Digest() != q.Digest() || !strings.HasPrefix(p.Digest(), "sha256:") {
		t.Errorf("the same policy has %s and %s", p.Digest(), q.Digest())
	}
	q.Rails[0].Budgets.Workload.Actions++
	if p.Digest() == q.Digest() || p.Digest() == (Policy{}).Digest() {
		t.Error("another policy has the same digest")
	}
}
