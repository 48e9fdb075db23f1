package app

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/policies"
	"moorgate.dev/webhook"
	"moorgate.dev/webhook/checks"
)

// manifestBytes is the most that is read from one file or from standard input.
const manifestBytes = 32 << 20

// readManifests reads every object in files, folders (*.yaml, *.yml, *.json, with their subfolders) and standard input.
func readManifests(paths []string, stdin io.Reader) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for _, path := range paths {
		if path == "-" {
			some, err := readObjects("standard input", stdin)
			if err != nil {
				return nil, err
			}
			objects = append(objects, some...)
			continue
		}
		err := filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || (at != path && !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(at))) {
				return err
			}
			some, err := readFile(at)
			objects = append(objects, some...)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read manifests: %w", err)
		}
	}
	return objects, nil
}

func readFile(path string) ([]*unstructured.Unstructured, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readObjects(path, f)
}

func readObjects(name string, r io.Reader) ([]*unstructured.Unstructured, error) {
	content, err := io.ReadAll(io.LimitReader(r, manifestBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(content) > manifestBytes {
		return nil, fmt.Errorf("%s: larger than %d MiB", name, manifestBytes>>20)
	}
	objects, err := cluster.Decode(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return objects, nil
}

// readGuardrails reads Guardrails strictly from files of their own, else takes those among the objects under review.
func readGuardrails(paths []string, objects []*unstructured.Unstructured) ([]unstructured.Unstructured, error) {
	var guardrails []unstructured.Unstructured
	add := func(name string, content []byte) error {
		some, err := policies.Parse(name, content)
		guardrails = append(guardrails, some...)
		return err
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read Guardrails: %w", err)
		}
		if err := add(path, content); err != nil {
			return nil, err
		}
	}
	for _, u := range objects {
		if len(paths) > 0 || u.GetKind() != "Guardrail" || !strings.HasPrefix(u.GetAPIVersion(), "moorgate.dev/") {
			continue
		}
		content, err := yaml.Marshal(u.Object)
		if err != nil {
			return nil, fmt.Errorf("read Guardrail %s: %w", u.GetName(), err)
		}
		if err := add("Guardrail "+u.GetName(), content); err != nil {
			return nil, err
		}
	}
	return guardrails, nil
}

// typed is a workload in its Go type, where it has one.
func typed(kinds webhook.Kinds, u *unstructured.Unstructured) (client.Object, error) {
	obj := kinds.New(u.GroupVersionKind())
	if obj == nil {
		return nil, fmt.Errorf("%s is not a kind that is scored", u.GetKind())
	}
	if u.GetName() == "" {
		return nil, errors.New("a " + u.GetKind() + " without a name")
	}
	switch o := obj.(type) {
	case *unstructured.Unstructured:
		return u.DeepCopy(), nil
	case *checks.Shaped:
		o.Unstructured = u.DeepCopy()
		return o, nil
	}
	return obj, cluster.Into(u, obj)
}

// clusterScoped are the kinds in manifests, among those that the checks look at, that live in no namespace.
var clusterScoped = []string{"Namespace", "Node", "PersistentVolume", "StorageClass", "PriorityClass", "CustomResourceDefinition",
	"ClusterRole", "ClusterRoleBinding", "Guardrail", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration",
	"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}

func namespaced(u *unstructured.Unstructured) bool {
	return !slices.Contains(clusterScoped, u.GetKind())
}
