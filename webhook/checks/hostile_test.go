package checks

import (
	"fmt"
	"maps"
	"math/rand"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
	"moorgate.dev/test/injection"
)

// fitting are the texts of the corpus as they can stand in a channel.
func fitting(t *testing.T, channel string) (all []string) {
	t.Helper()
	payloads, err := injection.Payloads()
	if err != nil {
		t.Fatal(err)
	}
	channels, err := injection.Channels()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range channels {
		for _, p := range payloads {
			if text, how := c.Fit(p, strings.Repeat("0", 32)); c.Name == channel && how != injection.Skipped {
				all = append(all, text)
			}
		}
	}
	if len(all) < 100 {
		t.Fatalf("only %d texts can stand in a %s", len(all), channel)
	}
	return all
}

// TestL15NoNameChangesAVerdict: everything in the scene is called by a text that tries to steer, as far as names can hold one.
func TestL15NoNameChangesAVerdict(t *testing.T) {
	for i, text := range fitting(t, "container name") {
		for seed := range int64(4) {
			seed += 4 * int64(i)
			was, is := verdictOf(rolloutOf(seed, plainly)), verdictOf(rolloutOf(seed, func(s string) string { return cut50(text) + "-" + s }))
			if !reflect.DeepEqual(was, is) {
				t.Fatalf("%q, seed %d: %v became %v", text, seed, beyondIt(was, is), beyondIt(is, was))
			}
		}
	}
}

// cut50 leaves room for what tells one name from another.
func cut50(s string) string { return strings.TrimRight(s[:min(len(s), 50)], "-") }

// written are the places where a text stands that names nothing: what people, controllers and machines say.
var written = map[string]func(*Rollout, string){
	"annotation": func(r *Rollout, s string) {
		r.New.Template.Annotations = beside(r.New.Template.Annotations, "example.com/note", s)
	},
	"list of dependencies": func(r *Rollout, s string) {
		r.New.Template.Annotations = beside(r.New.Template.Annotations, DependsOn, s)
	},
	"label": func(r *Rollout, s string) {
		r.New.Template.Labels = beside(r.New.Template.Labels, "example.com/note", s)
	},
	"variable": func(r *Rollout, s string) { app(r).Env = append(app(r).Env, corev1.EnvVar{Name: "NOTE", Value: s}) },
	"name of a variable": func(r *Rollout, s string) {
		app(r).Env = append(app(r).Env, corev1.EnvVar{Name: s, Value: "x"})
	},
	"argument": func(r *Rollout, s string) { app(r).Args = append(app(r).Args, s) },
	"pod's message": eachPod(func(p *corev1.Pod, s string) {
		p.Status.Message, p.Status.Reason, p.Annotations = s, s, map[string]string{"note": s}
	}),
	"container's words": eachPod(func(p *corev1.Pod, s string) { speak(p.Status.ContainerStatuses, s) }),
	"node's label":      eachNode(func(n *corev1.Node, s string) { n.Labels["example.com/note"] = s }),
	"node's annotation": eachNode(func(n *corev1.Node, s string) { n.Annotations = map[string]string{"note": s} }),
	"node's condition": eachNode(func(n *corev1.Node, s string) {
		n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{Type: corev1.NodeConditionType(s), Status: "True", Reason: s, Message: s})
	}),
	"controller's words": func(r *Rollout, s string) { restuck(r, s) },
	"issuer's reason": func(r *Rollout, s string) {
		all, _ := r.World.Certificates.Get()
		for i := range all {
			all[i].Reason = s
		}
	},
	"words of what failed": func(r *Rollout, s string) {
		all, _ := r.World.FailedBefore.Get()
		for i := range all {
			all[i].How, all[i].Where = s, s
		}
	},
	"words of a probe": func(r *Rollout, s string) {
		for d, f := range r.World.Dependencies {
			if h, known := f.Get(); known && h.Down != "" {
				h.Down = s
				r.World.Dependencies[d] = gate.Known(h)
			}
		}
	},
	"error": func(r *Rollout, s string) {
		r.World.Pods, r.World.Services = gate.Unknown[[]corev1.Pod](s), gate.Unknown[[]corev1.Service](s)
	},
}

// beside is a map with one thing more.
func beside(all map[string]string, key, value string) map[string]string {
	more := map[string]string{key: value}
	maps.Copy(more, all)
	return more
}

func eachPod(say func(*corev1.Pod, string)) func(*Rollout, string) {
	return func(r *Rollout, s string) {
		all, _ := r.World.Pods.Get()
		for i := range all {
			say(&all[i], s)
		}
	}
}

func speak(all []corev1.ContainerStatus, s string) {
	for i := range all {
		if w := all[i].State.Waiting; w != nil {
			w.Message = s
		}
	}
}

func eachNode(say func(*corev1.Node, string)) func(*Rollout, string) {
	return func(r *Rollout, s string) {
		all, _ := r.World.Nodes.Get()
		for _, n := range all {
			say(n.Object, s)
		}
	}
}

// restuck has a controller that says that the rollout does not get on say it in other words.
func restuck(r *Rollout, s string) {
	if r.Old != nil && r.Old.Status.Stuck != "" {
		r.Old.Status.Stuck = "ProgressDeadlineExceeded: " + s
	}
}

// TestL15NoTextRaisesAScore: whatever is written where it names nothing, the score and the confidence are at most what they were. What a
// text takes away is that it may look like a dependency which nobody knows. A tag is left out: another tag is another image.
func TestL15NoTextRaisesAScore(t *testing.T) {
	texts := fitting(t, "annotation")
	rng := rand.New(rand.NewSource(1))
	for place, write := range written {
		for i, text := range texts {
			seed := rng.Int63()
			before, after := rolloutOf(seed, plainly), rolloutOf(seed, plainly)
			if place == "error" { // it was as little known before, for another reason
				write(&before, "not read")
			}
			write(&after, text)
			if was, is := score(before), score(after); is > was {
				t.Fatalf("text %d as %s, seed %d: score %d became %d\n%s\n\nbecame\n%s", i, place, seed, was, is, told(before), told(after))
			}
			if was, is := confidence(before), confidence(after); is > was {
				t.Fatalf("text %d as %s, seed %d: confidence %d became %d\n%s\n\nbecame\n%s", i, place, seed, was, is, told(before), told(after))
			}
			for _, f := range Assess(after, menu).Findings {
				if strings.ContainsAny(f.Text, "\n\r\x1b") || len([]rune(f.Text)) > textMax {
					t.Fatalf("%q", f.Text)
				}
			}
			if fmt.Sprint(Assess(before, menu).Choice) != fmt.Sprint(Assess(after, menu).Choice) {
				t.Fatal("something else is chosen")
			}
		}
	}
}
