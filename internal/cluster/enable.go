package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
)

// enableable are the actions that moorgate-act can be given the right to, each by a ClusterRole moorgate-act-ACTION.
var enableable = []string{VerbEvict, VerbRollBack, "hold"}

// outOfBounds are the namespaces in which nothing is ever enabled: the fence moorgate-act would refuse it anyway.
var outOfBounds = []string{"kube-system", "kube-public", "kube-node-lease", OwnNamespace}

// Enabling are the RoleBindings that give moorgate-act the right to actions in namespaces.
func Enabling(actions, namespaces []string) ([]*unstructured.Unstructured, error) {
	if (len(actions) == 0) != (len(namespaces) == 0) {
		return nil, errors.New("an action is enabled in namespaces: give both, an action and a namespace")
	}
	var bindings []*unstructured.Unstructured
	for _, action := range actions {
		if !slices.Contains(enableable, action) {
			return nil, fmt.Errorf("there is no action %q to enable, but %s", action, strings.Join(enableable, ", "))
		}
		for _, namespace := range namespaces {
			if len(validation.IsDNS1123Label(namespace)) > 0 {
				return nil, fmt.Errorf("%q is no name of a namespace", namespace)
			}
			if slices.Contains(outOfBounds, namespace) {
				return nil, fmt.Errorf("nothing is ever done in the namespace %s", namespace)
			}
			bindings = append(bindings, enabling("moorgate-act-"+action, namespace))
		}
	}
	return bindings, nil
}

func enabling(role, namespace string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
		"metadata": map[string]any{"name": role, "namespace": namespace, "labels": map[string]any{"app.kubernetes.io/part-of": "moorgate"}},
		"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
		"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": "moorgate-act", "namespace": OwnNamespace}}}}
}
