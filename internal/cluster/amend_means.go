package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"moorgate.dev/internal/gate"
)

// TemplatePath is the Path of the Edit by which a plan changes more of a template than it spells out.
const TemplatePath = "spec.template"

// TemplateEdit is the Edit of a template as a whole. It holds no value of it: each side is the name of its revision and its digest.
func TemplateEdit(from, to string, was, is *corev1.PodTemplateSpec) gate.Edit {
	return gate.Edit{Path: TemplatePath, Old: string(quoted(from + " " + TemplateDigest(was))), New: string(quoted(to + " " + TemplateDigest(is)))}
}

// template reads a template. A field that this version does not know is an error: what is not understood is not written.
func template(raw json.RawMessage) (*corev1.PodTemplateSpec, error) {
	var fields map[string]any
	if err := utiljson.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("read its template: %w", err)
	}
	return TemplateIn(fields)
}

// TemplateIn is template, of one that was read without a type.
func TemplateIn(fields map[string]any) (*corev1.PodTemplateSpec, error) {
	var t corev1.PodTemplateSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(fields, &t, true); err != nil {
		return nil, errors.New("its template has fields that this version does not know")
	}
	return &t, nil
}

// means is what is wrong with a change: every edit of the plan must be in it, from the old value to the new one, and nothing else.
func means(plan gate.Action, m Amendment) error {
	was, err1 := template(m.Old)
	is, err2 := template(m.New)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if len(plan.Edits) == 0 {
		return errors.New("the plan changes nothing")
	}
	rest, whole := was.DeepCopy(), false
	for _, e := range plan.Edits {
		if e.Path == TemplatePath && plan.Verb == VerbRollBack {
			if !says(e.Old, TemplateDigest(was)) || !says(e.New, TemplateDigest(is)) {
				return errors.New("its template is not what the plan was made for")
			}
			whole = true
			continue
		}
		if err := edit(plan.Verb, rest, is, e); err != nil {
			return err
		}
	}
	if !whole && !equality.Semantic.DeepEqual(rest, is) {
		return errors.New("more of its template would change than the plan says")
	}
	return nil
}

// says is whether one side of the edit of a whole template has a digest.
func says(side, digest string) bool {
	var s string
	err := json.Unmarshal([]byte(side), &s)
	return err == nil && digest != "" && strings.HasSuffix(s, " "+digest)
}

var inContainer = regexp.MustCompile(`^spec\.template\.spec\.(initContainers|containers)\[name=([a-z0-9-]{1,63})\]\.(.+)$`)

// edit makes one edit of a container, if its values are those of both sides.
func edit(verb string, was, is *corev1.PodTemplateSpec, e gate.Edit) error {
	at := inContainer.FindStringSubmatch(e.Path)
	if at == nil {
		return fmt.Errorf("%s is no field that is changed in this way", gate.OneLine(e.Path, 200))
	}
	from, to := container(was, at[1], at[2]), container(is, at[1], at[2])
	if from == nil || to == nil {
		return fmt.Errorf("there is no container for %s", e.Path)
	}
	change := edits[verb]
	if change == nil || !change(from, to, at[3], e) {
		return fmt.Errorf("%s is not what the plan says, or is not changed in this way", e.Path)
	}
	return nil
}

// edits make a field of a container the same on both sides, if that is what the edit says of it.
var edits = map[string]func(from, to *corev1.Container, field string, e gate.Edit) bool{
	VerbRollBack: func(from, to *corev1.Container, field string, e gate.Edit) bool {
		if field != "image" || string(quoted(from.Image)) != e.Old || string(quoted(to.Image)) != e.New {
			return false
		}
		from.Image = to.Image
		return true
	},
}

func container(t *corev1.PodTemplateSpec, list, name string) *corev1.Container {
	all := t.Spec.Containers
	if list == "initContainers" {
		all = t.Spec.InitContainers
	}
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}
