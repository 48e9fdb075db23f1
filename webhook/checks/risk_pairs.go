package checks

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pair is one container as it was and as it will be.
type pair struct{ old, new *corev1.Container }

// paired returns the containers that are there before and after, and whether others come or go.
func paired(old, new *Workload) (pairs []pair, uneven bool) {
	was, is := everyContainer(&old.Template.Spec), everyContainer(&new.Template.Spec)
	if len(was) == 1 && len(is) == 1 {
		return []pair{{was[0], is[0]}}, false
	}
	byName := make(map[string]*corev1.Container, len(was))
	for _, c := range was {
		byName[c.Name] = c
	}
	for _, c := range is {
		if before := byName[c.Name]; before != nil {
			pairs = append(pairs, pair{before, c})
		}
	}
	return pairs, len(pairs) != len(was) || len(pairs) != len(is)
}

func sameSelector(a, b *metav1.LabelSelector) bool { return equality.Semantic.DeepEqual(a, b) }

// loosened says how more pods than before may be away at once. What differs by the number of replicas alone says nothing.
func loosened(old, new *Workload) string {
	switch {
	case new.Recreate && !old.Recreate && !old.OnDelete:
		return "the strategy becomes Recreate: every pod goes before a new one comes"
	case old.OnDelete, new.OnDelete, old.Recreate, old.Replicas != new.Replicas, new.MaxUnavailable <= old.MaxUnavailable:
		return ""
	}
	return fmt.Sprintf("the strategy lets %d of %s be away at once, before %d", new.MaxUnavailable, plural(int(new.Replicas), "pod"), old.MaxUnavailable)
}

func probesRemoved(pairs []pair) (gone []string) {
	for _, p := range pairs {
		after := probesOf(p.new)
		for i, was := range probesOf(p.old) {
			if was.probe != nil && after[i].probe == nil {
				gone = append(gone, was.kind+" of "+p.new.Name)
			}
		}
	}
	return gone
}

func recommanded(pairs []pair) (other []string) {
	for _, p := range pairs {
		if replaced(p.old.Command, p.new.Command) || replaced(p.old.Args, p.new.Args) {
			other = append(other, p.new.Name)
		}
	}
	return other
}

// replaced reports whether a command that was given is another one now, not one with a flag more or another value.
func replaced(old, new []string) bool {
	if len(old) == 0 || slices.Equal(old, new) {
		return false
	}
	if len(new) == 0 || bare(old[0]) != bare(new[0]) && !strings.HasPrefix(old[0], "-") {
		return true
	}
	left := map[string]int{}
	for _, w := range new {
		left[bare(w)]++
	}
	kept := 0
	for _, w := range old {
		switch {
		case left[bare(w)] > 0:
			left[bare(w)]--
			kept++
		case strings.ContainsAny(w, " \n"): // a script
			return true
		}
	}
	return 2*kept < len(old)
}

// bare is a word of a command without the value of its flag.
func bare(word string) string {
	if flag, _, ok := strings.Cut(word, "="); ok && strings.HasPrefix(word, "-") {
		return flag
	}
	return word
}

// envRemoved names the variables that are gone, unless a source of many came that may hold them.
func envRemoved(pairs []pair) (gone []string) {
	for _, p := range pairs {
		if len(p.new.EnvFrom) > len(p.old.EnvFrom) {
			continue
		}
		has := make(map[string]bool, len(p.new.Env))
		for _, e := range p.new.Env {
			has[e.Name] = true
		}
		for _, e := range p.old.Env {
			if !has[e.Name] {
				gone = append(gone, e.Name)
			}
		}
	}
	return gone
}

// unmounted names the places at which something was mounted and nothing is any more.
func unmounted(pairs []pair) (gone []string) {
	for _, p := range pairs {
		has := make(map[string]bool, len(p.new.VolumeMounts))
		for _, m := range p.new.VolumeMounts {
			has[strings.TrimSuffix(m.MountPath, "/")] = true
		}
		for _, m := range p.old.VolumeMounts {
			if !has[strings.TrimSuffix(m.MountPath, "/")] {
				gone = append(gone, m.MountPath+" ("+name(m.Name)+")")
			}
		}
	}
	return gone
}
