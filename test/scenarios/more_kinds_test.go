package scenarios

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook"
)

const (
	onePod = `{restartPolicy: %s, containers: [{name: app, image: "IMAGE", resources: {requests: {cpu: 1m, memory: 1Mi}, limits: {memory: 1Mi}},
    ports: [{name: http, containerPort: 8080}], readinessProbe: {httpGet: {path: /, port: http}}}]}`
	manyPods = `{metadata: {labels: {app: web}}, spec: ` + onePod + `}`
)

// moreKinds are one workload of each kind that is scored beside Deployments, StatefulSets and DaemonSets, and what becomes of
// it once it is in.
var moreKinds = []struct {
	group, kind, manifest string
	status                string // that the kind's controller would write
	becomes, says         string
}{
	{group: "batch", kind: "Job", manifest: "{apiVersion: batch/v1, kind: Job, metadata: {name: web}, spec: {template: {spec: " + fmt.Sprintf(onePod, "Never") + "}}}",
		becomes: gate.RolloutAvailable, says: "1 of 1 pod"},
	{group: "batch", kind: "CronJob", manifest: "{apiVersion: batch/v1, kind: CronJob, metadata: {name: web}, spec: {schedule: '@yearly', jobTemplate: {spec: {template: {spec: " + fmt.Sprintf(onePod, "Never") + "}}}}}",
		becomes: gate.RolloutUnknown, says: "not followed"},
	{group: "", kind: "Pod", manifest: "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: " + fmt.Sprintf(onePod, "Always") + "}",
		becomes: gate.RolloutAvailable, says: "1 of 1 pod"},
	{group: "argoproj.io", kind: "Rollout", manifest: "{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: web}, spec: {replicas: 2, selector: {matchLabels: {app: web}}, template: " + fmt.Sprintf(manyPods, "Always") + "}}",
		status:  `{"status":{"observedGeneration":"%d","replicas":2,"updatedReplicas":2,"readyReplicas":2,"availableReplicas":2}}`,
		becomes: gate.RolloutAvailable, says: "2 of 2 pods"},
	{group: "apps.example.com", kind: "Widget", manifest: "{apiVersion: apps.example.com/v1, kind: Widget, metadata: {name: web}, spec: {size: 2, podTemplate: " + fmt.Sprintf(manyPods, "Always") + "}}",
		becomes: gate.RolloutUnknown, says: "not known"},
}

// TestMoreKindsPassTheGate: what is scored beside Deployments, StatefulSets and DaemonSets is refused and let in by the same
// rules, leaves its Case, tells of itself in an Event, and is followed as far as its kind says how it fares.
func TestMoreKindsPassTheGate(t *testing.T) {
	t.Parallel()
	h := moored(t)
	strict := usual("Enforce")
	strict.Thresholds = v1alpha1.Thresholds{WarnBelow: new(int32(97)), DenyBelow: new(int32(95)), ConfidenceBelow: new(int32(1))}
	for _, k := range moreKinds {
		t.Run(k.kind, func(t *testing.T) {
			t.Parallel()
			p := h.place(t, strict)
			with := func(image string) string { return strings.ReplaceAll(k.manifest, "IMAGE", image) }
			p.rehearse("a poor one", with("app:latest"), func(out string) error { return holdsAll(out, "would be denied", "latest") })
			if out, err := p.kubectl(with("app:latest"), "apply", "-f", "-"); err == nil || holdsAll(out, "rollouts.moorgate.dev", "latest") != nil {
				t.Errorf("a poor one: %v\n%s", err, out)
			}
			u := objectOf(t, k.manifest)
			if p.live(u) != nil {
				t.Error("it is there all the same")
			}
			p.caseSays(k.group, k.kind, "web", webhook.Denied)
			p.apply("a sound one", with("registry.example/"+p.ns+"/app:1.4.2"))
			p.caseSays(k.group, k.kind, "web", webhook.Admitted)
			p.eventually(t, "an Event tells of it", func() error {
				out, err := p.kubectl("", "describe", strings.ToLower(k.kind)+"."+k.group, "web")
				if err != nil {
					return fmt.Errorf("%w: %s", err, out)
				}
				return holdsAll(out, "RolloutAdmitted", "looks sound")
			})
			if k.status != "" {
				patch := fmt.Sprintf(k.status, p.live(u).GetGeneration())
				if err := p.admin.Status().Patch(t.Context(), p.live(u), client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
					t.Fatal(err)
				}
			}
			p.eventually(t, "it is known what became of it", func() error {
				c, err := p.caseOf(k.group, k.kind, "web", webhook.Admitted)
				if err != nil {
					return err
				}
				is := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.CaseRollout)
				if is == nil || is.Reason != k.becomes {
					return fmt.Errorf("the condition is %+v", is)
				}
				return holdsAll(is.Message, k.says)
			})
		})
	}
}

