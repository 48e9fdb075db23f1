package drift_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/drift"
	"moorgate.dev/internal/source"
)

// rowKinds are manifests to which rows apply; NAME is theirs.
var rowKinds = map[string]string{
	"Deployment": `{apiVersion: apps/v1, kind: Deployment, metadata: {name: NAME}, spec: {replicas: 2, selector: {matchLabels: {app: NAME}}, template: {metadata: {labels: {app: NAME}},
  spec: {containers: [{name: app, image: "shop/web:1", resources: {requests: {cpu: 500m}}}]}}}}`,
	"StatefulSet": `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: NAME}, spec: {replicas: 2, serviceName: x, selector: {matchLabels: {app: NAME}}, template: {metadata: {labels: {app: NAME}},
  spec: {containers: [{name: app, image: "shop/web:1"}]}}}}`,
	"CronJob":                 `{apiVersion: batch/v1, kind: CronJob, metadata: {name: NAME}, spec: {schedule: "0 3 1 1 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "b:1"}]}}}}}}`,
	"Service":                 `{apiVersion: v1, kind: Service, metadata: {name: NAME}, spec: {selector: {app: web}, type: NodePort, ports: [{port: 80}]}}`,
	"Service with a port":     `{apiVersion: v1, kind: Service, metadata: {name: NAME}, spec: {selector: {app: web}, type: NodePort, ports: [{port: 80, nodePort: 30003}]}}`,
	"Ingress":                 `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: NAME}, spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}}`,
	"NetworkPolicy":           `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: NAME}, spec: {podSelector: {}}}`,
	"HorizontalPodAutoscaler": `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: NAME}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: gone}, maxReplicas: 9}}`,
	"Autoscaler with a least": `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: NAME}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: gone}, minReplicas: 2, maxReplicas: 9}}`,
	"Autoscaler":              `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: NAME}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: NAME}, minReplicas: 1, maxReplicas: 5}}`,
	"ConfigMap":               `{apiVersion: v1, kind: ConfigMap, metadata: {name: NAME}, data: {caBundle: git, ca.crt: git}}`,
}

// write is one change, by a field manager and through a subresource where it names one.
type write struct{ by, through, body string }

// rowStory is what a row passes over and what it does not, on an object of a kind: the last write of either is what remains.
type rowStory struct {
	kind            string
	passes, differs []write
	// otherwise is the kind of what differs, where it is another.
	otherwise string
}

func by(manager, body string) []write { return []write{{by: manager, body: body}} }

// set changes a field by hand and sets it back by hand, so that a person owns what the API server would have said anyway.
func set(before, after string) []write {
	return []write{{by: "kubectl-edit", body: before}, {by: "kubectl-edit", body: after}}
}

func annotated(name string) string {
	return fmt.Sprintf(`{"metadata":{"annotations":{%q:"x"}}}`, name)
}

const cpuOfApp = `{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"shop/web:1","resources":{"requests":{"cpu":"700m"}}}]}}}}`

