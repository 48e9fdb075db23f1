package redact

// Object is a Kubernetes object without the values that may be secret: those of environment variables, annotations, arguments,
// commands and headers, and all content of ConfigMaps and Secrets. Every other text passes Text. The object itself is not changed.
// A nil Door leaves the keys alone.
func (d *Door) Object(o map[string]any) map[string]any {
	out, _ := d.node(o, "").(map[string]any)
	return out
}

// byPlace are fields below which every text is masked.
var byPlace = map[string]bool{"annotations": true, "args": true, "command": true, "data": true, "stringData": true, "binaryData": true, "httpHeaders": true}

// plainAnnotations have values that are numbers, times and names of tools.
var plainAnnotations = map[string]bool{"deployment.kubernetes.io/revision": true, "deprecated.daemonset.template.generation": true, "kubectl.kubernetes.io/restartedAt": true,
	"meta.helm.sh/release-name": true, "meta.helm.sh/release-namespace": true, "kubectl.kubernetes.io/default-container": true, "cluster-autoscaler.kubernetes.io/safe-to-evict": true}

// node is a part of an object, under the field that holds it.
func (d *Door) node(v any, field string) any {
	switch t := v.(type) {
	case map[string]any:
		return d.fields(t, field)
	case []any:
		out := make([]any, len(t))
		for i := range t {
			out[i] = d.node(t[i], field)
		}
		return out
	case string:
		if byPlace[field] {
			return d.Value(t)
		}
		return d.Text(t)
	}
	if byPlace[field] && v != nil {
		return d.Value("…")
	}
	return v
}

func (d *Door) fields(m map[string]any, field string) map[string]any {
	out := make(map[string]any, len(m))
	for name, v := range m {
		switch text, isText := v.(string); {
		case field == "annotations" && plainAnnotations[name] && isText:
			out[name] = d.Text(text)
		case field == "env" && name == "value" && isText:
			out[name] = d.Value(text)
		case byPlace[field]:
			out[name] = d.node(v, field)
		case name == "managedFields":
			// who owns which field is told by those that look at it
		default:
			out[name] = d.node(v, name)
		}
	}
	return out
}
