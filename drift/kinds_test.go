package drift_test

import (
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
	"moorgate.dev/internal/cluster"
)

// everyKind is one object of each kind that is compared, written as people write them: without what the API server fills in.
const everyKind = `apiVersion: apps/v1
kind: Deployment
metadata: {name: front}
spec:
  selector: {matchLabels: {app: front}}
  template:
    metadata: {labels: {app: front}}
    spec:
      containers:
      - name: app
        image: shop/front:1.4
        ports: [{containerPort: 8080}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      containers:
      - name: db
        image: shop/store:1.4
        volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec:
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 1Gi}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      containers: [{name: agent, image: "shop/agent:1.4"}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: job, image: "shop/job:1.4"}]
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec:
  selector: {app: front}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front}
spec:
  rules:
  - host: shop.example
    http:
      paths:
      - path: /
        pathType: Prefix
        backend: {service: {name: front, port: {number: 80}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: store}
spec:
  podSelector: {matchLabels: {app: store}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: front}}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: front}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: front}
  maxReplicas: 5
  metrics:
  - type: Resource
    resource: {name: memory, target: {type: Utilization, averageUtilization: 80}}
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: front}
spec:
  minAvailable: 50%
  selector: {matchLabels: {app: front}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  level: info
  password: planted-in-git
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules:
- apiGroups: [""]
  resources: [pods, pods/log]
  verbs: [get]
  resourceNames: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers}
roleRef: {kind: Role, name: reader}
subjects:
- {kind: User, name: planted-alice}
- {kind: ServiceAccount, name: front, namespace: default}
`

// kindStories are, for each kind, what happens to objects of it that is no drift, and what is.
var kindStories = []struct {
	object      string // KIND/NAME
	passes      [][]string
	drifts      []string
	want        string
	neverAdopts bool
}{
	{"Deployment/front", [][]string{{"rollout", "restart", "deployment/front"}},
		[]string{"set", "image", "deployment/front", "app=shop/front:1.5"}, "containers[name=app].image is front:1.5, Git says front:1.4", false},
	{"StatefulSet/store", [][]string{{"rollout", "restart", "statefulset/store"}, {"patch", "statefulset/store", "-p", `{"spec":{"revisionHistoryLimit":10}}`}},
		[]string{"set", "image", "statefulset/store", "db=shop/store:1.5"}, "containers[name=db].image is store:1.5, Git says store:1.4", false},
	{"DaemonSet/agent", [][]string{{"rollout", "restart", "daemonset/agent"}},
		[]string{"patch", "daemonset/agent", "-p", `{"spec":{"template":{"spec":{"hostNetwork":true}}}}`}, "hostNetwork is true, and Git does not have it", true},
	{"CronJob/nightly", [][]string{{"patch", "cronjob/nightly", "-p", `{"spec":{"suspend":false,"successfulJobsHistoryLimit":3}}`}},
		[]string{"patch", "cronjob/nightly", "-p", `{"spec":{"schedule":"0 4 * * *"}}`}, "schedule is 0 4 * * *, Git says 0 3 * * *", false},
	{"Service/front", [][]string{{"patch", "service/front", "-p", `{"spec":{"sessionAffinity":"None","ports":[{"port":80,"protocol":"TCP","targetPort":8080}]}}`}},
		[]string{"patch", "service/front", "-p", `{"spec":{"ports":[{"port":80,"protocol":"TCP","targetPort":9090}]}}`}, "targetPort is 9090, Git says 8080", false},
	{"Ingress/front", [][]string{{"annotate", "ingress/front", "cert-manager.io/issuer-name=x"}},
		[]string{"patch", "ingress/front", "--type=json", "-p", `[{"op":"replace","path":"/spec/rules/0/http/paths/0/backend/service/port/number","value":81}]`}, "rules is not what Git says", true},
	{"NetworkPolicy/store", [][]string{{"patch", "networkpolicy/store", "-p", `{"spec":{"policyTypes":["Ingress"]}}`}},
		[]string{"patch", "networkpolicy/store", "--type=json", "-p", `[{"op":"replace","path":"/spec/ingress","value":[{}]}]`}, "ingress is not what Git says", true},
	{"HorizontalPodAutoscaler/front", [][]string{{"patch", "hpa/front", "-p", `{"spec":{"minReplicas":1}}`}},
		[]string{"patch", "hpa/front", "-p", `{"spec":{"maxReplicas":9}}`}, "maxReplicas is 9, Git says 5", false},
	{"PodDisruptionBudget/front", [][]string{{"annotate", "pdb/front", "kubernetes.io/change-cause=x"}},
		[]string{"patch", "pdb/front", "-p", `{"spec":{"minAvailable":1}}`}, "minAvailable is 1, Git says 50%", false},
	{"ConfigMap/settings", [][]string{{"annotate", "configmap/settings", "control-plane.alpha.kubernetes.io/leader=planted"}},
		[]string{"patch", "configmap/settings", "-p", `{"data":{"password":"planted-live"}}`}, "data.password is not what Git says (deploy/all.yaml:", true},
	{"Role/reader", [][]string{{"annotate", "role/reader", "kubernetes.io/change-cause=x"}},
		[]string{"patch", "role/reader", "--type=json", "-p", `[{"op":"add","path":"/rules/0/verbs/-","value":"delete"}]`},
		`rules is [{"apiGroups":[""],"resources":["pods","pods/log"],"verbs":["get","delete"]}], Git says [`, true},
	{"RoleBinding/readers", [][]string{{"annotate", "rolebinding/readers", "kubernetes.io/change-cause=x"}},
		[]string{"patch", "rolebinding/readers", "--type=json", "-p", `[{"op":"add","path":"/subjects/-","value":{"kind":"Group","name":"planted-group","apiGroup":"rbac.authorization.k8s.io"}}]`},
		"subjects is not what Git says", true},
}

