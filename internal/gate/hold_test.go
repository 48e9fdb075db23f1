package gate

import (
	"strings"
	"testing"
	"time"
)

// held is a hold of what Flux delivers, by a Guardrail that lets people be asked, with their approval.
func held(change func(r *Rail, f *Facts)) func(*Rail, *Assessment, *Facts) {
	return func(r *Rail, a *Assessment, f *Facts) {
		x := Holding(web)
		x.Request = &Request{Method: "PATCH", Path: "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=moorgate-hold"}
		a.Choice, f.Menu = []string{x.ID}, []Action{x}
		f.Owner, r.Drift.HoldFor = Known(Owner{Source: "Kustomization shop/apps"}), time.Hour
		f.Approvals = Known([]Approval{{Name: "word", Approver: "ana", Plan: x.PlanDigest(), At: ago(time.Minute), Expires: now.Add(time.Hour)}})
		change(r, f)
	}
}

// weighAmong is weigh where other rules may speak too: what is no hold is somebody's business in several ways.
func weighAmong(t *testing.T, rule string, rows []weighed) {
	t.Helper()
	for _, row := range rows {
		r, a, f := rail(), opinion(), facts()
		row.change(&r, &a, &f)
		decision, text := Allow, ""
		for _, reason := range Decide(Policy{Rails: []Rail{r}}, a, f).Reasons {
			if reason.Rule == rule {
				decision, text = reason.Decision, reason.Text
			}
		}
		if decision != row.want || !strings.Contains(text, row.text) {
			t.Errorf("%s: %s %q, want %s %q", row.name, decision, text, row.want, row.text)
		}
	}
}

func TestOnlyTheOneAnnotationIsLetThroughToWhatGitOwns(t *testing.T) {
	weighAmong(t, "owner", []weighed{
		{"the annotation that holds its delivery", held(func(*Rail, *Facts) {}), Allow, ""},
		{"another value of it", held(func(_ *Rail, f *Facts) { f.Menu[0].Edits[0].New = `"enabled"` }), Hold, "takes a pull request"},
		{"another annotation", held(func(_ *Rail, f *Facts) { f.Menu[0].Edits[0].Path = "metadata.annotations[example.com/x]" }), Hold, "takes a pull request"},
		{"something beside it", held(func(_ *Rail, f *Facts) {
			f.Menu[0].Edits = append(f.Menu[0].Edits, Edit{Path: "spec.paused", New: "true"})
		}), Hold, "takes a pull request"},
		{"it, by another verb", held(func(_ *Rail, f *Facts) { f.Menu[0].Verb = "annotate" }), Hold, "takes a pull request"},
	})
}

func TestNothingIsHeldWithoutAnApprovalInWhateverMode(t *testing.T) {
	weighAmong(t, "approval", []weighed{
		{"approved", held(func(*Rail, *Facts) {}), Allow, ""},
		{"nobody said so, in mode Automatic", held(func(_ *Rail, f *Facts) { f.Approvals = Known[[]Approval](nil) }), Hold, "waits for approval"},
		{"for another plan", held(func(_ *Rail, f *Facts) { f.Menu[0].Target.UID = "d2" }), Hold, "is for another plan"},
		{"it is not known", held(func(_ *Rail, f *Facts) { f.Approvals = Unknown[[]Approval]("forbidden") }), Hold, "forbidden"},
	})
}

func TestAGuardrailSaysWhetherADeliveryMayBeHeld(t *testing.T) {
	weighAmong(t, "direction", []weighed{
		{"Ask", held(func(*Rail, *Facts) {}), Allow, ""},
		{"Never", held(func(r *Rail, _ *Facts) { r.Drift.HoldFor = 0 }), Deny, "drift.hold is Never"},
	})
	weighAmong(t, "action", []weighed{
		{"a hold", held(func(r *Rail, _ *Facts) { r.Actions = nil }), Allow, ""},
		{"by that verb, something else", held(func(r *Rail, f *Facts) { r.Actions, f.Menu[0].Edits[0].New = nil, `"enabled"` }), Deny, "not among the actions"},
	})
}

func TestTheMostCarefulGuardrailSaysForHowLongADeliveryIsHeld(t *testing.T) {
	of := func(all ...time.Duration) (p Policy) {
		for _, d := range all {
			p.Rails = append(p.Rails, Rail{Drift: Settling{HoldFor: d}})
		}
		return p
	}
	for name, c := range map[string]struct {
		p    Policy
		want time.Duration
	}{
		"none applies": {of(), 0}, "one": {of(time.Hour), time.Hour}, "the least": {of(time.Hour, time.Minute), time.Minute}, "one that says never": {of(time.Hour, 0), 0},
		"more than a day": {of(48 * time.Hour), 24 * time.Hour}, "less than nothing": {of(-time.Hour), 0},
	} {
		if got := c.p.HoldFor(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestWhatIsPutBackNeedsNobodysWord shows that a release is held by a pause and by a Guardrail that cannot be read, and by no mode,
// budget or approval.
func TestWhatIsPutBackNeedsNobodysWord(t *testing.T) {
	release := func(change func(r *Rail, f *Facts)) Verdict {
		x, r := Releasing(web), Rail{Name: "team", WarnBelow: Known(80), DenyBelow: Known(50), ConfidenceBelow: Known(60)}
		x.Request = &Request{Method: "PATCH", Path: "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=moorgate-hold"}
		f := Facts{At: now, Subject: web, Menu: []Action{x}, Paused: Known[[]string](nil)}
		change(&r, &f)
		a := opinion()
		a.Choice = []string{x.ID}
		return Decide(Policy{Rails: []Rail{r}}, a, f)
	}
	if v := release(func(*Rail, *Facts) {}); v.Decision != Allow {
		t.Errorf("in mode Observe, with no budget: %+v", v)
	} else if _, permitted := v.Permit(); !permitted {
		t.Error("there is no permit")
	}
	for name, change := range map[string]func(r *Rail, f *Facts){
		"paused":         func(r *Rail, _ *Facts) { r.Paused = []string{"ana: no"} },
		"unreadable":     func(r *Rail, _ *Facts) { r.Unreadable = "no sense" },
		"another target": func(_ *Rail, f *Facts) { f.Menu[0].Target.Name = "db" },
		"a Secret": func(_ *Rail, f *Facts) {
			f.Menu[0].Target = Ref{Version: "v1", Kind: "Secret", Namespace: "shop", Name: "x"}
		},
	} {
		if v := release(change); v.Decision == Allow {
			t.Errorf("%s: it is let through", name)
		}
	}
}
