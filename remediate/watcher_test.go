package remediate_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
	"moorgate.dev/test/cluster"
)

func menuOf(c v1alpha1.Case) string {
	var ids []string
	for _, m := range c.Status.Menu {
		ids = append(ids, m.ID)
	}
	return strings.Join(ids, " ")
}

func rules(c v1alpha1.Case) string {
	var ids []string
	for _, r := range c.Status.Reasons {
		ids = append(ids, r.Rule)
	}
	return strings.Join(ids, " ")
}

func TestACrashLoopingDeploymentIsOneCase(t *testing.T) {
	h := newHouse(t)
	h.deployment("web", 5, cluster.CrashLoop)
	h.pods("web", 5, func(p *corev1.Pod) bool {
		return len(p.Status.ContainerStatuses) > 0 && p.Status.ContainerStatuses[0].RestartCount > 0
	})
	log, _ := h.watch(time.Second) // from here on it looks the same: every pod has crashed
	c := h.judged("web", anyVerdict)
	if c.Status.Cause != "application-error" || c.Status.Decision != "Hold" || c.Spec.Subject.Kind != "Deployment" {
		t.Errorf("the Case is %+v of %+v", c.Status, c.Spec)
	}
	if got := menuOf(c); !strings.HasSuffix(got, "escalate nothing") || strings.Contains(got, "roll-back") {
		t.Errorf("the menu is %q", got)
	}
	if !strings.Contains(c.Status.Summary, "exit code 1") || c.Status.Audit == nil || len(c.Status.Unread) > 0 {
		t.Errorf("the status is %+v", c.Status)
	}
	h.overTwoSweeps()
	if n, verdicts := len(h.cases()), len(log.of(gate.RecordVerdict, h.namespace)); n != 2 || verdicts != 2 {
		t.Errorf("%d Cases and %d verdicts, want one of each for web and one for the marker", n, verdicts)
	}
	h.untouched()
}

// overTwoSweeps waits until a workload that began to fail now was judged, so that whatever the Watcher would have said
// before is said.
func (h *house) overTwoSweeps() {
	h.t.Helper()
	h.deployment("marker", 1, cluster.CrashLoop)
	h.judged("marker", anyVerdict)
}

// untouched shows that the judge wrote Cases and nothing else.
func (h *house) untouched() {
	h.t.Helper()
	writers := func(o client.ObjectList) []string {
		if err := h.admin.List(h.t.Context(), o, client.InNamespace(h.namespace)); err != nil {
			h.t.Fatal(err)
		}
		var all []string
		switch list := o.(type) {
		case *appsv1.DeploymentList:
			for _, x := range list.Items {
				all = append(all, managers(&x)...)
			}
		case *appsv1.ReplicaSetList:
			for _, x := range list.Items {
				all = append(all, managers(&x)...)
			}
		case *corev1.PodList:
			for _, x := range list.Items {
				all = append(all, managers(&x)...)
			}
		case *v1alpha1.CaseList:
			for _, x := range list.Items {
				all = append(all, managers(&x)...)
			}
		}
		return all
	}
	for _, o := range []client.ObjectList{&appsv1.DeploymentList{}, &appsv1.ReplicaSetList{}, &corev1.PodList{}} {
		all := writers(o)
		if len(all) == 0 {
			h.t.Errorf("nobody wrote any %T: this test shows nothing", o)
		}
		if slices.Contains(all, judgeAgent) {
			h.t.Errorf("the judge wrote to a %T: %v", o, all)
		}
	}
	if !slices.Contains(writers(&v1alpha1.CaseList{}), judgeAgent) {
		h.t.Error("the judge's writes to Cases do not show, so this test shows nothing")
	}
}

func managers(o client.Object) []string {
	var names []string
	for _, m := range o.GetManagedFields() {
		names = append(names, m.Manager)
	}
	return names
}

func TestOutOfMemory(t *testing.T) {
	h := newHouse(t)
	h.watch(time.Second)
	h.deployment("hungry", 2, cluster.OOMKilled, func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}
	})
	c := h.judged("hungry", anyVerdict)
	if c.Status.Cause != "out-of-memory" || c.Status.Decision != "Hold" || !strings.Contains(c.Status.Summary, "64Mi") {
		t.Errorf("the Case is %+v", c.Status)
	}
}

