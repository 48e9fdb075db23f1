package witness

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
)

// stand is a write that was stored, while it is watched whether it is put back. It holds no values.
type stand struct {
	subject     gate.Ref
	operation   admissionv1.Operation
	subresource string
	user        string
	manager     string
	version     string // that the write replaced; empty where there was none
	fields      []field
	more        int
	at, until   time.Time
}

// carried are the labels and annotations by which delivery tools know what is theirs.
var carried = []string{"kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name", "argocd.argoproj.io/instance", "argocd.argoproj.io/tracking-id"}

// delivered reports whether a delivery tool has marked an object as its own.
func delivered(o client.Object) bool {
	return slices.ContainsFunc(carried, func(name string) bool {
		_, label := o.GetLabels()[name]
		_, annotation := o.GetAnnotations()[name]
		return label || annotation
	})
}

// stood begins to watch what becomes of a write that was stored. The caller holds work.
func (b *Book) stood(at string, w *write, o client.Object) {
	if !b.Tracked(w.namespace) && !delivered(o) {
		return
	}
	s := &stand{operation: w.operation, subresource: w.subresource, user: w.user, manager: w.manager(), at: w.at, until: b.Now().Add(b.standsFor()),
		subject: gate.Ref{Group: w.kind.group, Version: w.kind.version, Kind: w.kind.name, Namespace: w.namespace, Name: w.name, UID: string(o.GetUID())}}
	if b.marker.key == nil {
		b.marker.key = make([]byte, 32)
		_, _ = rand.Read(b.marker.key) // which never fails
	}
	s.fields = w.fields(b.marker)
	switch {
	case w.scaled != nil:
		s.version = w.scaled.version
	case w.was != nil:
		s.version = w.was.GetResourceVersion()
	}
	if s.operation == admissionv1.Update && len(s.fields) == 0 || !b.caps.admit(at, w.namespace, b.upheld < standsMost) {
		return
	}
	if n := len(s.fields) - fieldsMost; n > 0 {
		s.fields, s.more = slices.Clone(s.fields[:fieldsMost]), n
	}
	b.keep(at, append(b.stands[at], s))
}

func (b *Book) standsFor() time.Duration {
	if b.StandsFor > 0 {
		return b.StandsFor
	}
	return standsFor
}

// fields are those that an update changed.
func (w *write) fields(m marker) []field {
	switch {
	case w.scaled != nil && w.scaled.was != w.scaled.is:
		return []field{{path: replicas, was: m.of(replicas, int64(w.scaled.was), true)}}
	case w.operation == admissionv1.Update && w.scaled == nil:
		return differences(m, nil, tree(w.was), tree(w.is))
	}
	return nil
}

// undo tells of what the version of an object put back. The caller holds work.
func (b *Book) undo(at string, o client.Object, gone bool, stored *write) {
	b.keep(at, slices.DeleteFunc(b.stands[at], func(s *stand) bool {
		if !s.undone(b.marker, o, gone) {
			return false
		}
		by := "somebody"
		if stored != nil {
			by = stored.user
		} else if manager := s.writer(o); manager != "" && !gone {
			by = manager
		}
		b.tell(s, by)
		return true
	}))
}

func (s *stand) undone(m marker, o client.Object, gone bool) bool {
	same := string(o.GetUID()) == s.subject.UID
	switch s.operation {
	case admissionv1.Create:
		return same && gone
	case admissionv1.Delete:
		return !same && !gone
	}
	return same && !gone && restored(m, s.fields, o)
}

// writer is the field manager that wrote last, another than the person's own where there is one.
func (s *stand) writer(o client.Object) string {
	var name string
	var last time.Time
	for _, e := range o.GetManagedFields() {
		if e.Time == nil || e.Subresource == "status" || e.Manager == s.manager && name != "" {
			continue
		}
		if name == s.manager || name == "" || !e.Time.Time.Before(last) {
			name, last = e.Manager, e.Time.Time
		}
	}
	return name
}

func (b *Book) keep(at string, stands []*stand) {
	if b.stands == nil {
		b.stands = map[string][]*stand{}
	}
	b.upheld += len(stands) - len(b.stands[at])
	if b.stands[at] = stands; len(stands) == 0 {
		delete(b.stands, at)
	}
}

// caps count what was told in the hour.
type caps struct {
	hour   time.Time
	told   map[string]int // by object, and by namespace
	untold int
}

// admit reports whether there is room for one more Case, and counts it.
func (c *caps) admit(object, namespace string, room bool) bool {
	if c.told == nil {
		c.told = map[string]int{}
	}
	if !room || c.told[object] >= objectMost || c.told[namespace] >= namespaceMost { // an object's key has slashes, a namespace's name none
		c.untold++
		return false
	}
	c.told[object]++
	c.told[namespace]++
	return true
}

// turn begins a new hour where it is time, and returns how much was not told in the last one.
func (c *caps) turn(now time.Time) int {
	if hour := now.Truncate(time.Hour); !hour.Equal(c.hour) {
		untold := c.untold
		*c = caps{hour: hour}
		return untold
	}
	return 0
}

// short is a text of somebody else's as it may be shown.
func (b *Book) short(s string, most int) string {
	return gate.OneLine(b.Door.Text(gate.OneLine(s, most)), most)
}

// told is how the write is told in one sentence.
func (s *stand) told(user, manager, first, by string, passed time.Duration) string {
	var t strings.Builder
	t.WriteString(user)
	if manager != "" {
		t.WriteString(" (as " + manager + ")")
	}
	t.WriteString(" " + s.done(first) + " " + s.subject.Kind + " " + s.subject.Name)
	if by != "" {
		t.WriteString("; " + by + " put it back after " + passed.Round(time.Second).String())
	}
	return t.String()
}
