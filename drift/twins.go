package drift

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// place is where a tree was read.
func (t tree) place() Repository {
	if t.delivery != nil {
		return t.delivery.From
	}
	return t.from
}

// twin names who brings the same object out of the same folder to another namespace, which an edit would move with it; empty where nobody
// is known to. An object whose namespace is written in Git has none.
func (d *Detector) twin(l *look, t tree) string {
	if l.object.Desired == nil || l.object.Desired.GetNamespace() != "" && t.ground.spec.TargetNamespace == "" {
		return ""
	}
	at := t.place()
	d.lock.Lock()
	defer d.lock.Unlock()
	for _, key := range slices.SortedFunc(maps.Keys(d.last), func(a, b client.ObjectKey) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	}) {
		other := d.last[key]
		from := other.place()
		if key.Namespace == l.subject.Namespace || from.URL != at.URL || from.Branch != at.Branch || other.ground.folder != t.ground.folder {
			continue
		}
		there := l.object.Name
		there.Namespace = key.Namespace
		if _, declared := other.find(there); declared {
			return Title(key)
		}
	}
	return ""
}

// alone are proposals, without those that would move a twin.
func (d *Detector) alone(l *look, t tree, all []proposal) []proposal {
	who := d.twin(l, t)
	for i := range all {
		if who != "" && all[i].why == "" {
			all[i].why = fmt.Sprintf("%s brings the same folder to another namespace, where it would change too", line(who))
		}
	}
	return all
}
