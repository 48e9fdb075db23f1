package cluster

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// parsed is what a Guardrail says, whatever the time and the namespace.
type parsed struct {
	selector  labels.Selector // nil where it cannot be read, so that it may select any namespace
	guardrail v1alpha1.Guardrail
	err       error // what stands in the way of reading the whole
}

func parse(u *unstructured.Unstructured) (p parsed) {
	// The selector is read by itself and first: it may be fine where the rest is not.
	s, err := selectorOf(u)
	if err == nil {
		p.selector, err = matcher(s)
	}
	if p.err = err; err == nil {
		p.guardrail, p.err = ParseGuardrail(u)
	}
	return p
}

// rail is what it says to the guardrail's rules at a time.
func (p parsed) rail(at time.Time) (gate.Rail, error) {
	if p.err != nil {
		return gate.Rail{}, p.err
	}
	return Rail(p.guardrail, at)
}

// parsedMax is how many readings are remembered; a cluster has a handful of Guardrails.
const parsedMax = 1024

// Parsed remembers the Guardrails that were read from an API server, by their resourceVersions: they seldom change, and are asked for
// at every request. The zero Parsed is ready to use, and a nil one remembers nothing.
type Parsed struct {
	mu   sync.Mutex
	kept map[version]parsed
}

// version is an object as it was at one time.
type version struct {
	uid             types.UID
	resourceVersion string
}

func (m *Parsed) of(u *unstructured.Unstructured) parsed {
	v := version{u.GetUID(), u.GetResourceVersion()}
	if m == nil || v.uid == "" || v.resourceVersion == "" {
		return parse(u)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if p, ok := m.kept[v]; ok {
		return p
	}
	if m.kept == nil || len(m.kept) >= parsedMax {
		m.kept = map[version]parsed{} // what is still asked for comes back at once
	}
	p := parse(u)
	m.kept[v] = p
	return p
}
