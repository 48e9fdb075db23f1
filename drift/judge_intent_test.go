package drift

import (
	"slices"
	"strings"
	"testing"
	"time"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func minutes(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

func field(git, live any, names ...string) Drift {
	return Drift{Path: fieldsOf(names...), Git: git, Live: live, Owner: Owner{Manager: "kubectl-edit", Operation: "Update", Party: Person, Time: noon}}
}

func gone(git any, names ...string) Drift {
	d := field(git, nil, names...)
	d.Missing = true
	return d
}

// around is a change at noon, looked at a quarter of an hour later, of a workload of which it is known that nothing went wrong.
func around(drifts ...Drift) scene {
	return scene{drifts: drifts, now: minutes(15), at: noon, since: minutes(-60), troubles: gate.Known([]trouble{})}
}

func (s scene) with(all ...trouble) scene {
	s.troubles = gate.Known(all)
	return s
}

func atMinute(first, last int) trouble { return trouble{first: minutes(first), last: minutes(last)} }

func (d Drift) by(manager, operation, subresource string) Drift {
	d.Owner.Manager, d.Owner.Operation, d.Owner.Subresource = manager, operation, subresource
	return d
}

func saidBefore(image string) gate.Fact[bool] { return gate.Known(image == "shop/web:1.3") }

// TestEveryIntentRuleHoldsAndItsTwinDoesNot shows for every line of the table a change for which it holds, and the same change but for one
// thing, for which it does not.
func TestEveryIntentRuleHoldsAndItsTwinDoesNot(t *testing.T) {
	replicas := func(live int64) Drift { return field(int64(2), live, "spec", "replicas") }
	memory := func(live string) Drift { return field("64Mi", live, "containers", "resources", "limits", "memory") }
	image := func(live string) Drift { return field("shop/web:1.4", live, "containers", "image") }
	patience := func(live int64) Drift {
		return field(int64(3), live, "containers", "livenessProbe", "failureThreshold")
	}
	oom := trouble{first: minutes(-30), last: minutes(-1), memory: true}
	tests := map[string]struct {
		holds scene
		twin  func(*scene)
	}{
		"failing-before":                    {around(image("x:2")).with(atMinute(-59, -59)), func(s *scene) { *s = s.with(atMinute(-61, -61)) }},
		"healed-after":                      {around(image("x:2")).with(atMinute(-20, 1)), func(s *scene) { *s = s.with(atMinute(-20, 3)) }},
		"memory-raised-after-out-of-memory": {around(memory("128Mi")).with(oom), func(s *scene) { s.drifts = []Drift{memory("0.0625Gi")} }},
		"replicas-raised-while-failing":     {around(replicas(5)).with(atMinute(-5, -1)), func(s *scene) { s.drifts = []Drift{replicas(1)} }},
		"probe-relaxed-while-failing":       {around(patience(9)).with(atMinute(-5, -1)), func(s *scene) { s.drifts = []Drift{patience(1)} }},
		"image-of-before":                   {scene{drifts: []Drift{image("shop/web:1.3")}, older: saidBefore}, func(s *scene) { s.drifts = []Drift{image("shop/web:1.5")} }},
		"delivery-suspended":                {scene{suspended: gate.Known(true)}, func(s *scene) { s.suspended = gate.Known(false) }},
		"kept-from-delivery":                {around(replicas(5).by(fluxKeeps, "Update", "")), func(s *scene) { s.drifts[0].Owner.Manager = "kubectl-patch" }},
		"stale-file": {around(replicas(5).by("kubectl-client-side-apply", "Update", ""), image("x:2").by("kubectl", "Apply", "")),
			func(s *scene) { s.since = minutes(1) }},
		"one-letter-off":    {around(image("shop/wbe:1.4")), func(s *scene) { s.drifts = []Drift{image("shop/web:1.5")} }},
		"scaled-to-zero":    {around(replicas(0)), func(s *scene) { s.troubles = gate.Unknown[[]trouble]("not readable") }},
		"limits-removed":    {around(gone("1", "containers", "resources", "limits", "cpu")), func(s *scene) { s.drifts[0].Missing = false }},
		"moving-tag":        {around(image("shop/web:latest")), func(s *scene) { s.drifts = []Drift{image("shop/web:1.5")} }},
		"labels-changed":    {around(field("web", "wab", "template", "metadata", "labels", "app")), func(s *scene) { s.drifts[0].Path[2].Field = "annotations" }},
		"debug-leftover":    {around(field(list("serve"), list("sleep", "infinity"), "containers", "command")), func(s *scene) { s.drifts[0].Live = list("sleep", "1") }},
		"restarted":         {around(field(nil, "x", "metadata", "annotations", restartedAt)), func(s *scene) { s.drifts = append(s.drifts, replicas(5)) }},
		"scaled":            {around(replicas(5).by("kubectl", "Update", "scale")), func(s *scene) { s.drifts[0].Owner.Subresource = "" }},
		"security-weakened": {around(field(false, true, "containers", "securityContext", "privileged")), func(s *scene) { s.drifts[0].Live = false }},
	}
	holds := func(s scene, id string) bool {
		return slices.ContainsFunc(judgeIntent(s).held, func(r intentRule) bool { return r.id == id })
	}
	for _, r := range intentRules {
		t.Run(r.id, func(t *testing.T) {
			test, ok := tests[r.id]
			if !ok || r.law == "" || len(r.evidence) == 0 {
				t.Fatal("it has no test, no law or no evidence")
			}
			if !holds(test.holds, r.id) {
				t.Error("it does not hold where it should")
			}
			twin := test.holds
			twin.drifts = nil
			for _, d := range test.holds.drifts {
				d.Path = slices.Clone(d.Path)
				twin.drifts = append(twin.drifts, d)
			}
			if test.twin(&twin); holds(twin, r.id) {
				t.Error("it holds for its twin too")
			}
			if kept := (scene{kept: []string{r.id}}); holds(kept, r.id) != r.passing {
				t.Errorf("what the Case says of it counts: %t", !r.passing)
			}
			if holds(scene{}, r.id) {
				t.Error("it holds where nothing is known")
			}
		})
	}
	if len(tests) != len(intentRules) {
		t.Errorf("%d tests for %d rules", len(tests), len(intentRules))
	}
}

func TestWhatAChangeLooksLike(t *testing.T) {
	replicas := field(int64(2), int64(5), "spec", "replicas")
	failing := atMinute(-20, -1)
	tests := []struct {
		name   string
		scene  scene
		intent string
		sure   int
	}{
		{"nothing is known", scene{drifts: []Drift{replicas}}, "", 0},
		{"nothing went wrong", around(replicas), "", 0},
		{"it failed, and one reason is too little", around(field("a:1", "a:2", "image")).with(atMinute(-20, 12)), "", 0},
		{"it failed, and was well after the change", around(field("a:1", "a:2", "image")).with(failing), IntentEmergency, 95},
		{"more replicas while it failed", around(replicas).with(atMinute(-20, 12)), IntentEmergency, 95},
		{"what speaks for an emergency and for an accident is left open", around(field("shop/web:1", "shop/wbe:1", "image")).with(failing), "", 0},
		{"a limit is gone, and the tag moves", around(gone("1", "limits", "cpu"), field("a:1", "a", "image")), IntentAccident, 95},
		{"a container that waits", around(field(list("x"), list("sleep infinity"), "command")), IntentExperiment, 95},
		{"scaled in peace is for a human", around(replicas.by("kubectl", "Update", "scale")), "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := judgeIntent(test.scene); got.intent != test.intent || got.sure != test.sure {
				t.Errorf("got %q %d, want %q %d; held %v", got.intent, got.sure, test.intent, test.sure, got.held)
			}
		})
	}
}