// TestObserveHolds shows a bad rollout beside the revision that still works: going back is offered, and held by the mode.
func TestObserveHolds(t *testing.T) {
	h := newHouse(t)
	probed := func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}}
		d.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "TOKEN", Value: planted}}
	}
	for name, labels := range map[string]map[string]string{"bare": nil, "flux": {"kustomize.toolkit.fluxcd.io/name": "apps"}} {
		d := h.deployment(name, 5, "", probed, func(d *appsv1.Deployment) { d.Labels = labels })
		h.pods(name, 5, ready)
		h.rollOut(d, func(d *appsv1.Deployment) {
			d.Spec.Template.Labels[cluster.FaultLabel] = string(cluster.CrashLoop)
			d.Spec.Template.Annotations[cluster.MessageAnnotation] = "panic: " + planted
			d.Spec.Template.Spec.Containers[0].Image = "registry.example/app:2"
		})
	}
	h.trusted()
	h.guardrail(func(g *v1alpha1.GuardrailSpec) {
		g.Mode, g.Restraint.MinHealthyPercent = "Observe", number(0)
		g.Actions = []v1alpha1.AllowedAction{{Verb: "roll-back"}, {Verb: "pull-request"}}
	})
	log, _ := h.watchWith(func(w *remediate.Watcher) {
		w.Circumstances, w.Now = h.circumstances(), ahead
		w.Guardrails.Now = ahead
	})
	for name, want := range map[string]string{"bare": "roll-back", "flux": "pull-request"} {
		c := h.judged(name, func(c v1alpha1.Case) error {
			if !slices.Equal(c.Status.Chosen, []string{want}) {
				return fmt.Errorf("chosen is %v from %q: %s", c.Status.Chosen, menuOf(c), c.Status.Summary)
			}
			return nil
		})
		// A live action waits at first besides, in whatever mode.
		if by := map[string]string{"bare": "mode wait", "flux": "mode"}[name]; c.Status.Decision != "Hold" || rules(c) != by {
			t.Errorf("the verdict is %s by %q, want Hold by %q", c.Status.Decision, rules(c), by)
		}
		if e := c.Status.Menu[0].Edits; len(e) != 2 || e[0].Old != `"registry.example/app:2"` || e[0].New != `"registry.example/app:1"` || e[1].Path != "spec.template" {
			t.Errorf("the edits are %+v", e)
		}
		if strings.Contains(fmt.Sprintf("%+v", c), planted) || strings.Contains(fmt.Sprintf("%+v", log.of(gate.RecordVerdict, h.namespace)), planted) {
			t.Error("a secret left")
		}
	}
	h.untouched()
}

const planted = "s3cr3t-hunter2"

func (h *house) rollOut(d *appsv1.Deployment, change func(*appsv1.Deployment)) {
	h.t.Helper()
	h.eventually("a rollout of "+d.Name, func() error {
		if err := h.admin.Get(h.t.Context(), client.ObjectKeyFromObject(d), d); err != nil {
			return err
		}
		change(d)
		return h.admin.Update(h.t.Context(), d)
	})
}

func TestARestartAndASecondReplicaStillMakeOneCase(t *testing.T) {
	h := newHouse(t)
	_, stop := h.watch(time.Second)
	h.deployment("web", 3, cluster.CrashLoop)
	first := h.judged("web", anyVerdict)
	stop()
	one, _ := h.watch(time.Second)
	two, _ := h.watch(time.Second)
	for _, log := range []*records{one, two} {
		h.eventually("a verdict after the restart", func() error {
			if len(log.of(gate.RecordVerdict, h.namespace)) == 0 {
				return fmt.Errorf("there is none")
			}
			return nil
		})
	}
	if all := h.cases(); len(all) != 1 || all[0].UID != first.UID {
		t.Errorf("there are %d Cases", len(all))
	}
}

func TestARecoveryIsSaid(t *testing.T) {
	h := newHouse(t)
	h.watch(time.Second)
	d := h.deployment("web", 2, cluster.CrashLoop)
	h.judged("web", recovered(metav1.ConditionFalse, "CrashLoop"))
	h.rollOut(d, func(d *appsv1.Deployment) { delete(d.Spec.Template.Labels, cluster.FaultLabel) })
	h.judged("web", recovered(metav1.ConditionTrue, "Replaced"))
	if n := len(h.cases()); n != 1 {
		t.Errorf("there are %d Cases", n)
	}
}