func TestEveryKindIsCompared(t *testing.T) {
	s := newStage(t)
	s.commit(map[string]string{"deploy/all.yaml": everyKind + "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: front}\n---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n" +
		"---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: planted-secret}\n"})
	s.source(nil)
	s.kubectl(everyKind, "apply", "-f", "-")
	s.round()
	if ready := s.ready(); len(s.cases()) != 0 || !strings.Contains(ready.Message, ": 12; kinds that are not compared: Secret: Secrets are never read, unless that is asked for (1), "+
		"ServiceAccount: a right to patch it is a right over who somebody is (1), Widget.example.com (1)") {
		t.Fatalf("%s; the GitSource says %+v", asJSON(s.cases()), ready)
	}
	if len(kindStories) != len(drift.Kinds()) {
		t.Errorf("%d stories for %d kinds", len(kindStories), len(drift.Kinds()))
	}
	of := func(object string) []v1alpha1.Case {
		return slices.DeleteFunc(s.cases(), func(k v1alpha1.Case) bool { return k.Spec.Subject.Kind+"/"+k.Spec.Subject.Name != object })
	}
	for _, story := range kindStories {
		t.Run(story.object, func(t *testing.T) {
			for _, change := range story.passes {
				s.kubectl("", change...)
				s.round()
				if cases := of(story.object); len(cases) != 0 {
					t.Fatalf("%v is no drift: %s", change, asJSON(cases))
				}
			}
			s.kubectl("", story.drifts...)
			s.round()
			cases := of(story.object)
			if len(cases) != 1 || !strings.Contains(cases[0].Status.Summary, story.want) {
				t.Fatalf("want %q: %s; the GitSource says %+v", story.want, asJSON(cases), s.ready())
			}
			if adopts := cases[0].Status.Menu[0].ID == "adopt"; adopts == story.neverAdopts {
				t.Errorf("adopting is offered: %t; %s", adopts, asJSON(cases[0].Status))
			}
			menu := cases[0].Status.Menu
			replaces := strings.HasSuffix(menu[len(menu)-2].Text, ", which replaces pods")
			if pods := slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, cases[0].Spec.Subject.Kind); pods != replaces {
				t.Errorf("to go back replaces pods: %t; %s", replaces, asJSON(menu))
			}
			if !strings.HasPrefix(cases[0].Status.Owner, "kubectl-patch") && !strings.HasPrefix(cases[0].Status.Owner, "kubectl-set") {
				t.Errorf("owner %q", cases[0].Status.Owner)
			}
		})
	}
	if all := asJSON(s.cases()) + asJSON(s.log.records) + asJSON(s.ready()); strings.Contains(all, "planted") {
		t.Errorf("a value leaves: %s", all)
	}
}

func TestL20WhatCannotBeReadOfAnyKindIsSaidAndIsNoDrift(t *testing.T) {
	s := newStage(t)
	s.commit(map[string]string{"deploy/all.yaml": everyKind})
	s.source(nil)
	s.kubectl(strings.ReplaceAll(everyKind, ":1.4", ":1.5"), "apply", "-f", "-")
	s.detector = s.detectorAs(s.lesser("blind-to-all", func(rule *rbacv1.PolicyRule) bool {
		return !slices.Contains(rule.Verbs, "patch") || slices.Contains(rule.APIGroups, v1alpha1.GroupVersion.Group)
	}))
	s.round()
	cases := s.cases()
	tried := slices.DeleteFunc(drift.Kinds(), func(k drift.Kind) bool { return k.Still })
	if len(cases) != len(tried) {
		t.Errorf("%d cases for %d kinds", len(cases), len(tried))
	}
	for _, k := range cases {
		if k.Spec.Signal.Reason != "Unreadable" || k.Status.Cause != "unreadable" || len(k.Status.Findings) != 0 {
			t.Errorf("%s %s: %s", k.Spec.Subject.Kind, k.Spec.Subject.Name, asJSON(k.Status))
		}
	}
}

