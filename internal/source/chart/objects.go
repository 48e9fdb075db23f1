package chart

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"moorgate.dev/internal/source"
)

// hook marks what Helm runs at an event, and keeps apart from what it delivers.
const hook = "helm.sh/hook"

// mostRead bounds what is kept of the texts that were made.
const mostRead = 500

// objects are what the next release would deliver of values.
func (r *Root) objects(values map[string]any) ([]*unstructured.Unstructured, error) {
	release := map[string]any{"Name": r.release.Name, "Namespace": r.release.Namespace, "IsUpgrade": true, "IsInstall": false,
		"Revision": int(r.release.Version) + 1, "Service": "Helm"}
	made, err := r.engine.render(values, release, r.served)
	if err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	for _, name := range slices.Sorted(maps.Keys(made)) {
		of, err := r.parsed(name, made[name])
		if err != nil {
			return nil, err
		}
		for _, u := range of {
			if _, isHook := u.GetAnnotations()[hook]; isHook {
				continue
			}
			u = u.DeepCopy()
			if len(r.labels) > 0 {
				u.SetLabels(merged(u.GetLabels(), r.labels))
			}
			if len(r.annotations) > 0 {
				u.SetAnnotations(merged(u.GetAnnotations(), r.annotations))
			}
			all = append(all, u)
		}
	}
	return all, nil
}

// parsed are the objects in a text. Most texts stay the same from one rendering to the next.
func (r *Root) parsed(name, text string) ([]*unstructured.Unstructured, error) {
	key := [2]string{name, text}
	r.lock.Lock()
	defer r.lock.Unlock()
	if all, known := r.read[key]; known {
		return all, nil
	}
	all, err := source.Plain(r.release.Namespace)(map[string][]byte{name + " (made)": []byte(text)})
	if err != nil {
		return nil, err
	}
	if len(r.read) >= mostRead {
		clear(r.read)
	}
	r.read[key] = all
	return all, nil
}
