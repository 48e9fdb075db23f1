package remediate

import (
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

func TestEffect(t *testing.T) {
	yes := gate.Known(true)
	for name, c := range map[string]struct {
		world   causes.World
		err     error
		before  int
		phase   string
		result  gate.Result
		pending bool
	}{
		"all are well":                            {causes.World{Symptom: causes.CrashLoop, Complete: yes, Pods: pods(causes.Well, causes.Well)}, nil, 1, v1alpha1.PhaseHealed, gate.ResultHealed, false},
		"the one in its place fails too":          {causes.World{Symptom: causes.CrashLoop, Complete: yes, Pods: pods(causes.Well, causes.Looping)}, nil, 1, v1alpha1.PhaseIneffective, gate.ResultIneffective, false},
		"the one in its place is not ready yet":   {causes.World{Symptom: causes.CrashLoop, Complete: yes, Pods: pods(causes.Well, causes.Unwell)}, nil, 1, v1alpha1.PhaseIneffective, gate.ResultIneffective, true},
		"the one in its place crashed once":       {causes.World{Symptom: causes.CrashLoop, Complete: yes, Pods: pods(causes.Well, causes.Unsure)}, nil, 1, v1alpha1.PhaseIneffective, gate.ResultIneffective, true},
		"fewer are well than before":              {causes.World{Symptom: causes.CrashLoop, Complete: yes, Pods: pods(causes.Looping, causes.Looping)}, nil, 1, v1alpha1.PhaseWorsened, gate.ResultWorsened, false},
		"fewer are well, and none fails yet":      {causes.World{Symptom: causes.CrashLoop, Complete: yes, Pods: pods(causes.Unwell, causes.Unwell)}, nil, 1, v1alpha1.PhaseWorsened, gate.ResultWorsened, true},
		"well pods of another revision count":     {causes.World{Symptom: causes.CrashLoop, Complete: yes, Pods: pods(causes.Well), Others: pods(causes.Well)}, nil, 2, v1alpha1.PhaseHealed, gate.ResultHealed, false},
		"another rollout came in between":         {causes.World{Symptom: causes.CrashLoop, Complete: yes, Others: pods(causes.Well)}, nil, 1, v1alpha1.PhaseUnclear, gate.ResultPending, false},
		"nothing is left":                         {causes.World{Symptom: causes.CrashLoop, Complete: yes}, nil, 1, v1alpha1.PhaseUnclear, gate.ResultPending, false},
		"not every pod can be read":               {causes.World{Symptom: causes.CrashLoop, Pods: pods(causes.Well)}, nil, 1, v1alpha1.PhaseUnclear, gate.ResultPending, true},
		"the workload is gone":                    {causes.World{}, errGone, 1, v1alpha1.PhaseUnclear, gate.ResultPending, false},
		"it could not be read until the very end": {causes.World{}, errors.New("connection refused"), 1, v1alpha1.PhaseUnclear, gate.ResultPending, false},
	} {
		got, pending := effect(c.world, c.err, c.before, false)
		if got.Phase != c.phase || got.Result != c.result || pending != c.pending || got.Text == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestEffectOfReplacing shows what is said where the failing revision was to be replaced: what is left of it is still to go.
func TestEffectOfReplacing(t *testing.T) {
	yes := gate.Known(true)
	for name, c := range map[string]struct {
		world   causes.World
		before  int
		phase   string
		pending bool
	}{
		"none of it is left, and all are well":     {causes.World{Symptom: causes.CrashLoop, Complete: yes, Others: pods(causes.Well, causes.Well)}, 1, v1alpha1.PhaseHealed, false},
		"some of it is left":                       {causes.World{Symptom: causes.CrashLoop, Complete: yes, Pods: pods(causes.Looping), Others: pods(causes.Well, causes.Well)}, 2, v1alpha1.PhaseIneffective, true},
		"some of it is left, and runs for now":     {causes.World{Symptom: causes.CrashLoop, Complete: yes, Pods: pods(causes.Well), Others: pods(causes.Well)}, 2, v1alpha1.PhaseIneffective, true},
		"what came in its place is not ready yet":  {causes.World{Symptom: causes.CrashLoop, Complete: yes, Others: pods(causes.Well, causes.Unwell)}, 1, v1alpha1.PhaseIneffective, true},
		"what came in its place fails in part":     {causes.World{Symptom: causes.CrashLoop, Complete: yes, Others: pods(causes.Well, causes.Looping)}, 1, v1alpha1.PhaseIneffective, false},
		"what came in its place fails, all of it":  {causes.World{Symptom: causes.CrashLoop, Complete: yes, Others: pods(causes.Looping, causes.Looping)}, 1, v1alpha1.PhaseWorsened, false},
		"it was scaled to nothing in the meantime": {causes.World{Symptom: causes.CrashLoop, Complete: yes}, 1, v1alpha1.PhaseUnclear, false},
	} {
		got, pending := effect(c.world, nil, c.before, true)
		if got.Phase != c.phase || pending != c.pending || got.Text == "" {
			t.Errorf("%s: %+v, pending %t", name, got, pending)
		}
	}
}

func TestSince(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := func(minutes int) metav1.Time { return metav1.NewTime(noon.Add(time.Duration(minutes) * time.Minute)) }
	recovered := func(status metav1.ConditionStatus, minutes int) []metav1.Condition {
		return []metav1.Condition{{Type: ConditionRecovered, Status: status, LastTransitionTime: at(minutes)}}
	}
	for name, c := range map[string]struct {
		firstSeen, created metav1.Time
		conditions         []metav1.Condition
		want               metav1.Time
	}{
		"when it was first seen":                                {at(2), at(1), nil, at(2)},
		"not before the API server made its Case":               {at(-600), at(1), nil, at(1)},
		"when it came back":                                     {at(0), at(1), recovered(metav1.ConditionFalse, 30), at(30)},
		"not before its Case, whatever else is said":            {at(0), at(1), recovered(metav1.ConditionFalse, -30), at(1)},
		"now, where it was over and nobody has said it is back": {at(0), at(1), recovered(metav1.ConditionTrue, 30), at(60)},
	} {
		k := &v1alpha1.Case{}
		k.CreationTimestamp, k.Spec.Signal.FirstSeen, k.Status.Conditions = c.created, c.firstSeen, c.conditions
		if got, _ := since(k, at(60).Time).Get(); !got.Equal(c.want.Time) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestChosen(t *testing.T) {
	live := v1alpha1.Choice{ID: "evict", Reach: "live", Digest: "sha256:1"}
	for name, c := range map[string]struct {
		menu   []v1alpha1.Choice
		chosen []string
		want   string
	}{
		"the one live action":              {[]v1alpha1.Choice{live}, []string{"evict"}, "sha256:1"},
		"nothing that reaches less far":    {[]v1alpha1.Choice{{ID: "escalate", Reach: "nothing", Digest: "sha256:2"}}, []string{"escalate"}, ""},
		"no pull request":                  {[]v1alpha1.Choice{{ID: "pull-request", Reach: "git", Digest: "sha256:2"}}, []string{"pull-request"}, ""},
		"nothing where several are chosen": {[]v1alpha1.Choice{live}, []string{"evict", "evict"}, ""},
		"nothing that is not on the menu":  {[]v1alpha1.Choice{live}, []string{"roll-back"}, ""},
		"nothing where nothing is chosen":  {[]v1alpha1.Choice{live}, nil, ""},
	} {
		k := &v1alpha1.Case{Status: v1alpha1.CaseStatus{Menu: c.menu, Chosen: c.chosen}}
		plan, is := acting.Chosen(k, gate.ReachLive)
		if !is {
			plan = ""
		}
		if plan != c.want {
			t.Errorf("%s: %q, want %q", name, plan, c.want)
		}
	}
}

// TestThePlanStays shows that the pod that was offered is offered again as long as it fails, whichever fails besides.
func TestThePlanStays(t *testing.T) {
	w := causes.World{Symptom: causes.CrashLoop, Complete: gate.Known(true), Source: gate.Known(""), Earlier: gate.Known[*causes.Earlier](nil), Pods: pods(causes.Looping, causes.Well, causes.Looping)}
	cause, _ := causes.Of(w)
	target := func(plan string) gate.Action { return menu(w, cause, plan)[0] }
	first := target("")
	w.Pods[0].State = causes.Unsure
	second := target(first.PlanDigest())
	w.Pods[0].State = causes.Looping
	if first.Target.Name != "web-a" || second.Target.Name != "web-c" {
		t.Fatalf("offered %s and then %s", first.Target, second.Target)
	}
	if again := target(second.PlanDigest()); again.Target != second.Target {
		t.Errorf("offered %s, want %s again", again.Target, second.Target)
	}
	if other := target("sha256:of something else"); other.Target != first.Target {
		t.Errorf("offered %s for a plan that nobody made, want the first", other.Target)
	}
}

func TestStands(t *testing.T) {
	w := causes.World{Symptom: causes.CrashLoop, Complete: gate.Known(true), Source: gate.Known(""), Earlier: gate.Known[*causes.Earlier](nil), Pods: pods(causes.Looping, causes.Well, causes.Looping)}
	cause, _ := causes.Of(w)
	plan := menu(w, cause, "")[0].PlanDigest()
	for name, c := range map[string]struct {
		state causes.State
		plan  string
		want  bool
	}{
		"while its pod fails":                    {causes.Looping, plan, true},
		"while its pod runs between two crashes": {causes.Unsure, plan, true},
		"not when its pod is well":               {causes.Well, plan, false},
		"not when its pod waits for something":   {causes.Unwell, plan, false},
		"not where nobody made it":               {causes.Looping, "sha256:of something else", false},
		"where there is none":                    {causes.Looping, "", true},
	} {
		w.Pods[0].State = c.state
		if got := stands(c.plan, w, menu(w, cause, c.plan)); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}