const oldAutoscaler = `apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: front}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: front}
  maxReplicas: 5
  targetCPUUtilizationPercentage: 70
`

// Git declares one version of an API, and people write in another: what has no name in Git's version is said, and is not passed over.
func TestAnObjectIsComparedInGitsVersionOfItsAPI(t *testing.T) {
	s := newStage(t)
	s.commit(map[string]string{"deploy/hpa.yaml": oldAutoscaler})
	s.source(nil)
	s.kubectl(oldAutoscaler, "apply", "-f", "-")
	s.round()
	s.kubectl("", "patch", "hpa/front", "-p", `{"spec":{"maxReplicas":9}}`)
	s.round()
	if k := s.onlyCase(); !strings.Contains(k.Status.Summary, "maxReplicas is 9, Git says 5") || !strings.HasPrefix(k.Status.Owner, "kubectl-patch") {
		t.Errorf("got %s", asJSON(k.Status))
	}
	s.kubectl("", "patch", "hpa/front", "--type=json", "-p", `[{"op":"replace","path":"/spec/maxReplicas","value":5},
		{"op":"add","path":"/spec/metrics/-","value":{"type":"Resource","resource":{"name":"memory","target":{"type":"Utilization","averageUtilization":50}}}}]`)
	s.round()
	cases := s.cases()
	if i := slices.IndexFunc(cases, func(k v1alpha1.Case) bool { return k.Spec.Signal.Reason == "Unreadable" }); i < 0 ||
		!strings.Contains(cases[i].Status.Unread[0], "what kubectl-patch in version autoscaling/v2 owns: Git declares it in autoscaling/v1") {
		t.Errorf("got %s", asJSON(cases))
	}
}

// What says who may do what is compared without a right to write it: a judge that could try a Role in a dry run would need what it gives.
func TestWhoMayDoWhatIsReportedAndNeverAdopted(t *testing.T) {
	s := newStage(t)
	const roles = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: all, labels: {team: shop}}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: none}
rules: []
`
	s.commit(map[string]string{"deploy/roles.yaml": roles})
	s.source(nil)
	s.kubectl(roles, "apply", "-f", "-")
	s.round()
	if cases := s.cases(); len(cases) != 0 {
		t.Fatalf("no drift, but %s", asJSON(cases))
	}
	s.kubectl("", "label", "role/all", "team=other", "--overwrite")
	s.kubectl("", "patch", "role/none", "--type=merge", "-p", `{"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}]}`)
	s.round()
	said := map[string]string{}
	for _, k := range s.cases() {
		said[k.Spec.Subject.Name] = k.Status.Summary
		if len(k.Status.Chosen) != 0 {
			t.Errorf("it was chosen: %s", asJSON(k.Status))
		}
	}
	if !strings.Contains(said["all"], "metadata.labels.team") || !strings.Contains(said["none"], "rules is ") || len(said) != 2 {
		t.Errorf("got %v", said)
	}
	s.commit(map[string]string{"deploy/roles.yaml": strings.Replace(roles, "rules: []", "rulez: [planted-rule]", 1)})
	s.round()
	for _, k := range s.cases() {
		if k.Spec.Signal.Reason == "Unreadable" && !strings.Contains(k.Spec.Signal.Text, "it has a field that the kind does not have") || strings.Contains(asJSON(k), "planted") {
			t.Errorf("got %s", asJSON(k))
		}
	}
}

// The table of kinds, the rights of the judge and the guard of its client say the same.
func TestTheJudgeMayTryEveryKindAndNoOther(t *testing.T) {
	s := newStage(t)
	var role rbacv1.ClusterRole
	s.ok(s.admin.Get(t.Context(), client.ObjectKey{Name: "moorgate-judge"}, &role))
	var may, compared, guarded []string
	for _, rule := range role.Rules {
		if slices.Contains(rule.Verbs, "patch") && slices.Contains(rule.Verbs, "watch") {
			for _, resource := range rule.Resources {
				may = append(may, rule.APIGroups[0]+"/"+resource)
			}
		}
	}
	for _, w := range cluster.OwnOfDiff() {
		guarded = append(guarded, w.Resource)
		if !w.DryRun {
			t.Errorf("a patch of %s that is no dry run passes the guard", w.Resource)
		}
	}
	for _, k := range drift.Kinds() {
		if !k.Still {
			compared = append(compared, k.Group+"/"+k.Resource)
		}
	}
	for _, list := range [][]string{may, compared, guarded} {
		slices.Sort(list)
	}
	if !slices.Equal(may, compared) || !slices.Equal(guarded, compared) {
		t.Errorf("compared %v\nthe judge may patch %v\nthe guard lets through %v", compared, may, guarded)
	}
}
