package sift

import (
	"slices"
	"strings"
)

// status writes what is wrong first: conditions that are not as they should be, containers that do not run, then the rest.
func (w *fieldWriter) status(v any) {
	status, ok := v.(map[string]any)
	if !ok {
		return
	}
	for _, key := range []string{"phase", "reason", "message"} {
		w.line("status."+key, text(status[key]))
	}
	var well []string
	conditions, _ := status["conditions"].([]any)
	for _, c := range conditions {
		kind, value := text(field(c, "type")), text(field(c, "status"))
		if (value == "True") != soundsBad(kind) {
			well = append(well, kind)
			continue
		}
		w.line("status.condition "+kind, strings.Join(fields(value, text(field(c, "reason")), text(field(c, "message"))), ", "))
	}
	for _, list := range []string{"initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"} {
		items, _ := status[list].([]any)
		for _, c := range items {
			w.container(c)
		}
	}
	for _, key := range sortedKeys(status) {
		if !slices.Contains(statusTold, key) {
			w.walk("status."+key, status[key])
		}
	}
	w.line("status.conditions as they should be", strings.Join(well, " "))
}

var statusTold = []string{"phase", "reason", "message", "conditions", "initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses",
	"observedGeneration", "hostIP", "hostIPs", "podIP", "podIPs", "images", "nodeInfo", "collisionCount"}

// soundsBad is whether a condition is bad where it is true.
func soundsBad(kind string) bool {
	for _, w := range []string{"Pressure", "Unavailable", "Failure", "Failed", "DisruptionTarget"} {
		if strings.Contains(kind, w) {
			return true
		}
	}
	return false
}

// container writes the status of one: its state, how it ended last, its restarts.
func (w *fieldWriter) container(c any) {
	path := "container " + text(field(c, "name"))
	for _, key := range []string{"state", "lastState"} {
		states, _ := field(c, key).(map[string]any)
		for _, state := range sortedKeys(states) {
			parts := []string{state}
			for _, k := range []string{"reason", "exitCode", "signal", "startedAt", "finishedAt", "message"} {
				if v := text(field(states, state, k)); v != "" {
					parts = append(parts, k+"="+v)
				}
			}
			w.line(path+" "+key, strings.Join(parts, " "))
		}
	}
	for _, key := range []string{"restartCount", "ready", "started"} {
		w.line(path+" "+key, text(field(c, key)))
	}
}

// spec writes what matters of a specification, and of the pods that it makes.
func (w *fieldWriter) spec(path string, spec map[string]any) {
	for _, key := range []string{"replicas", "paused", "strategy", "updateStrategy", "minReadySeconds", "progressDeadlineSeconds"} {
		if v, ok := spec[key]; ok {
			w.walk(path+key, v)
		}
	}
	for _, list := range []string{"containers", "initContainers", "ephemeralContainers"} {
		items, _ := spec[list].([]any)
		for _, c := range items {
			w.containerSpec(path+list+"["+text(field(c, "name"))+"]", c)
		}
	}
	for _, key := range sortedKeys(spec) {
		switch key {
		case "replicas", "paused", "strategy", "updateStrategy", "minReadySeconds", "progressDeadlineSeconds",
			"containers", "initContainers", "ephemeralContainers", "template", "jobTemplate":
		default:
			if !slices.Contains(neverShown, key) {
				w.walk(path+key, spec[key])
			}
		}
	}
	for _, key := range []string{"template", "jobTemplate"} {
		if inner, ok := field(spec, key, "spec").(map[string]any); ok {
			w.spec(path+key+".", inner)
		}
	}
}

func (w *fieldWriter) containerSpec(path string, v any) {
	c, ok := v.(map[string]any)
	if !ok {
		return
	}
	first := []string{"image", "resources", "ports", "readinessProbe", "livenessProbe", "startupProbe", "command", "args"}
	for _, key := range first {
		if v, ok := c[key]; ok {
			w.walk(path+"."+key, v)
		}
	}
	env, _ := c["env"].([]any)
	var names []string
	for _, e := range env {
		name := text(field(e, "name"))
		if from, ok := field(e, "valueFrom").(map[string]any); ok {
			name += "<-" + refOf(from)
		}
		names = append(names, name)
	}
	w.line(path+".env", strings.Join(names, " "))
	for _, key := range sortedKeys(c) {
		if key != "name" && !slices.Contains(first, key) && !slices.Contains(neverShown, key) {
			w.walk(path+"."+key, c[key])
		}
	}
}

// refOf names what a variable is taken from: secretKeyRef db/password.
func refOf(from map[string]any) string {
	for _, kind := range sortedKeys(from) {
		of := from[kind]
		return strings.TrimSpace(kind + " " + strings.Join(fields(text(field(of, "name")), text(field(of, "key")), text(field(of, "fieldPath")),
			text(field(of, "resource"))), "/"))
	}
	return ""
}

// fields are those of the texts that are not empty.
func fields(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}