var rowStories = map[string]rowStory{
	"replicas-controller":  {"Deployment", []write{{"kube-controller-manager", "scale", `{"spec":{"replicas":4}}`}}, by("kube-controller-manager", `{"spec":{"replicas":4}}`), ""},
	"replicas-autoscaled":  {"StatefulSet", []write{{"kubectl", "scale", `{"spec":{"replicas":4}}`}}, []write{{"kubectl", "scale", `{"spec":{"replicas":0}}`}}, ""},
	"replicas-scaler":      {"Deployment", by("keda-operator", `{"spec":{"replicas":4}}`), by("kubectl-edit", `{"spec":{"replicas":4}}`), ""},
	"resources-autoscaled": {"Deployment", by("vpa-updater", cpuOfApp), by("kubectl-set", cpuOfApp), ""},
	"autoscaler-tuned":     {"Autoscaler with a least", by("flagger", `{"spec":{"minReplicas":3}}`), by("k9s", `{"spec":{"minReplicas":3}}`), ""},
	"traffic-shifted":      {"Service", by("flagger", `{"spec":{"selector":{"app":"canary"}}}`), by("kubectl-edit", `{"spec":{"selector":{"app":"canary"}}}`), ""},
	"restarted": {"Deployment", by("kubectl-rollout", `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"x"}}}}}`),
		by("kubectl-rollout", `{"spec":{"template":{"metadata":{"annotations":{"restartedAt":"x"}}}}}`), ""},
	"last-applied":       {"Service", by("kubectl-edit", annotated("kubectl.kubernetes.io/last-applied-configuration")), by("kubectl-edit", annotated("kubectl.kubernetes.io/other")), ""},
	"revision":           {"Deployment", by("kubectl-annotate", annotated("kubernetes.io/change-cause")), by("kubectl-annotate", annotated("example.com/change-cause")), ""},
	"delivery-marks":     {"ConfigMap", by("kubectl-label", `{"metadata":{"labels":{"kustomize.toolkit.fluxcd.io/name":"x"}}}`), by("kubectl-label", `{"metadata":{"labels":{"app.kubernetes.io/name":"x"}}}`), ""},
	"own-marks":          {"Deployment", by("kubectl-annotate", annotated("moorgate.dev/note")), by("kubectl-annotate", annotated("moorgate.devious/note")), ""},
	"status":             {"Service", []write{{"kubectl-edit", "status", `{"status":{"conditions":[{"type":"X","status":"True","reason":"x","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`}}, by("kubectl-edit", `{"spec":{"externalTrafficPolicy":"Local"}}`), ""},
	"bookkeeping":        {"Deployment", by("kubectl-edit", `{"metadata":{"finalizers":["example.com/x"]}}`), by("kubectl-edit", `{"metadata":{"labels":{"finalizers":"x"}}}`), ""},
	"service-address":    {"Service", by("kubectl-edit", `{"spec":{"ports":[{"port":80,"protocol":"TCP","targetPort":80,"nodePort":30004}]}}`), by("kubectl-edit", `{"spec":{"ports":[{"port":80,"protocol":"TCP","targetPort":80,"nodePort":30005}]}}`), "Service with a port"},
	"default-rollout":    {"Deployment", set(`{"spec":{"revisionHistoryLimit":2}}`, `{"spec":{"revisionHistoryLimit":10}}`), by("kubectl-edit", `{"spec":{"revisionHistoryLimit":2}}`), ""},
	"default-progress":   {"Deployment", set(`{"spec":{"progressDeadlineSeconds":60}}`, `{"spec":{"progressDeadlineSeconds":600}}`), by("kubectl-edit", `{"spec":{"progressDeadlineSeconds":60}}`), ""},
	"default-pod":        {"StatefulSet", set(`{"spec":{"template":{"spec":{"dnsPolicy":"Default"}}}}`, `{"spec":{"template":{"spec":{"dnsPolicy":"ClusterFirst"}}}}`), by("kubectl-edit", `{"spec":{"template":{"spec":{"dnsPolicy":"Default"}}}}`), ""},
	"default-grace":      {"Deployment", set(`{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":5}}}}`, `{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":30}}}}`), by("kubectl-edit", `{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":5}}}}`), ""},
	"default-service":    {"Service", set(`{"spec":{"sessionAffinity":"ClientIP"}}`, `{"spec":{"sessionAffinity":"None","sessionAffinityConfig":null}}`), by("kubectl-edit", `{"spec":{"externalTrafficPolicy":"Local"}}`), ""},
	"default-workload":   {"StatefulSet", set(`{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}`, `{"spec":{"updateStrategy":{"type":"RollingUpdate"}}}`), by("kubectl-edit", `{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}`), ""},
	"default-schedule":   {"CronJob", set(`{"spec":{"suspend":true}}`, `{"spec":{"suspend":false}}`), by("kubectl-edit", `{"spec":{"suspend":true}}`), ""},
	"default-history":    {"CronJob", set(`{"spec":{"successfulJobsHistoryLimit":1}}`, `{"spec":{"successfulJobsHistoryLimit":3}}`), by("kubectl-edit", `{"spec":{"successfulJobsHistoryLimit":1}}`), ""},
	"default-autoscaler": {"HorizontalPodAutoscaler", set(`{"spec":{"minReplicas":2}}`, `{"spec":{"minReplicas":1}}`), by("kubectl-edit", `{"spec":{"minReplicas":2}}`), ""},
	"default-policy":     {"NetworkPolicy", set(`{"spec":{"policyTypes":["Egress"]}}`, `{"spec":{"policyTypes":["Ingress"]}}`), by("kubectl-edit", `{"spec":{"policyTypes":["Egress"]}}`), ""},
	"injected-bundle":    {"ConfigMap", by("trust-manager", `{"data":{"ca.crt":"live"}}`), by("kubectl-edit", `{"data":{"ca.crt":"live"}}`), ""},
	"injected-authority": {"ConfigMap", by("cainjector", `{"data":{"caBundle":"live"}}`), by("kubectl-edit", `{"data":{"caBundle":"live"}}`), ""},
	"leader":             {"ConfigMap", by("kubectl-annotate", annotated("control-plane.alpha.kubernetes.io/leader")), by("kubectl-annotate", annotated("control-plane.alpha.kubernetes.io/leader")), "Service"},
	"ingress-controller": {"Ingress", by("kubectl-annotate", annotated("cert-manager.io/issuer")), by("kubectl-annotate", annotated("cert-manager.io/issuer")), "Deployment"},

	"default-failed-history": {"CronJob", set(`{"spec":{"failedJobsHistoryLimit":3}}`, `{"spec":{"failedJobsHistoryLimit":1}}`), by("kubectl-edit", `{"spec":{"failedJobsHistoryLimit":3}}`), ""},
}

