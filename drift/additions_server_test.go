package drift_test

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/drift"
)

// additions are what people add to workloads at three in the morning: strategic merge patches, each with the path of what it adds. %[1]d
// is a number, so that no two are the same.
var additions = []struct{ path, patch string }{
	{"spec.template.spec.containers[name=app].env[name=V%[1]d]", `{"spec":{"template":{"spec":{"containers":[{"name":"app","env":[{"name":"V%[1]d","value":"x"}]}]}}}}`},
	{"spec.template.spec.containers[name=debug%[1]d]", `{"spec":{"template":{"spec":{"containers":[{"name":"debug%[1]d","image":"registry.example/debug:1"}]}}}}`},
	{"spec.template.spec.initContainers[name=init%[1]d]", `{"spec":{"template":{"spec":{"initContainers":[{"name":"init%[1]d","image":"registry.example/init:1"}]}}}}`},
	{"spec.template.spec.tolerations", `{"spec":{"template":{"spec":{"tolerations":[{"key":"k%[1]d","operator":"Exists"}]}}}}`},
	{"spec.template.spec.nodeSelector", `{"spec":{"template":{"spec":{"nodeSelector":{"disk":"ssd%[1]d"}}}}}`},
	{"spec.template.spec.affinity", `{"spec":{"template":{"spec":{"affinity":{"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,"preference":{"matchExpressions":[{"key":"k%[1]d","operator":"Exists"}]}}]}}}}}}`},
	{"spec.template.metadata.labels.extra%[1]d", `{"spec":{"template":{"metadata":{"labels":{"extra%[1]d":"yes"}}}}}`},
	{"metadata.labels.extra%[1]d", `{"metadata":{"labels":{"extra%[1]d":"yes"}}}`},
	{`metadata.annotations["example.com/a%[1]d"]`, `{"metadata":{"annotations":{"example.com/a%[1]d":"yes"}}}`},
	{"spec.template.spec.containers[name=app].resources", `{"spec":{"template":{"spec":{"containers":[{"name":"app","resources":{"limits":{"memory":"%[1]dMi"}}}]}}}}`},
	{"spec.template.spec.containers[name=app].livenessProbe", `{"spec":{"template":{"spec":{"containers":[{"name":"app","livenessProbe":{"httpGet":{"port":8080,"path":"/%[1]d"}}}]}}}}`},
	{"spec.template.spec.containers[name=app].args", `{"spec":{"template":{"spec":{"containers":[{"name":"app","args":["--v=%[1]d"]}]}}}}`},
	{"spec.template.spec.containers[name=app].ports[containerPort=%[1]d,protocol=TCP]", `{"spec":{"template":{"spec":{"containers":[{"name":"app","ports":[{"containerPort":%[1]d}]}]}}}}`},
	{"spec.template.spec.containers[name=app].securityContext", `{"spec":{"template":{"spec":{"containers":[{"name":"app","securityContext":{"runAsUser":%[1]d}}]}}}}`},
	{"spec.template.spec.volumes[name=v%[1]d]", `{"spec":{"template":{"spec":{"volumes":[{"name":"v%[1]d","emptyDir":{}}]}}}}`},
	{"spec.template.spec.hostAliases[ip=127.0.0.1]", `{"spec":{"template":{"spec":{"hostAliases":[{"ip":"127.0.0.1","hostnames":["h%[1]d"]}]}}}}`},
	{"spec.template.spec.terminationGracePeriodSeconds", `{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":%[1]d}}}}`},
	{"spec.template.spec.dnsConfig", `{"spec":{"template":{"spec":{"dnsConfig":{"options":[{"name":"ndots","value":"%[1]d"}]}}}}}`},
	{"spec.template.spec.topologySpreadConstraints[topologyKey=zone,whenUnsatisfiable=ScheduleAnyway]", `{"spec":{"template":{"spec":{"topologySpreadConstraints":[{"maxSkew":%[1]d,"topologyKey":"zone","whenUnsatisfiable":"ScheduleAnyway"}]}}}}`},
	{"spec.revisionHistoryLimit", `{"spec":{"revisionHistoryLimit":%[1]d}}`},
}

// perAddition is how many Deployments are given each of them: 500 is the most that one GitSource may declare.
const perAddition = 25

// TestWhatPeopleAddIsFound edits 500 Deployments by hand in 20 ways: each of the additions is found, by its path and with who made it,
// and nothing else is. A dry run, by which others compare, sees none of them.
func TestWhatPeopleAddIsFound(t *testing.T) {
	s := newStage(t)
	var git strings.Builder
	want := map[string]string{}
	for i := range perAddition * len(additions) {
		fmt.Fprintf(&git, "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web-%d}\nspec:\n  replicas: 0\n  selector: {matchLabels: {app: web}}\n"+
			"  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n      - {name: app, image: registry.example/web:1}\n", i)
		want[fmt.Sprintf("web-%d", i)] = fmt.Sprintf(additions[i%len(additions)].path+"%[2]s", 5000+i, "")
	}
	s.commit(map[string]string{"deploy/web.yaml": git.String()})
	s.kubectl(git.String(), "create", "-f", "-")
	for i := range perAddition * len(additions) {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: s.ns, Name: fmt.Sprintf("web-%d", i)}}
		patch := fmt.Sprintf(additions[i%len(additions)].patch, 5000+i)
		s.ok(s.admin.Patch(t.Context(), d, client.RawPatch(types.StrategicMergePatchType, []byte(patch)), client.FieldOwner("kubectl-edit")))
	}
	report, err := s.detector.Look(t.Context(), drift.Asked{Namespace: s.ns, From: drift.Repository{URL: "file://" + s.dir, Branch: "main", Path: "deploy"}})
	s.ok(err)
	byDryRun := 0
	for _, sight := range report.Sights {
		var added []string
		for _, c := range sight.Changes {
			if !c.Added {
				byDryRun++
				continue
			}
			if added = append(added, c.Path.String()); c.Owner.Manager != "kubectl-edit" || c.Owner.Party != drift.Person {
				t.Errorf("%s %s: by %s", sight.Subject.Name, c.Path, c.Owner)
			}
		}
		if len(added) != 1 || added[0] != want[sight.Subject.Name] {
			t.Errorf("%s: found %q, want %s (%v)", sight.Subject.Name, added, want[sight.Subject.Name], sight.Unread)
		}
		delete(want, sight.Subject.Name)
	}
	if len(want) > 0 {
		t.Errorf("%d additions were not found: %v", len(want), want)
	}
	t.Logf("of %d additions %d were found; the dry run alone saw %d", perAddition*len(additions), perAddition*len(additions)-len(want), byDryRun)
}
