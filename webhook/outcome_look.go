package webhook

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

const (
	imagesMax = 8   // that a Case holds
	imageMax  = 512 // bytes of each
)

// glance is a course with what its record tells beyond it.
type glance struct {
	course
	declared []string // images of the template
	ran      []string // images that its pods run, by digest where one is known
}

// glance looks how a rollout stands now. It reads from informer caches.
func (f *Follower) glance(ctx context.Context, c *v1alpha1.Case) (glance, error) {
	hash := c.Labels[v1alpha1.LabelTemplate]
	g := glance{course: course{At: f.Now(), Admitted: c.CreationTimestamp.Time, Hash: hash}}
	if before := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.CaseRollout); before != nil {
		g.Before, g.Since = before.Reason, before.LastTransitionTime.Time
	}
	obj, err := f.subject(ctx, c)
	if g.Unfollowed = unfollowed(obj, err); g.Unfollowed != "" {
		return g, nil
	}
	if err != nil {
		return glance{}, err
	}
	if obj == nil || obj.GetDeletionTimestamp() != nil || another(c, obj) {
		g.Gone = true
		return g, nil
	}
	w, err := checks.FromObject(obj)
	if err != nil {
		return glance{}, fmt.Errorf("look what became of %s: %w", c.Name, err)
	}
	now := checks.TemplateHash(&w)
	g.Stands = now == hash
	revisions, err := f.revisions(ctx, obj, w.Ref)
	if err != nil {
		return glance{}, err
	}
	if !g.Stands {
		g.Earlier = revisions.older(now, hash, c.CreationTimestamp.Time)
		return g, nil
	}
	for _, container := range slices.Concat(w.Template.Spec.InitContainers, w.Template.Spec.Containers) {
		g.declared = append(g.declared, container.Image)
	}
	g.declared = few(g.declared)
	pods, err := f.podsOf(ctx, obj, revisions.owners(hash))
	if err != nil {
		return glance{}, err
	}
	g.count(obj, w)
	g.inspect(pods)
	return g, nil
}

// unfollowed says why nobody can tell what becomes of a rollout; empty: it can be told.
func unfollowed(obj client.Object, err error) string {
	switch o := obj.(type) {
	case *batchv1.CronJob:
		return "what becomes of the Jobs of a CronJob is not followed"
	case *checks.Shaped:
		return "how a " + o.Shape.Kind + " says what became of it is not known"
	}
	return unreadable(err)
}

// another reports whether the workload was made well after the Case: a create has no UID to tell it by.
func another(c *v1alpha1.Case, obj client.Object) bool {
	return c.Spec.Subject.UID == "" && obj.GetCreationTimestamp().Sub(c.CreationTimestamp.Time) > outcomeSlack
}

// count reads from the controller how far it is. Where it has not seen the newest change, it says nothing of it.
func (g *glance) count(obj client.Object, w checks.Workload) {
	var updated, total int32
	whole := true // every pod is meant to have the template
	switch o := obj.(type) {
	case *batchv1.Job:
		g.Ends, g.Wanted, g.Through, g.Stuck = true, *cmp.Or(o.Spec.Completions, &w.Replicas), completed(o), w.Status.Stuck != ""
		g.Ready = min(o.Status.Succeeded, g.Wanted)
		return
	case *corev1.Pod:
		_, ready := readySince(o)
		g.Wanted, g.Through, g.Stuck = 1, ready, o.Status.Phase == corev1.PodFailed
		if ready {
			g.Ready = 1
		}
		return
	case *unstructured.Unstructured:
		updated, total, g.Wanted, g.Ready = w.Status.Updated, w.Status.Updated+w.Status.Outdated, w.Replicas, w.Status.Available
	case *appsv1.Deployment:
		updated, total, g.Wanted, g.Ready = o.Status.UpdatedReplicas, o.Status.Replicas, w.Replicas, o.Status.AvailableReplicas
	case *appsv1.StatefulSet:
		updated, g.Ready, g.Wanted = o.Status.UpdatedReplicas, o.Status.AvailableReplicas, max(0, w.Replicas-w.Partition)
		total, whole = updated, w.Partition == 0
	case *appsv1.DaemonSet:
		updated, g.Ready, g.Wanted = o.Status.UpdatedNumberScheduled, o.Status.NumberAvailable, o.Status.DesiredNumberScheduled
		total = updated
	}
	need := g.Wanted
	if !whole {
		need = w.Replicas
	}
	g.Through = w.Status.Observed && g.Wanted > 0 && updated >= g.Wanted && total == updated && g.Ready >= need
	g.Stuck = w.Status.Observed && gaveUp(w.Status.Stuck)
	if !g.Through {
		g.Ready = 0 // those of older templates are among them; inspect counts
	}
	g.Ready = min(g.Ready, g.Wanted)
}

