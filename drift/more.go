package drift

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/openapi3"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"moorgate.dev/internal/source"
)

// Custom resources are compared where somebody names their kinds, as they lie: a right to try one in a dry run would be a right to write it,
// and what that leads to only its own controller knows. How the API server merges them, and what it fills in, it publishes itself, and by
// that the answer to a dry run is made here. What does not fit what it publishes is not compared, which is told.
//
// Nothing is asked for but to get those that Git declares, one by one; they are neither listed nor watched.

// More are the kinds that are compared because somebody asked for them.
type More struct {
	Kinds []schema.GroupKind
	// Published is what the API server publishes of its kinds. What it says is believed for an hour.
	Published openapi3.Root
	Now       func() time.Time

	lock  sync.Mutex
	known map[schema.GroupVersion]published
}

// ParseKinds reads kinds as a GitSource names them: Certificate.cert-manager.io. Of Kubernetes' own there are none among them.
func ParseKinds(texts []string) ([]schema.GroupKind, error) {
	var all []schema.GroupKind
	for _, text := range texts {
		k := schema.ParseGroupKind(text)
		if k.Kind == "" || !strings.Contains(k.Group, ".") || strings.HasSuffix(k.Group, ".k8s.io") && !strings.HasSuffix(k.Group, ".x-k8s.io") && k.Group != "gateway.networking.k8s.io" ||
			k.Group == "moorgate.dev" {
			return nil, fmt.Errorf("%q is not the kind of a custom resource, as Certificate.cert-manager.io is", text)
		}
		all = append(all, k)
	}
	return all, nil
}

func (m *More) has(k schema.GroupKind) bool { return m != nil && slices.Contains(m.Kinds, k) }

// kind is the line of the table about an object, or one that is made for a kind that somebody asked for.
func (m *More) kind(n source.Name) Kind {
	g := schema.GroupKind{Group: n.Group, Kind: n.Kind}
	if k, listed := kindOf(n); listed || !m.has(g) {
		return k
	}
	return Kind{GroupVersionKind: g.WithVersion(""), Still: true, asked: true}
}

// published is how the API server merges the kinds of a group, and what it fills in.
type published struct {
	merges  managedfields.TypeConverter
	schemas map[string]any
	until   time.Time
}

func (m *More) of(g schema.GroupVersion) (published, error) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if known, ok := m.known[g]; ok && m.Now().Before(known.until) {
		return known, nil
	}
	doc, err := m.Published.GVSpec(g)
	if err != nil {
		return published{}, fmt.Errorf("what the API server publishes of %s cannot be read", g)
	}
	if doc.Components == nil {
		return published{}, fmt.Errorf("the API server publishes nothing of %s", g)
	}
	p := published{schemas: map[string]any{}, until: m.Now().Add(time.Hour)}
	if p.merges, err = managedfields.NewTypeConverter(doc.Components.Schemas, false); err != nil {
		return published{}, fmt.Errorf("what the API server publishes of %s cannot be understood", g)
	}
	b, err := json.Marshal(doc.Components.Schemas)
	if err == nil {
		err = json.Unmarshal(b, &p.schemas)
	}
	if err != nil {
		return published{}, fmt.Errorf("what the API server publishes of %s cannot be understood", g)
	}
	if m.known == nil {
		m.known = map[schema.GroupVersion]published{}
	}
	m.known[g] = p
	return p, nil
}

var errUnfit = errors.New("it does not fit what the API server publishes of its kind")

// supposed is what a dry run would answer that applies Git's manifest over the live object. No error says a word of either.
func (m *More) supposed(live, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	g := live.GroupVersionKind()
	p, err := m.of(g.GroupVersion())
	if err != nil {
		return nil, err
	}
	now, git := live.DeepCopy(), desired.DeepCopy()
	now.SetManagedFields(nil)
	fill(p.schemaOf(g), git.Object)
	was, err := p.merges.ObjectToTyped(now)
	if err != nil {
		return nil, errUnfit
	}
	declared, err := p.merges.ObjectToTyped(git)
	if err != nil {
		return nil, errUnfit
	}
	bare, err := p.merges.ObjectToTyped(desired) // what is filled in is not declared
	if err != nil {
		return nil, errUnfit
	}
	fields, err := bare.ToFieldSet()
	if err != nil {
		return nil, errUnfit
	}
	merged, err := was.Merge(declared)
	if err != nil {
		return nil, errUnfit
	}
	content, ok := merged.AsValue().Unstructured().(map[string]any)
	if !ok {
		return nil, errUnfit
	}
	dry := &unstructured.Unstructured{Object: content}
	entry, err := ownedBy(fields, live.GetAPIVersion())
	if err != nil {
		return nil, err
	}
	dry.SetManagedFields([]metav1.ManagedFieldsEntry{entry})
	return dry, nil
}

// ownedBy is the entry of managed fields by which a dry run says what it set.
func ownedBy(fields *fieldpath.Set, version string) (metav1.ManagedFieldsEntry, error) {
	text, err := fields.ToJSON()
	if err != nil {
		return metav1.ManagedFieldsEntry{}, fmt.Errorf("write down which fields Git declares: %w", err)
	}
	return metav1.ManagedFieldsEntry{Manager: dryRunOwner, Operation: metav1.ManagedFieldsOperationApply, APIVersion: version, FieldsType: "FieldsV1",
		FieldsV1: metav1.NewFieldsV1(string(text))}, nil
}

// schemaOf is what is published of one kind, nil where that is nothing.
func (p published) schemaOf(g schema.GroupVersionKind) map[string]any {
	for _, s := range p.schemas {
		one, _ := s.(map[string]any)
		names, _ := one["x-kubernetes-group-version-kind"].([]any)
		for _, n := range names {
			if of, _ := n.(map[string]any); of["group"] == g.Group && of["version"] == g.Version && of["kind"] == g.Kind {
				return one
			}
		}
	}
	return nil
}

// fill puts into a value what the API server fills in: the default of each field that is missing, in what is there.
func fill(s map[string]any, v any) {
	switch t := v.(type) {
	case map[string]any:
		properties, _ := s["properties"].(map[string]any)
		for name, p := range properties {
			inner, _ := p.(map[string]any)
			if d, has := inner["default"]; has && t[name] == nil {
				t[name] = whole(d)
			}
			fill(inner, t[name])
		}
		if every, ok := s["additionalProperties"].(map[string]any); ok {
			for _, inner := range t {
				fill(every, inner)
			}
		}
	case []any:
		items, _ := s["items"].(map[string]any)
		for _, inner := range t {
			fill(items, inner)
		}
	}
}

// whole is a copy of a value as JSON has it, in which numbers without a fraction are whole, as in the objects that are read.
func whole(v any) any {
	switch t := v.(type) {
	case float64:
		if t == float64(int64(t)) {
			return int64(t)
		}
	case map[string]any:
		out := map[string]any{}
		for name, inner := range t {
			out[name] = whole(inner)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i := range t {
			out[i] = whole(t[i])
		}
		return out
	}
	return v
}
