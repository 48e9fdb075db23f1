package drift

import (
	"encoding/json"
	"regexp"
	"slices"

	"moorgate.dev/internal/source"
)

// masked stands for a value that is not shown.
const masked = "(masked)"

// Everything that is not listed here as plain is masked: who leaves a field out of a list must not leak by it.
var (
	// hidden are fields below which nothing is shown, whatever it looks like.
	hidden = []string{"env", "envFrom", "annotations", "args", "command", "exec", "httpHeaders", "data", "stringData", "binaryData"}
	// plain are fields whose text is a name or a quantity.
	plain = []string{"image", "imagePullPolicy", "restartPolicy", "type", "protocol", "scheme", "dnsPolicy", "schedulerName",
		"priorityClassName", "maxSurge", "maxUnavailable", "serviceAccountName", "terminationMessagePolicy", "podManagementPolicy",
		"concurrencyPolicy", "timeZone", "minAvailable", "unhealthyPodEvictionPolicy", "pathType", "ingressClassName", "sessionAffinity",
		"internalTrafficPolicy", "externalTrafficPolicy", "ipFamilyPolicy", "trafficDistribution"}
	// plainBelow are fields below which text is a name, or a word that the API knows.
	plainBelow = []string{"nodeSelector", "tolerations", "topologySpreadConstraints", "ports"}
	// quantities are fields below which text is a quantity.
	quantities = []string{"limits", "requests"}
	// rights are the fields of what says who may do what. Rules may be shown; who they are for are users.
	rights = []string{"rules", "subjects", "roleRef"}
	// guards are fields that keep a workload apart from others. A change to them is for a person to write.
	guards = []string{"securityContext", "hostNetwork", "hostPID", "hostIPC", "hostUsers", "serviceAccountName", "serviceAccount",
		"automountServiceAccountToken", "volumes", "runtimeClassName", "selector", "externalIPs", "externalName", "loadBalancerSourceRanges"}
)

var (
	plainText  = regexp.MustCompile(`^[A-Za-z0-9._%+-]{1,64}$`)
	rightsText = regexp.MustCompile(`^[A-Za-z0-9._:/*-]{0,128}$`)
	cronText   = regexp.MustCompile(`^[0-9A-Za-z*/,@ -]{1,64}$`)
	imageText  = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,255}(@sha256:[0-9a-f]{64})?$`)
)

// shows reports whether a value of this field may be shown to people, models and logs.
func shows(p source.Path, v any) bool {
	names := p.Fields()
	if refersOnly(p, v) {
		return true
	}
	if len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return slices.Contains(hidden, n) }) {
		return false
	}
	last := names[len(names)-1]
	switch t := v.(type) {
	case bool, int64, float64:
		return true
	case string:
		switch last {
		case "image":
			return imageText.MatchString(t)
		case "schedule":
			return cronText.MatchString(t)
		}
		quantity := slices.ContainsFunc(names, func(n string) bool { return slices.Contains(quantities, n) })
		below := slices.ContainsFunc(names, func(n string) bool { return slices.Contains(plainBelow, n) })
		return (quantity || below || slices.Contains(plain, last)) && plainText.MatchString(t)
	case []any:
		return len(names) == 1 && last == "rules" && ruleText(t)
	case map[string]any:
		for name, inner := range t {
			if !shows(append(slices.Clip(p), source.Step{Field: name}), inner) {
				return false
			}
		}
		return true
	}
	return false
}

// ruleText reports whether all of the rules of a Role are words that may be shown: verbs, and names of resources and objects.
func ruleText(v any) bool {
	switch t := v.(type) {
	case string:
		return rightsText.MatchString(t)
	case []any:
		return !slices.ContainsFunc(t, func(item any) bool { return !ruleText(item) })
	case map[string]any:
		for _, inner := range t {
			if !ruleText(inner) {
				return false
			}
		}
		return true
	}
	return false
}

// references are the fields by which an environment variable says where its value is kept, and not what it is.
var references = map[string][]string{
	"secretKeyRef":     {"name", "key", "optional"},
	"configMapKeyRef":  {"name", "key", "optional"},
	"fieldRef":         {"apiVersion", "fieldPath"},
	"resourceFieldRef": {"containerName", "resource", "divisor"},
}

// refersOnly reports whether a value is an environment variable that refers to its value, or a part of such a reference. It
// holds no value: whoever reads it learns the name of a Secret, which all who see the Pods know.
func refersOnly(p source.Path, v any) bool {
	at := slices.IndexFunc(p, func(s source.Step) bool { return slices.Contains(hidden, s.Field) })
	if at < 0 || p[at].Field != "env" || at+1 >= len(p) || len(p[at+1].Keys) == 0 {
		return false
	}
	rest := p[at+2:]
	if m, isMap := v.(map[string]any); len(rest) == 0 && (!isMap || m["valueFrom"] == nil) {
		return false
	}
	return refers(rest.Fields(), v) && len(rest.Fields()) == len(rest)
}

// refers goes through what stands below an environment variable, all of which must be listed.
func refers(names []string, v any) bool {
	switch t := v.(type) {
	case map[string]any:
		for name, inner := range t {
			if len(names) > 2 || !refers(append(slices.Clip(names), name), inner) {
				return false
			}
		}
		return len(t) > 0
	case string:
		if !plainText.MatchString(t) {
			return false
		}
	case bool:
	default:
		return false
	}
	return slices.Equal(names, []string{"name"}) || len(names) == 3 && names[0] == "valueFrom" && slices.Contains(references[names[1]], names[2])
}

// shown reports whether both values of a drift may be shown.
func (d Drift) shown() bool {
	return (d.Added || shows(d.Path, d.Git)) && (d.Missing || shows(d.Path, d.Live))
}

// guarded reports whether a drift is about what keeps the workload apart from others.
func (d Drift) guarded() bool {
	return d.guard || slices.ContainsFunc(d.Path.Fields(), func(n string) bool { return slices.Contains(guards, n) })
}

// rights reports whether a drift is about who may do what.
func (d Drift) rights() bool {
	names := d.Path.Fields()
	return d.guard && len(names) == 1 && slices.Contains(rights, names[0])
}

// texts are Git's and the live value for people, or their masks.
func (d Drift) texts() (git, live string) {
	if !d.shown() {
		return masked, masked
	}
	switch {
	case d.Missing:
		return asJSON(d.Git), "missing"
	case d.Added:
		return "not declared", asJSON(d.Live)
	}
	return asJSON(d.Git), asJSON(d.Live)
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return masked
	}
	return string(b)
}