// gaveUp reports whether a controller says of itself that it tries no longer: beyond this it may be short of pods for a while.
func gaveUp(stuck string) bool {
	return strings.HasPrefix(stuck, "ProgressDeadlineExceeded") || strings.HasPrefix(stuck, "RolloutAborted")
}

func completed(j *batchv1.Job) bool {
	return slices.ContainsFunc(j.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Type == batchv1.JobComplete && c.Status == corev1.ConditionTrue
	})
}

// inspect reads from the pods of the template how they fail, and since when they are ready.
func (g *glance) inspect(pods []*corev1.Pod) {
	var since time.Time
	ready := int32(0)
	kinds := map[string]*failing{}
	for _, p := range pods {
		if at, is := readySince(p); is {
			ready++
			if at.After(since) {
				since = at
			}
		}
		g.fails(kinds, p)
		for i := range p.Status.ContainerStatuses {
			g.ran = append(g.ran, runs(&p.Status.ContainerStatuses[i]))
		}
	}
	g.ran = few(g.ran)
	for _, outcome := range []string{gate.RolloutOutOfMemory, gate.RolloutCrashed, gate.RolloutImagePull} { // the one that says most first
		if k := kinds[outcome]; k != nil && (g.Failing.Outcome == "" || k.Lasting && !g.Failing.Lasting) {
			k.Of, k.Images = len(pods), few(k.Images)
			g.Failing = *k
		}
	}
	if !g.Through {
		g.Ready = min(ready, g.Wanted)
	}
	if g.Through && g.Before != gate.RolloutAvailable {
		if g.Since = since; since.Before(g.Admitted) || since.After(g.At) {
			g.Since = g.Admitted
		}
	}
}

// fails adds how one pod fails to what is known of each kind of failure.
func (g *glance) fails(kinds map[string]*failing, p *corev1.Pod) {
	counted := map[string]bool{}
	for _, c := range checks.FailedContainers(p, g.At) {
		outcome := outcomeOf(c.Why)
		if outcome == "" {
			continue
		}
		k := kinds[outcome]
		if k == nil {
			k = &failing{Outcome: outcome, Why: gate.OneLine("container "+c.Name+" is "+c.Why, 160)}
			kinds[outcome] = k
		}
		if !counted[outcome] {
			k.Pods++
			counted[outcome] = true
		}
		k.Images = append(k.Images, c.Image)
		if outcome == gate.RolloutImagePull {
			k.Lasting = k.Lasting || c.Why == "InvalidImageName" || g.At.Sub(p.CreationTimestamp.Time) >= outcomePull
		} else {
			k.Lasting = k.Lasting || c.Restarts >= outcomeCrash
		}
	}
}

// outcomeOf is the word for why a container fails, empty where there is none: a Secret that is missing may still come.
func outcomeOf(why string) string {
	switch why {
	case "OOMKilled":
		return gate.RolloutOutOfMemory
	case "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError":
		return gate.RolloutImagePull
	case "CreateContainerConfigError", "CreateContainerError":
		return ""
	}
	return gate.RolloutCrashed
}