// TestWhatBelongsToAWorkloadIsScoredWithIt: the Pods of a Deployment and the Jobs of a CronJob leave no Case of their own, and
// what changes about a Pod that runs is no rollout.
func TestWhatBelongsToAWorkloadIsScoredWithIt(t *testing.T) {
	t.Parallel()
	p := moored(t).place(t, usual("Warn"))
	p.apply("a Deployment", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: many}, spec: {replicas: 2, selector: {matchLabels: {app: web}}, template: "+
		strings.ReplaceAll(fmt.Sprintf(manyPods, "Always"), "IMAGE", "app:1.4.2")+"}}")
	p.apply("a CronJob", strings.ReplaceAll(moreKinds[1].manifest, "IMAGE", "app:1.4.2"))
	p.apply("a Pod", strings.ReplaceAll(moreKinds[2].manifest, "IMAGE", "app:1.4.2"))
	if out, err := p.kubectl("", "create", "job", "by-hand", "--from=cronjob/web"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := p.kubectl("", "label", "pod", "web", "a=b"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p.wait(condition{Pods: map[string]string{"app": "web"}, Are: "Ready", AtLeast: 2})
	for _, w := range []struct{ group, kind, name string }{{"apps", "Deployment", "many"}, {"batch", "CronJob", "web"}, {"", "Pod", "web"}} {
		p.caseSays(w.group, w.kind, w.name, "")
	}
	var all v1alpha1.CaseList
	if err := p.admin.List(t.Context(), &all, client.InNamespace(p.ns), client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceWebhook)}); err != nil {
		t.Fatal(err)
	}
	if len(all.Items) != 3 {
		for _, c := range all.Items {
			t.Errorf("a Case of %s %s", c.Spec.Subject.Kind, c.Spec.Subject.Name)
		}
	}
	var pods corev1.PodList
	if err := p.admin.List(t.Context(), &pods, client.InNamespace(p.ns)); err != nil || len(pods.Items) < 4 {
		t.Errorf("%d pods, %v: want those of the Deployment, of the Job, and the one alone", len(pods.Items), err)
	}
}

func objectOf(t *testing.T, manifest string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &u.Object); err != nil {
		t.Fatal(err)
	}
	return u
}

// caseSays waits for a Case of the gate that says so of a workload; anything where said is empty.
func (p *place) caseSays(group, kind, name, said string) {
	p.t.Helper()
	p.eventually(p.t, "a Case of "+kind+" "+name, func() error {
		_, err := p.caseOf(group, kind, name, said)
		return err
	})
}

func (p *place) caseOf(group, kind, name, said string) (v1alpha1.Case, error) {
	var list v1alpha1.CaseList
	err := p.admin.List(p.t.Context(), &list, client.InNamespace(p.ns), client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceWebhook),
		v1alpha1.LabelWorkload: cluster.WorkloadLabel(gate.Ref{Group: group, Kind: kind, Name: name})})
	if err != nil {
		return v1alpha1.Case{}, err
	}
	for _, c := range list.Items {
		if said == "" || c.Status.Answer == said {
			return c, nil
		}
	}
	return v1alpha1.Case{}, fmt.Errorf("%d Cases, none says %q", len(list.Items), said)
}