func TestADeletedWorkloadIsSaidToBeGone(t *testing.T) {
	h := newHouse(t)
	h.watch(time.Second)
	d := h.deployment("web", 1, cluster.CrashLoop)
	h.judged("web", anyVerdict)
	if err := h.admin.Delete(t.Context(), d, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		t.Fatal(err)
	}
	h.judged("web", recovered(metav1.ConditionUnknown, "Gone"))
	h.overTwoSweeps()
	if n := len(h.cases()); n != 2 {
		t.Errorf("there are %d Cases, want one for web and one for the marker", n)
	}
}

// TestLookAlikesAreNoCrashLoop shows that what fails in another way is told of in its own words, whatever an event says.
func TestLookAlikesAreNoCrashLoop(t *testing.T) {
	h := newHouse(t)
	h.watch(time.Second)
	h.deployment("unpullable", 1, cluster.ImagePull)
	h.deployment("unready", 1, cluster.NotReady)
	h.deployment("unconfigured", 1, cluster.ConfigError)
	for _, app := range []string{"unpullable", "unready", "unconfigured"} {
		h.pods(app, 1, func(p *corev1.Pod) bool { return len(p.Status.ContainerStatuses) > 0 && !ready(p) })
	}
	for _, pod := range h.pods("unpullable", 1, every) {
		h.create(backOff(&pod, "unpullable.back-off", time.Now())) // an event that lies
	}
	want := map[string]string{"unpullable": "ImagePull", "unready": "NotReady", "unconfigured": "CannotStart"}
	h.eventually("one Case for each", func() error {
		told := map[string]string{}
		for _, c := range h.cases() {
			told[c.Spec.Subject.Name] = c.Spec.Signal.Reason
		}
		if len(h.cases()) != len(want) || !maps.Equal(told, want) {
			return fmt.Errorf("the Cases tell of %v, want %v", told, want)
		}
		return nil
	})
}

// blind may not read ReplicaSets, whole or in part.
type blind struct{ client.Reader }

func (b blind) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if o.GetObjectKind().GroupVersionKind().Kind == "ReplicaSet" {
		return refuse("replicasets", key.Name)
	}
	return b.Reader.Get(ctx, key, o, opts...)
}

func (b blind) List(ctx context.Context, o client.ObjectList, opts ...client.ListOption) error {
	if _, sets := o.(*appsv1.ReplicaSetList); sets {
		return refuse("replicasets", "")
	}
	return b.Reader.List(ctx, o, opts...)
}

func refuse(resource, name string) error {
	return apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: resource}, name, errors.New("planted "+planted))
}

// TestWhatMayNotBeReadIsNamed shows a judge that may not read ReplicaSets: it says so, is less sure, and still makes one
// Case of all the pods, under the last name that it knows.
func TestWhatMayNotBeReadIsNamed(t *testing.T) {
	h := newHouse(t)
	h.watchThrough(blind{h.judge}, time.Second)
	h.deployment("web", 3, cluster.CrashLoop)
	var c v1alpha1.Case
	h.eventually("a verdict", func() error {
		all := h.cases()
		if len(all) != 1 || all[0].Status.Decision == "" {
			return fmt.Errorf("there are %d Cases", len(all))
		}
		c = all[0]
		return nil
	})
	if c.Spec.Subject.Kind != "ReplicaSet" || len(c.Status.Unread) != 1 || !strings.Contains(c.Status.Unread[0], "not permitted") {
		t.Errorf("the subject is %+v, unread is %v", c.Spec.Subject, c.Status.Unread)
	}
	if c.Status.Confidence == nil || *c.Status.Confidence >= 90 || strings.Contains(fmt.Sprint(c), planted) {
		t.Errorf("the status is %+v", c.Status)
	}
}

func TestAWatcherThatLacksSomethingDoesNotBegin(t *testing.T) {
	if err := (remediate.Watcher{}).Run(t.Context()); err == nil {
		t.Error("it began")
	}
}
