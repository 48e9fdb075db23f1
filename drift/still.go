package drift

import (
	"errors"
	"fmt"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Of some kinds the right to try a patch in a dry run would be a right over others: the API server lets nobody try a Role who does not hold
// what that gives. Those are compared as they lie: what a dry run would answer is made here, of the live object and of Git's manifest in
// the form in which the API server keeps it. Nothing is asked for but to read them.
//
// That takes knowing how the kind is merged, which of these is simple: each of their own fields is one value, and each key of a Secret's
// data. Of metadata only labels and annotations are looked at.

// forms are, by kind, how Git's manifest is brought into the form in which the API server keeps it. A field that the kind does not have is
// an error, as in a dry run.
var forms = map[string]func(map[string]any) (map[string]any, error){
	"Role":        formed[rbacv1.Role](nil),
	"RoleBinding": formed(bindingDefaults),
	"Secret":      secretForm, // of which there are seals here, and no values
}

// supposed is what a dry run would answer that applies Git's manifest over the live object.
func supposed(live, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	git, err := forms[live.GetKind()](desired.Object)
	if err != nil {
		return nil, fmt.Errorf("bring what Git says into the form in which it is kept: %w", err)
	}
	dry, declared := live.DeepCopy(), &fieldpath.Set{}
	for field := range desired.Object {
		switch field {
		case "apiVersion", "kind", "metadata":
		case "data":
			data, _ := git[field].(map[string]any)
			err = errors.Join(err, merge(dry, declared, data, field))
		default:
			if dry.Object[field] = git[field]; git[field] == nil {
				delete(dry.Object, field)
			}
			declared.Insert(fieldpath.MakePathOrDie(field))
		}
	}
	for _, field := range []string{"labels", "annotations"} {
		entries, _, _ := unstructured.NestedMap(desired.Object, "metadata", field)
		err = errors.Join(err, merge(dry, declared, entries, "metadata", field))
	}
	if err != nil {
		return nil, err
	}
	entry, err := ownedBy(declared, live.GetAPIVersion())
	if err != nil {
		return nil, err
	}
	dry.SetManagedFields([]metav1.ManagedFieldsEntry{entry})
	return dry, nil
}

// merge puts entries among those of a map, each of which is a value of its own.
func merge(into *unstructured.Unstructured, declared *fieldpath.Set, entries map[string]any, at ...string) error {
	if len(entries) == 0 {
		return nil
	}
	now, _, err := unstructured.NestedMap(into.Object, at...)
	if err != nil {
		return fmt.Errorf("read its %s: %w", strings.Join(at, "."), err)
	}
	if now == nil {
		now = map[string]any{}
	}
	path := make([]any, len(at), len(at)+1)
	for i := range at {
		path[i] = at[i]
	}
	for name, v := range entries {
		now[name] = v
		declared.Insert(fieldpath.MakePathOrDie(append(path, name)...))
	}
	if err := unstructured.SetNestedMap(into.Object, now, at...); err != nil {
		return fmt.Errorf("write its %s: %w", strings.Join(at, "."), err)
	}
	return nil
}

// formed brings objects of a type into the form in which they are kept: with defaults, and without what is empty.
func formed[T any](defaults func(*T)) func(map[string]any) (map[string]any, error) {
	return func(content map[string]any) (map[string]any, error) {
		var typed T
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(content, &typed, true); err != nil {
			return nil, errForm{}
		}
		if defaults != nil {
			defaults(&typed)
		}
		return runtime.DefaultUnstructuredConverter.ToUnstructured(&typed)
	}
}

// errForm says no word of the manifest, which a converter's own error quotes.
type errForm struct{}

func (errForm) Error() string {
	return "it has a field that the kind does not have, or a value of another type"
}

func bindingDefaults(b *rbacv1.RoleBinding) {
	if b.RoleRef.APIGroup == "" {
		b.RoleRef.APIGroup = rbacv1.GroupName
	}
	for i := range b.Subjects {
		if s := &b.Subjects[i]; s.APIGroup == "" && (s.Kind == rbacv1.UserKind || s.Kind == rbacv1.GroupKind) {
			s.APIGroup = rbacv1.GroupName
		}
	}
}