func TestWhatComesOfAnIntent(t *testing.T) {
	person := Owner{Manager: "kubectl-edit", Party: Person, Time: noon}
	replicas := Drift{Path: fieldsOf("spec", "replicas"), Git: int64(2), Live: int64(5), Owner: person}
	tests := []struct {
		name     string
		intends  intention
		drifts   []Drift
		cause    string
		choice   string
		offered  bool
		silent   string
		openness bool
	}{
		{"an emergency fix is adopted", intention{intent: IntentEmergency, sure: 90}, []Drift{replicas}, IntentEmergency, ItemAdopt, true, "", false},
		{"an accident is never offered to Git", intention{intent: IntentAccident, sure: 90}, []Drift{replicas}, IntentAccident, "", false, "to go back to Git", false},
		{"nor an experiment", intention{intent: IntentExperiment, sure: 90}, []Drift{replicas}, IntentExperiment, "", false, "to go back to Git", false},
		{"a routine operation is offered, and not chosen", intention{intent: IntentRoutine, sure: 90}, []Drift{replicas}, IntentRoutine, "", true, "Git need not say it", false},
		{"an emergency fix that weakens is reported", intention{intent: IntentEmergency, sure: 90, weakens: true}, []Drift{replicas}, IntentEmergency, "", false, "never adopted", false},
		{"where Git may be ahead no intent counts", intention{intent: IntentEmergency, sure: 90}, []Drift{{Path: replicas.Path, Git: int64(2), Live: int64(5), Owner: person, Ahead: "x"}}, CauseAhead, "", false, "x", false},
		{"what rules cannot say stays open", intention{}, []Drift{replicas}, CausePerson, ItemAdopt, true, "", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := looked(test.drifts...)
			l.intention = test.intends
			a := assess(l)
			if a.Cause != test.cause || strings.Join(a.Choice, ",") != test.choice || !strings.Contains(a.Silent, test.silent) || (test.silent == "") != (a.Silent == "") || (a.Open != "") != test.openness {
				t.Errorf("got %+v", a)
			}
			if offered := slices.ContainsFunc(menu(l), func(x gate.Action) bool { return x.ID == ItemAdopt }); offered != test.offered {
				t.Errorf("adoption offered: %t", offered)
			}
			if !slices.Contains(Causes(), a.Cause) {
				t.Errorf("%s is not on the list of causes", a.Cause)
			}
		})
	}
}

