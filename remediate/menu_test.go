package remediate

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

func pods(states ...causes.State) []causes.Pod {
	var all []causes.Pod
	for i, s := range states {
		all = append(all, causes.Pod{Ref: gate.Ref{Kind: "Pod", Name: "web-" + string(rune('a'+i)), UID: "p"}, Controller: "ReplicaSet", State: s,
			Exit: gate.Known(causes.Exit{Code: 1, Reason: "Error"}), Healthy: s == causes.Well})
	}
	return all
}

func TestMenu(t *testing.T) {
	works := &causes.Earlier{Number: 3, Available: 2, Edits: []gate.Edit{{Path: "spec.template.spec.containers[name=app].image", Old: `"a:2"`, New: `"a:1"`}}}
	dead := &causes.Earlier{Number: 3, Edits: works.Edits}
	bare := pods(causes.Looping, causes.Well)
	bare[0].Controller = ""
	oom := pods(causes.Looping, causes.Well)
	oom[0].Exit = gate.Known(causes.Exit{Code: 137, Reason: "OOMKilled"})
	yes, nobody, none := gate.Known(true), gate.Known(""), gate.Known[*causes.Earlier](nil)
	for name, c := range map[string]struct {
		world causes.World
		want  string
	}{
		"nothing helps where every pod fails":              {causes.World{Symptom: causes.CrashLoop, Pods: pods(causes.Looping, causes.Looping), Complete: yes, Source: nobody, Earlier: none}, "escalate nothing"},
		"another pod may help where some do not":           {causes.World{Symptom: causes.CrashLoop, Pods: pods(causes.Looping, causes.Well), Complete: yes, Source: nobody, Earlier: none}, "evict escalate nothing"},
		"one that runs between two crashes proves nothing": {causes.World{Symptom: causes.CrashLoop, Pods: pods(causes.Looping, causes.Unsure), Complete: yes, Source: nobody, Earlier: gate.Known(works)}, "roll-back escalate nothing"},
		"nor does one that waits for something":            {causes.World{Symptom: causes.CrashLoop, Pods: pods(causes.Looping, causes.Unwell), Complete: yes, Source: nobody, Earlier: none}, "escalate nothing"},
		"no eviction where pods may be missing":            {causes.World{Symptom: causes.CrashLoop, Pods: pods(causes.Looping, causes.Well), Source: nobody, Earlier: none}, "escalate nothing"},
		"no eviction where nobody makes another":           {causes.World{Symptom: causes.CrashLoop, Pods: bare, Complete: yes, Source: nobody, Earlier: none}, "escalate nothing"},
		"no eviction where another has the same limit":     {causes.World{Symptom: causes.CrashLoop, Pods: oom, Complete: yes, Source: nobody, Earlier: none}, "escalate nothing"},
		"back to what works":                               {causes.World{Symptom: causes.CrashLoop, Pods: pods(causes.Looping), Complete: yes, Source: nobody, Earlier: gate.Known(works)}, "roll-back escalate nothing"},
		"back by Git where Git owns the manifest":          {causes.World{Symptom: causes.CrashLoop, Pods: pods(causes.Looping), Complete: yes, Source: gate.Known("Flux"), Earlier: gate.Known(works)}, "pull-request escalate nothing"},
		"not back where nobody knows who owns it":          {causes.World{Symptom: causes.CrashLoop, Pods: pods(causes.Looping), Complete: yes, Earlier: gate.Known(works)}, "escalate nothing"},
		"not back to what may not work":                    {causes.World{Symptom: causes.CrashLoop, Pods: pods(causes.Looping), Complete: yes, Source: nobody, Earlier: gate.Known(dead)}, "escalate nothing"},
		"not back where revisions could not be read":       {causes.World{Symptom: causes.CrashLoop, Pods: pods(causes.Looping), Complete: yes, Source: nobody}, "escalate nothing"},
		"eviction before going back, the smaller first":    {causes.World{Symptom: causes.CrashLoop, Pods: pods(causes.Well, causes.Looping), Complete: yes, Source: nobody, Earlier: gate.Known(works)}, "evict roll-back escalate nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			cause, _ := causes.Of(c.world)
			var ids []string
			for _, a := range menu(c.world, cause, "") {
				ids = append(ids, a.ID)
				live, git := a.ID == causes.Evict || a.ID == causes.RollBack, a.ID == causes.PullRequest
				if live != (a.Reach == gate.ReachLive) || git != (a.Reach == gate.ReachGit) {
					t.Errorf("%s reaches %s", a.ID, a.Reach)
				}
				if a.ID == causes.Evict && (a.Target.Kind != "Pod" || a.Target.UID == "") {
					t.Errorf("%s targets %+v", a.ID, a.Target)
				}
			}
			if got := strings.Join(ids, " "); got != c.want {
				t.Errorf("the menu is %q, want %q", got, c.want)
			}
		})
	}
}

