package cluster

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"moorgate.dev/internal/redact"
)

// obvious are fields of a pod template whose defaults tell nobody anything.
var obvious = map[string]string{"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
	"restartPolicy": "Always", "terminationGracePeriodSeconds": "30"}

// describedMost is how many lines a description has at most; what is beyond them is counted.
const describedMost = 200

// Describe tells a pod template in lines, "spec.containers[name=app].image: shop/web:1.4", in order, without values that may be secret:
// those pass the door by their place. Of a named container alone where only is not empty.
func Describe(t *corev1.PodTemplateSpec, only string, door *redact.Door) []string {
	if only != "" {
		t = t.DeepCopy()
		others := func(c corev1.Container) bool { return c.Name != only }
		t.Spec.Containers, t.Spec.InitContainers = slices.DeleteFunc(t.Spec.Containers, others), slices.DeleteFunc(t.Spec.InitContainers, others)
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(t)
	if err != nil {
		return []string{"it cannot be told: " + door.Text(err.Error())}
	}
	lines := describe(door.Object(fields), "", "", nil)
	slices.Sort(lines)
	if more := len(lines) - describedMost; more > 0 {
		lines = append(lines[:describedMost], fmt.Sprintf("and %d more fields", more))
	}
	return lines
}

// describe adds a line for each value below a field.
func describe(v any, path, name string, lines []string) []string {
	switch t := v.(type) {
	case map[string]any:
		for key, child := range t {
			if key == "name" && path != "" && path[len(path)-1] == ']' && len(t) > 1 {
				continue // it is in the path
			}
			at := key
			if path != "" {
				at = path + "." + key
			}
			lines = describe(child, at, key, lines)
		}
	case []any:
		for i, child := range t {
			at := fmt.Sprintf("%s[%d]", path, i)
			if item, ok := child.(map[string]any); ok && item["name"] != nil {
				at = fmt.Sprintf("%s[name=%v]", path, item["name"])
			}
			lines = describe(child, at, "", lines)
		}
	case nil:
	default:
		if text := fmt.Sprint(t); text != "" && obvious[name] != text && name != "serviceAccount" {
			lines = append(lines, path+": "+text)
		}
	}
	return lines
}