func TestWhatWeakens(t *testing.T) {
	tests := []struct {
		name  string
		drift Drift
		want  bool
	}{
		{"the host's network", field(nil, true, "spec", "hostNetwork"), true},
		{"no host's network", field(true, false, "spec", "hostNetwork"), false},
		{"a capability more", field(list(), list("NET_ADMIN"), "securityContext", "capabilities", "add"), true},
		{"the drop of capabilities is gone", gone(list("ALL"), "securityContext", "capabilities", "drop"), true},
		{"no seccomp", field("RuntimeDefault", "Unconfined", "securityContext", "seccompProfile", "type"), true},
		{"root", field(int64(1000), int64(0), "securityContext", "runAsUser"), true},
		{"another user", field(int64(1000), int64(1001), "securityContext", "runAsUser"), false},
		{"a privileged container that Git does not have", field(nil, map[string]any{"name": "x", "securityContext": map[string]any{"privileged": true}}, "containers"), true},
		{"a container that Git does not have", field(nil, map[string]any{"name": "x", "image": "x"}, "containers"), false},
		{"replicas", field(int64(2), int64(0), "spec", "replicas"), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := weakened(test.drift); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestASlipOfAFingerIsNoVersion(t *testing.T) {
	for live, want := range map[string]bool{"shop/wbe:1.4": true, "shop/webb:1.4": true, "shop/eb:1.4": true, "shop/wab:1.4": true, "shop/web:1.5": false, "shop/web:1.4a": true,
		"shop/api:1.4": false, "shop/web:1.4": false, "shop/web:14": false} {
		if got := oneLetterOff(field("shop/web:1.4", live, "image")); got != want {
			t.Errorf("%s: got %t", live, got)
		}
	}
	if hidden := field("hunter", "huntre", "env", "value"); oneLetterOff(hidden) {
		t.Error("a value that may be secret is compared letter by letter")
	}
}

func TestWhatAModelSaidIsNoRule(t *testing.T) {
	k := &v1alpha1.Case{}
	k.Status.Findings = []v1alpha1.Finding{{ID: "failing-before"}, {ID: "healed-after", Nature: string(gate.Advised)}}
	if got := heldOn(k); !slices.Equal(got, []string{"failing-before"}) {
		t.Errorf("got %v", got)
	}
}

func TestWhichEventsAreAboutAWorkload(t *testing.T) {
	subject := gate.Ref{Kind: "Deployment", Namespace: "shop", Name: "web"}
	for name, want := range map[string]bool{"Deployment/web": true, "Pod/web-7d9f8b6c5-x2x4z": true, "ReplicaSet/web-7d9f8b6c5": true, "Pod/web-0": true,
		"Pod/web-front-7d9f8b6c5-x2x4z": false, "Deployment/web-front": false, "Service/web": false, "Pod/website-7d9f8b6c5-x2x4z": false} {
		kind, object, _ := strings.Cut(name, "/")
		if got := aboutObject(kind, object, subject); got != want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
