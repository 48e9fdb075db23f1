package sift

import (
	"strings"
	"testing"
)

func dig(kv ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i].(string)] = kv[i+1]
	}
	return m
}

func pod() map[string]any {
	return dig("kind", "Pod", "apiVersion", "v1",
		"metadata", dig("name", "web-1", "namespace", "shop", "managedFields", []any{dig("manager", "kubectl")},
			"annotations", dig("note", "hunter2", "kubectl.kubernetes.io/restartedAt", "2026-11-26T07:00:00Z")),
		"spec", dig("nodeName", "n1", "containers", []any{dig("name", "app", "image", "shop/web:1.5",
			"env", []any{dig("name", "PASSWORD", "value", "hunter2"), dig("name", "DB", "valueFrom", dig("secretKeyRef", dig("name", "db", "key", "url")))},
			"resources", dig("limits", dig("memory", "64Mi")), "ports", []any{dig("name", "http", "containerPort", int64(8080))},
			"readinessProbe", dig("httpGet", dig("path", "/ready", "port", "http")))},
			"volumes", []any{dig("name", "conf", "configMap", dig("name", "web"))}),
		"status", dig("phase", "Running", "conditions", []any{dig("type", "Ready", "status", "False", "reason", "ContainersNotReady"),
			dig("type", "PodScheduled", "status", "True")},
			"containerStatuses", []any{dig("name", "app", "restartCount", int64(7), "ready", false,
				"state", dig("waiting", dig("reason", "CrashLoopBackOff")), "lastState", dig("terminated", dig("reason", "OOMKilled", "exitCode", int64(137))))}))
}

func TestAnObjectIsToldByWhatMatters(t *testing.T) {
	got, left := Object(pod(), 2000)
	want := strings.TrimSpace(`
kind: Pod
name: web-1
namespace: shop
annotation kubectl.kubernetes.io/restartedAt: 2026-11-26T07:00:00Z
status.phase: Running
status.condition Ready: False, ContainersNotReady
container app state: waiting reason=CrashLoopBackOff
container app lastState: terminated reason=OOMKilled exitCode=137
container app restartCount: 7
container app ready: false
status.conditions as they should be: PodScheduled
containers[app].image: shop/web:1.5
containers[app].resources.limits.memory: 64Mi
containers[app].ports[http].containerPort: 8080
containers[app].ports[http].name: http
containers[app].readinessProbe.httpGet.path: /ready
containers[app].readinessProbe.httpGet.port: http
containers[app].env: PASSWORD DB<-secretKeyRef db/url
nodeName: n1
volumes[conf].configMap.name: web
volumes[conf].name: conf`)
	if got != want || left != "" {
		t.Errorf("left %q\n%s", left, got)
	}
	deployment := dig("kind", "Deployment", "spec", dig("replicas", int64(3), "template", dig("spec", pod()["spec"])))
	if got, _ := Object(deployment, 2000); !strings.Contains(got, "template.containers[app].image: shop/web:1.5") || strings.Contains(got, "hunter2") {
		t.Error(got)
	}
}

func TestAnObjectStaysInItsBudget(t *testing.T) {
	for budget := range 300 {
		got, left := Object(pod(), budget)
		if Tokens(got) > budget || (left == "") != strings.HasSuffix(got, "volumes[conf].name: conf") {
			t.Fatalf("%d of %d tokens, left %q", Tokens(got), budget, left)
		}
	}
}

func TestStrangeObjectsAreNoTrouble(t *testing.T) {
	for _, o := range []map[string]any{nil, dig("status", "x", "spec", []any{1}), dig("spec", dig("containers", []any{"a", nil, dig("env", "x")})),
		dig("status", dig("conditions", dig("a", 1), "containerStatuses", []any{1})), dig("kind", []any{nil, dig()}), dig("data", dig("password", "hunter2")),
		dig("metadata", dig("ownerReferences", []any{3})), dig("odd\nkey", "two\nlines")} {
		if got, _ := Object(o, 500); strings.Contains(got, "hunter2") || strings.Contains(got, "\nlines") {
			t.Errorf("%v: %q", o, got)
		}
	}
}
