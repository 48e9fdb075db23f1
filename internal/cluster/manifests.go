package cluster

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// Manifests reads every object in the YAML files of a folder and those below it, in the order of their paths.
func Manifests(files fs.FS) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains([]string{".yaml", ".yml"}, path.Ext(name)) {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		some, err := Decode(content)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		objects = append(objects, some...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	return objects, nil
}

// Decode reads the objects of a YAML file with any number of documents; a List, as kubectl get writes it, is the objects in it.
// Duplicate keys, and anything that is not a Kubernetes object, are errors that say which document; empty documents are skipped.
func Decode(content []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for n := 1; ; n++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		asJSON, err := yaml.YAMLToJSONStrict(document)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		if bytes.Equal(asJSON, []byte("null")) {
			continue
		}
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(asJSON); err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		some, err := unfold(u)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		objects = append(objects, some...)
	}
}

// unfold is the objects in a List, or the one that it is given.
func unfold(u *unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	all := []*unstructured.Unstructured{u}
	if u.IsList() {
		all = nil
		list, err := u.ToList()
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			all = append(all, &list.Items[i])
		}
	}
	for _, one := range all {
		if one.GroupVersionKind().GroupVersion() == (schema.GroupVersion{}) || one.GetName() == "" {
			return nil, fmt.Errorf("%s without apiVersion or metadata.name", one.GetKind())
		}
	}
	return all, nil
}

// Into reads an object into its Go type. Unlike the converter of apimachinery its errors name the field.
func Into(u *unstructured.Unstructured, into client.Object) error {
	content, err := u.MarshalJSON()
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		return fmt.Errorf("read %s %s: %w", u.GetKind(), u.GetName(), err)
	}
	return nil
}