func revision(name, number, hash, image, token string, available int32) appsv1.ReplicaSet {
	yes := true
	s := appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Labels: map[string]string{"pod-template-hash": hash},
		Annotations: map[string]string{revisionAnnotation: number}, OwnerReferences: []metav1.OwnerReference{{UID: "deployment", Controller: &yes}}},
		Status: appsv1.ReplicaSetStatus{AvailableReplicas: available}}
	s.Spec.Template.Labels = map[string]string{"pod-template-hash": hash}
	s.Spec.Template.Spec.Containers = []corev1.Container{{Name: "app", Image: image, Env: []corev1.EnvVar{{Name: "TOKEN", Value: token}}}}
	return s
}

func TestBefore(t *testing.T) {
	stranger := revision("stranger", "9", "zz", "evil:1", "", 3)
	stranger.OwnerReferences[0].UID = "another"
	for name, c := range map[string]struct {
		sets  []appsv1.ReplicaSet
		says  string
		edits int
	}{
		"only the image differs":        {[]appsv1.ReplicaSet{revision("old", "1", "aa", "app:1", "x", 2), revision("new", "2", "bb", "app:2", "x", 0)}, "revision 1 still has 2 available pods", 1},
		"something else differs too":    {[]appsv1.ReplicaSet{revision("old", "1", "aa", "app:1", "hunter2", 2), revision("new", "2", "bb", "app:2", "hunter3", 0)}, "revision 1 still has 2 available pods", 2},
		"the latest of several":         {[]appsv1.ReplicaSet{revision("older", "1", "aa", "app:0", "x", 0), revision("old", "3", "cc", "app:1", "x", 1), revision("new", "4", "bb", "app:2", "x", 0)}, "revision 3 still has 1", 1},
		"no pod of it is left":          {[]appsv1.ReplicaSet{revision("old", "1", "aa", "app:1", "x", 0), revision("new", "2", "bb", "app:2", "x", 0)}, "whether revision 1 ran well is not known", 1},
		"there is none":                 {[]appsv1.ReplicaSet{revision("new", "1", "bb", "app:2", "x", 0), stranger}, "there is no revision before revision 1", 0},
		"it is being replaced already":  {[]appsv1.ReplicaSet{revision("old", "1", "aa", "app:1", "x", 2), revision("new", "2", "bb", "app:2", "x", 0), revision("fix", "3", "cc", "app:3", "x", 0)}, "being replaced by revision 3", 0},
		"the failing one was not found": {[]appsv1.ReplicaSet{revision("old", "1", "aa", "app:1", "x", 2)}, "was not found", 0},
		"images that nobody could pull": {[]appsv1.ReplicaSet{revision("old", "1", "aa", "app:1", "x", 2), revision("new", "2", "bb", "app:\u202e2", "x", 0)}, "revision 1 still has 2 available pods", 1},
		"a number that makes no sense":  {[]appsv1.ReplicaSet{revision("old", "1", "aa", "app:1", "x", 2), revision("new", "two", "bb", "app:2", "x", 0)}, "was not found", 0},
	} {
		t.Run(name, func(t *testing.T) {
			earlier, says := before(c.sets, "deployment", "bb")
			if !strings.Contains(says, c.says) {
				t.Errorf("it says %q", says)
			}
			if earlier == nil {
				earlier = &causes.Earlier{}
			}
			if len(earlier.Edits) != c.edits {
				t.Errorf("the edits are %+v", earlier.Edits)
			}
			for _, e := range earlier.Edits {
				if strings.ContainsAny(e.Path+e.Old+e.New, "\u202e") || strings.Contains(e.Path+e.Old+e.New, "hunter") {
					t.Errorf("an environment variable's value or hidden text shows in %+v", e)
				}
			}
		})
	}
}

func TestEnding(t *testing.T) {
	yes := gate.Known(true)
	for name, c := range map[string]struct {
		world causes.World
		gone  bool
		want  string
	}{
		"deleted":                        {causes.World{}, true, "Unknown Gone"},
		"pods may be missing":            {causes.World{Symptom: causes.CrashLoop, Pods: pods(causes.Well)}, false, " "},
		"scaled to nothing":              {causes.World{Symptom: causes.CrashLoop, Complete: yes}, false, "Unknown NoPods"},
		"still failing":                  {causes.World{Symptom: causes.CrashLoop, Complete: yes, Pods: pods(causes.Looping, causes.Well)}, false, " "},
		"runs since a moment":            {causes.World{Symptom: causes.CrashLoop, Complete: yes, Pods: pods(causes.Unsure)}, false, " "},
		"well":                           {causes.World{Symptom: causes.CrashLoop, Complete: yes, Pods: pods(causes.Well, causes.Well)}, false, "True Ready"},
		"replaced by what is well":       {causes.World{Symptom: causes.CrashLoop, Complete: yes, Others: pods(causes.Well)}, false, "True Replaced"},
		"replaced by what is not":        {causes.World{Symptom: causes.CrashLoop, Complete: yes, Others: pods(causes.Unwell)}, false, " "},
		"well, while the rest is not":    {causes.World{Symptom: causes.CrashLoop, Complete: yes, Pods: pods(causes.Well), Others: pods(causes.Looping)}, false, " "},
		"replaced in part, all are well": {causes.World{Symptom: causes.CrashLoop, Complete: yes, Pods: pods(causes.Well), Others: pods(causes.Well)}, false, "True Ready"},
	} {
		status, reason, _ := ending(c.world, c.gone)
		if got := string(status) + " " + reason; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