// offStage are rows of which no API server can be shown an object that is compared: claims are not, and what a StatefulSet makes them
// of cannot be changed.
var offStage = []string{"claim-bound", "default-claim"}

// Each row passes over something that really happened to an object, and something that is as near to it as can be is drift.
func TestEveryRowHoldsOnARealAPIServer(t *testing.T) {
	s := newStage(t)
	t.Cleanup(func() { // node ports belong to the whole cluster
		if err := s.admin.DeleteAllOf(context.WithoutCancel(t.Context()), &corev1.Service{}, client.InNamespace(s.ns)); err != nil {
			t.Error(err)
		}
	})
	files := map[string]string{}
	for id, story := range rowStories {
		other := story.otherwise
		if other == "" {
			other = story.kind
		}
		for suffix, kind := range map[string]string{"-passes": story.kind, "-differs": other} {
			files["deploy/"+id+suffix+".yaml"] = s.deliver(kind, id+suffix)
			if id == "replicas-autoscaled" {
				files["deploy/"+id+suffix+"-autoscaler.yaml"] = s.deliver("Autoscaler", id+suffix)
			}
		}
		s.write(story.kind, id+"-passes", story.passes)
		s.write(other, id+"-differs", story.differs)
	}
	s.commit(files)
	report, err := s.detector.Look(t.Context(), drift.Asked{Namespace: s.ns, From: drift.Repository{URL: "file://" + s.dir, Branch: "main", Path: "deploy"}})
	s.ok(err)
	seen, differ := map[string]string{}, map[string]bool{}
	for _, sight := range report.Sights {
		differ[sight.Subject.Kind+"/"+sight.Subject.Name] = true
		seen[sight.Subject.Name] = fmt.Sprintf("%+v %v", sight.Changes, sight.Unread)
		if len(sight.Unread) > 0 || len(sight.Changes) != 1 {
			t.Errorf("%s: %s", sight.Subject.Name, seen[sight.Subject.Name])
		}
	}
	for _, file := range files {
		objects, err := source.Read(map[string][]byte{"x.yaml": []byte(file)}, source.Wanted{Namespace: s.ns})
		s.ok(err)
		if says, err := drift.Says(s.liveOf(objects[0]), s.desired(objects[0])); err != nil || (says && differ[objects[0].Kind+"/"+objects[0].Name.Name]) {
			t.Errorf("%s differs, and is taken for clean (%v)", objects[0].Name.Name, err)
		}
	}
	for _, id := range drift.RowIDs() {
		_, told := rowStories[id]
		if told == slices.Contains(offStage, id) {
			t.Errorf("row %s has a story: %t", id, told)
		}
		if what := seen[id+"-passes"]; what != "" {
			t.Errorf("row %s does not pass over %s", id, what)
		}
		if told && seen[id+"-differs"] == "" {
			t.Errorf("row %s passes over what is drift", id)
		}
	}
}

// manifest is an object of a row's kind.
func (s *stage) manifest(kind, name string) *unstructured.Unstructured {
	s.t.Helper()
	u := &unstructured.Unstructured{}
	s.ok(yaml.Unmarshal([]byte(strings.ReplaceAll(rowKinds[kind], "NAME", name)), &u.Object))
	u.SetNamespace(s.ns)
	return u
}

// deliver applies an object of a row's kind as Flux does, and answers its manifest.
func (s *stage) deliver(kind, name string) string {
	s.t.Helper()
	u := s.manifest(kind, name)
	s.ok(s.admin.Apply(s.t.Context(), client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("kustomize-controller"), client.ForceOwnership))
	return strings.ReplaceAll(rowKinds[kind], "NAME", name)
}

func (s *stage) write(kind, name string, writes []write) {
	s.t.Helper()
	for _, w := range writes {
		u, raw := s.manifest(kind, name), client.RawPatch(types.MergePatchType, []byte(w.body))
		var err error
		if w.through != "" {
			err = s.admin.SubResource(w.through).Patch(s.t.Context(), u, raw, client.FieldOwner(w.by))
		} else {
			err = s.admin.Patch(s.t.Context(), u, raw, client.FieldOwner(w.by))
		}
		if err != nil {
			s.t.Fatalf("%s %s by %s: %v", name, w.body, w.by, err)
		}
	}
}
