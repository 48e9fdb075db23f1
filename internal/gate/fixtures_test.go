package gate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// now is when everything in these tests happens.
var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// rail is a Guardrail that allows whatever is sound.
func rail() Rail {
	hourly := Budget{Actions: 3, Window: time.Hour}
	return Rail{Name: "team", Mode: Automatic, Admission: AdmissionEnforce, WarnBelow: Known(80), DenyBelow: Known(50), ConfidenceBelow: Known(60),
		AgreementBelow: Known(70), HistoryBelow: Known(75), Approvers: Known(0),
		Actions: []Permitted{{Verb: "evict", Kinds: []string{"Pod"}}, {Verb: "pull-request"}, {Verb: "scale", Kinds: []string{"Deployment"},
			Bounds: []Bound{{Field: "replicas", Min: "1", Max: "10", Change: 100}, {Field: "resources.limits[memory]", Max: "2Gi"}}}},
		Drift:   Settling{Direction: DirectionAdopt, Any: true},
		Budgets: Budgets{Total: hourly, Namespace: hourly, Workload: hourly},
		Restraint: Restraint{MinHealthy: Known(51), Storm: Known(20), Wait: time.Minute, Fresh: 5 * time.Minute, Attempts: 3,
			CoolDown: 10 * time.Minute}}
}

func opinion() Assessment {
	return Assessment{Advisor: "test", Cause: "crash", Score: Known(100), Confidence: Known(100), Agreement: Known(100), Choice: []string{"act"}}
}

var web = Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "d1"}

// eviction, proposal and scaling are actions as the menu offers them.
func eviction() Action {
	return Action{ID: "act", Verb: "evict", Reach: ReachLive, Workload: web, Undo: "its ReplicaSet starts another",
		Target: Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "web-1", UID: "u1"},
		Request: &Request{Method: "POST", Path: "/api/v1/namespaces/shop/pods/web-1/eviction", ContentType: "application/json",
			Body: []byte(`{"deleteOptions":{"preconditions":{"uid":"u1"}}}`)}}
}

func proposal() Action {
	return Action{ID: "propose", Verb: "pull-request", Reach: ReachGit, Workload: web, Target: web, Base: "c0ffee", Undo: "close it",
		Edits:   []Edit{{Path: "spec.template.spec.containers[name=app].image", Old: `"app:2"`, New: `"app:1"`}},
		Request: &Request{Method: "POST", Path: "/repos/shop/deploy/pulls", ContentType: "application/json", Body: []byte(`{"title":"Go back"}`)}}
}

func scaling() Action {
	return Action{ID: "scale", Verb: "scale", Reach: ReachLive, Workload: web, Target: web, Undo: "scale it back",
		Edits: []Edit{{Path: "spec.replicas", Old: "3", New: "5"}},
		Request: &Request{Method: "PATCH", Path: "/apis/apps/v1/namespaces/shop/deployments/web", ContentType: "application/json-patch+json",
			Body: []byte(`[{"op":"replace","path":"/spec/replicas","value":5}]`)}}
}

func marking() Action {
	return Action{ID: "mark", Verb: "annotate", Reach: ReachMark, Target: web,
		Request: &Request{Method: "PATCH", Path: "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=moorgate",
			ContentType: "application/apply-patch+yaml", Body: []byte(`{}`)}}
}

// facts are a world in which everything is known and nothing stands in the way.
func facts() Facts {
	return Facts{At: now, Subject: web, Namespace: Known(map[string]string{"team": "shop"}), Paused: Known([]string(nil)),
		Rollback: Known(false), Failing: Known(false), Brings: Known(true), Since: Known(ago(time.Hour)), Oldest: Known(ago(time.Minute)), Owner: Known(Owner{}), Drift: Known(""),
		Health: Known(Share{Well: 9, Total: 10}), Storm: Known(1), Ledger: Known(Ledger{}),
		History: Known(Tally{Cause: "crash", Verb: "evict", Tried: 40, Healed: 40}), Approvals: Known([]Approval(nil)),
		Menu: []Action{eviction(), proposal(), scaling(), marking(),
			{ID: "admit", Verb: "admit", Reach: ReachAnswer}, {ID: "none", Verb: "nothing", Reach: ReachNothing}}}
}

// spent is a ledger's entry for the eviction of facts, some time ago.
func spent(since time.Duration, result Result) Spent {
	return Spent{ID: fmt.Sprint("s", since), At: ago(since), Guardrails: []string{"team"}, Namespace: "shop", Workload: WorkloadKey(web), Verb: "evict",
		Target: "/Pod/shop/web-0", Cause: "crash", Result: result}
}

func word(by string, a Action) Approval {
	return Approval{Name: by, Approver: by, Plan: a.PlanDigest(), At: ago(time.Minute), Expires: now.Add(time.Hour)}
}

// weighed is one row of a rule's table: what is changed in a world where all is well, and what the rule makes of it.
type weighed struct {
	name   string
	change func(r *Rail, a *Assessment, f *Facts)
	want   Decision
	text   string // that its reason holds
}

// weigh shows what Decide makes of each row, and that below Allow the rule, and no other one, gives the reason.
func weigh(t *testing.T, rule string, rows []weighed) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r, a, f := rail(), opinion(), facts()
			row.change(&r, &a, &f)
			v := Decide(Policy{Rails: []Rail{r}}, a, f)
			if v.Decision != row.want {
				t.Fatalf("decision = %s, want %s; reasons %+v", v.Decision, row.want, v.Reasons)
			}
			if row.want == Allow {
				return
			}
			mine := slices.DeleteFunc(slices.Clone(v.Reasons), func(x Reason) bool { return x.Rule != rule })
			if len(mine) != 1 || mine[0].Decision != row.want || mine[0].Guardrail != "team" || !strings.Contains(mine[0].Text, row.text) {
				t.Errorf("rule %s says %+v, want %s with %q", rule, mine, row.want, row.text)
			}
			if len(v.Reasons) != 1 {
				t.Errorf("others speak too: %+v", v.Reasons)
			}
			if _, permitted := v.Permit(); permitted {
				t.Errorf("%s carries a permit", row.want)
			}
		})
	}
}
