package drift

import (
	"context"
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
)

// The labels by which Flux marks what a Kustomization applied.
const (
	fluxName      = "kustomize.toolkit.fluxcd.io/name"
	fluxNamespace = "kustomize.toolkit.fluxcd.io/namespace"
)

// stay is an annotation that says that an object is not to be pruned, with the word by which it does.
type stay struct{ annotation, word string }

var stays = []stay{
	{"kustomize.toolkit.fluxcd.io/prune", "disabled"},
	{"kustomize.toolkit.fluxcd.io/reconcile", "disabled"},
	{"kustomize.toolkit.fluxcd.io/ssa", "ignore"},
	{"argocd.argoproj.io/sync-options", "prune=false"},
	{"argocd.argoproj.io/sync-options", "delete=false"},
	{"argocd.argoproj.io/compare-options", "ignoreextraneous"},
	{"helm.sh/resource-policy", "keep"},
}

// in reports whether the word is among those of an annotation, which are divided by commas.
func (s stay) in(text string) bool {
	for _, word := range strings.Split(text, ",") {
		if strings.EqualFold(strings.TrimSpace(word), s.word) {
			return true
		}
	}
	return false
}

// keepOrphans keeps the Case of what a delivery has left in its namespace. It is looked for where something else was applied, where it
// could not be said or something was found the last time, and in a sweep.
func (d *Detector) keepOrphans(ctx context.Context, of client.ObjectKey, r *round) {
	if !r.tree.orphans() {
		return
	}
	d.lock.Lock()
	before := d.searched[of]
	others, whole := make([]Delivered, 0, len(d.deliveries.now)), d.deliveries.whole
	for _, y := range d.deliveries.now {
		others = append(others, y)
	}
	d.lock.Unlock()
	if !r.sweep && before.of == r.tree.plans && !before.again && len(before.found) == 0 {
		return
	}
	if !whole {
		r.strays = "not all that Flux and Argo CD deliver could be listed"
		return
	}
	found, after, err := d.orphansOf(ctx, r.tree, others, before)
	d.lock.Lock()
	if d.searched == nil {
		d.searched = map[client.ObjectKey]searched{}
	}
	d.searched[of] = after
	d.lock.Unlock()
	if err != nil {
		r.strays = err.Error()
		return
	}
	if len(found) > 0 {
		d.keepOne(ctx, of, d.orphaned(of, r.tree, found), r)
	}
}

// orphans reports whether what a delivery left behind can be told at all: of several sources of one Application nobody says which left
// what, and Helm takes away what a release does not have any more.
func (t tree) orphans() bool {
	y := t.delivery
	return y != nil && y.stored == (client.ObjectKey{}) && !y.several
}

// orphaned is the look at what was left behind.
func (d *Detector) orphaned(of client.ObjectKey, t tree, found []gate.Ref) *look {
	y := t.delivery
	why, prune := "left-behind", "it prunes, and yet they are there: pruning was off, or failed, when they were taken out of Git"
	if !y.pruned {
		why, prune = "not-pruned", "it does not prune"
	}
	what := "object lives"
	if len(found) > 1 {
		what = "objects live"
	}
	m := many{reason: reasonOrphaned, key: of.Name + "/orphaned/" + why, objects: found,
		text:   fmt.Sprintf("%d %s on that %s applied once and Git does not declare any more (%s)", len(found), what, Title(of), prune),
		remedy: "to be rid of one, kubectl delete it" + y.pruning() + "; to keep it, declare it in Git again"}
	l := newMany(of, t, m)
	l.read(evidenceGit, "commit "+t.Commit, gate.FromGit, d.Now(), y.said())
	l.read(evidenceLive, "objects that bear the mark of "+Title(of), gate.FromAPI, d.Now(), fmt.Sprintf("%d are declared by nobody", len(found)))
	return l
}

// pruning tells how else to be rid of what was left behind.
func (y *Delivered) pruning() string {
	if y.owner.Kind != applicationKind.Kind {
		return ", because Flux prunes only what it has in its inventory"
	}
	return fmt.Sprintf(", or all of them: argocd app sync %s -N %s --prune", y.owner.Name, y.owner.Namespace)
}