// readySince is since when a pod is ready, or done.
func readySince(p *corev1.Pod) (time.Time, bool) {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.LastTransitionTime.Time, c.Status == corev1.ConditionTrue || p.Status.Phase == corev1.PodSucceeded
		}
	}
	return time.Time{}, false
}

// runs is what a container runs, by digest where its node says so.
func runs(s *corev1.ContainerStatus) string {
	if strings.Contains(s.ImageID, "@") {
		_, id, prefixed := strings.Cut(s.ImageID, "://")
		if prefixed {
			return id
		}
		return s.ImageID
	}
	return s.Image
}

// few sorts images, and keeps those that a Case takes.
func few(images []string) []string {
	images = slices.DeleteFunc(slices.Clone(images), func(s string) bool { return s == "" || len(s) > imageMax })
	slices.Sort(images)
	images = slices.Compact(images)
	return images[:min(len(images), imagesMax)]
}

// line is the revisions of one workload.
type line []revised

type revised struct {
	past
	template string // its hash
}

func (f *Follower) revisions(ctx context.Context, obj client.Object, ref gate.Ref) (line, error) {
	if !keepsRevisions(groupKind(ref)) {
		return nil, nil
	}
	all, err := pastOf(ctx, f.Client, groupKind(ref), obj.GetNamespace(), func(o metav1.Object) bool { return metav1.IsControlledBy(o, obj) }, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("list the revisions of %s: %w", obj.GetName(), err)
	}
	var l line
	for _, p := range all[:min(len(all), revisionsMax)] {
		if hash, err := f.Hashes.of(p); err == nil {
			l = append(l, revised{past: p, template: hash})
		}
	}
	return l, nil
}

// born is when the first revision with a template was made.
func (l line) born(hash string) time.Time {
	var first time.Time
	for _, r := range l {
		if at := r.object.GetCreationTimestamp().Time; r.template == hash && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// older reports whether one template was there before another, which was let in at a time.
func (l line) older(one, other string, admitted time.Time) bool {
	a, b := l.born(one), l.born(other)
	if b.IsZero() {
		b = admitted // it never got as far
	}
	return !a.IsZero() && a.Before(b)
}

// owners are what the pods of a template are known by: the UID of the ReplicaSet that owns them, or the label of the revision.
func (l line) owners(hash string) map[string]bool {
	known := map[string]bool{}
	for _, r := range l {
		if r.template != hash {
			continue
		}
		if _, ok := r.object.(*appsv1.ReplicaSet); ok {
			known[string(r.object.GetUID())] = true
			continue
		}
		known[r.object.GetName()] = true
		if label := r.object.GetLabels()[appsv1.ControllerRevisionHashLabelKey]; label != "" {
			known[label] = true
		}
	}
	return known
}

// podsOf are the pods of a template that are not on their way out. They are shared with the cache.
func (f *Follower) podsOf(ctx context.Context, obj client.Object, known map[string]bool) ([]*corev1.Pod, error) {
	switch o := obj.(type) {
	case *corev1.Pod:
		return []*corev1.Pod{o}, nil
	case *batchv1.Job:
		known[string(o.UID)] = true
	}
	if len(known) == 0 {
		return nil, nil
	}
	var list corev1.PodList
	if err := f.Client.List(ctx, &list, client.InNamespace(obj.GetNamespace()), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the pods of %s: %w", obj.GetName(), err)
	}
	var pods []*corev1.Pod
	for i := range list.Items {
		p := &list.Items[i]
		owner := metav1.GetControllerOfNoCopy(p)
		if owner == nil || p.DeletionTimestamp != nil {
			continue
		}
		if known[string(owner.UID)] || owner.UID == obj.GetUID() && known[p.Labels[appsv1.ControllerRevisionHashLabelKey]] {
			pods = append(pods, p)
		}
	}
	return pods, nil
}
