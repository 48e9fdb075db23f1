package drift

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/source"
)

// parseGitSource reads a GitSource strictly: a field that this version does not know may be the one that matters.
func parseGitSource(u *unstructured.Unstructured) (v1alpha1.GitSource, error) {
	g := v1alpha1.GitSource{}
	g.Name, g.Namespace, g.UID, g.Generation = u.GetName(), u.GetNamespace(), u.GetUID(), u.GetGeneration()
	spec, err := json.Marshal(u.Object["spec"])
	if err != nil {
		return g, fmt.Errorf("read the spec: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(spec))
	d.DisallowUnknownFields()
	if err := d.Decode(&g.Spec); err != nil {
		return g, fmt.Errorf("read the spec: %w", err)
	}
	return g, nil
}

// tree is the repository as it is now. Within the interval it is what was read last; after it, a head that has not moved
// costs one question.
func (d *Detector) tree(ctx context.Context, key client.ObjectKey, from Repository) (tree, error) {
	d.lock.Lock()
	last, known := d.last[key]
	d.lock.Unlock()
	known = known && last.from == from
	if known && d.Now().Sub(last.at) < d.interval() {
		return last, nil
	}
	commit := ""
	if known {
		commit = last.Commit
	}
	read, err := d.Git(ctx, from, commit)
	if err != nil {
		return tree{}, err
	}
	if known && read.Commit == last.Commit {
		last.at = d.Now()
		d.remember(key, last)
		return last, nil
	}
	now := tree{Tree: read, from: from, at: d.Now()}
	if now.objects, err = source.Read(read.Files, key.Namespace); err != nil {
		return tree{Tree: Tree{Commit: read.Commit}}, err
	}
	d.remember(key, now)
	return now, nil
}

func (d *Detector) remember(key client.ObjectKey, t tree) {
	d.lock.Lock()
	defer d.lock.Unlock()
	if d.last == nil {
		d.last = map[client.ObjectKey]tree{}
	}
	d.last[key] = t
}

func (d *Detector) forget(key client.ObjectKey) {
	d.lock.Lock()
	defer d.lock.Unlock()
	delete(d.last, key)
}

// say keeps the status of a GitSource: the commit that was read, and Ready with what was wrong or what was done. It writes
// only what changed.
func (d *Detector) say(ctx context.Context, u *unstructured.Unstructured, commit string, problem error, text string) error {
	var status v1alpha1.GitSourceStatus
	if raw, ok := u.Object["status"].(map[string]any); ok {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, &status); err != nil {
			return fmt.Errorf("read the status of GitSource %s/%s: %w", u.GetNamespace(), u.GetName(), err)
		}
	}
	before := status.DeepCopy()
	status.ObservedGeneration = u.GetGeneration()
	if commit != "" {
		status.Commit = commit
	}
	meta.SetStatusCondition(&status.Conditions, cluster.Ready(d.Now(), u.GetGeneration(), problem, short(printable(text), 1024)))
	if equality.Semantic.DeepEqual(*before, status) {
		return nil
	}
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&status)
	if err != nil {
		return fmt.Errorf("encode the status of GitSource %s/%s: %w", u.GetNamespace(), u.GetName(), err)
	}
	old := u.DeepCopy()
	u.Object["status"] = raw
	if err := d.Client.Status().Patch(ctx, u, client.MergeFrom(old)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status of GitSource %s/%s: %w", u.GetNamespace(), u.GetName(), err)
	}
	return nil
}

// round is what came of comparing one GitSource once.
type round struct {
	commit                    string
	skipped                   []string
	compared                  int
	differ, absent, elsewhere []string
	unreadable                []string
	open                      map[string]bool // the names of the Cases of what is wrong now
	unread                    map[string]bool // the workload labels of what could not be compared
}

func (r *round) note(l *look) {
	switch name := l.object.Name.Name; {
	case l.absent:
		r.absent = append(r.absent, name)
	case len(l.unread) > 0:
		r.unreadable = append(r.unreadable, name)
		r.unread[cluster.WorkloadLabel(l.subject)] = true
	default:
		r.compared++
		if len(l.drifts) > 0 {
			r.differ = append(r.differ, name)
		}
	}
}

// text tells the round in one line.
func (r *round) text() string {
	parts := []string{fmt.Sprintf("Deployments compared with commit %.12s: %d", r.commit, r.compared)}
	for _, p := range []struct {
		what  string
		names []string
	}{{"differ", r.differ}, {"could not be read", r.unreadable}, {"not in the cluster", r.absent},
		{"ignored, because they belong elsewhere", r.elsewhere}, {"not followed", r.skipped}} {
		if n := len(p.names); n > 0 {
			parts = append(parts, fmt.Sprintf("%s: %s", p.what, strings.Join(first(p.names, 5), ", ")))
			if n > 5 {
				parts[len(parts)-1] += fmt.Sprintf(" and %d more", n-5)
			}
		}
	}
	return strings.Join(parts, "; ")
}

func first(names []string, n int) []string { return names[:min(len(names), n)] }

// printable replaces what could move a terminal's cursor: names come from repositories.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) {
			return ' '
		}
		return r
	}, s)
}
