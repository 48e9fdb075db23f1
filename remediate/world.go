package remediate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// errGone says that a workload is no longer there: what is left of it is being collected.
var errGone = errors.New("the workload is gone")

var podKind = corev1.SchemeGroupVersion.WithKind("Pod")

// eye looks at the world. What it may not read it names in the evidence; what it cannot read this time is an error, because
// a guess about who owns a pod would make a second Case of one happening.
type eye struct {
	reader client.Reader
	owners client.Reader
	settle time.Duration
}

// root is the workload that a pod belongs to. Where an owner may not be read the walk ends at its name, the same in every
// look; what is read of it afterwards says that it could not be.
func (e eye) root(ctx context.Context, pod *corev1.Pod) (gate.Ref, error) {
	root, err := cluster.RootOwner(ctx, e.owners, pod, podKind)
	if apierrors.IsForbidden(err) || meta.IsNoMatchError(err) {
		return root, nil
	}
	return root, err
}

// refusal says why something could not be read without repeating what the API server said about it.
func refusal(err error) string {
	if apierrors.IsForbidden(err) {
		return "reading it is not permitted"
	}
	return "the API server does not know this kind"
}

// keys are the happenings that a pod shows now: one for each container that crash-loops.
func (e eye) keys(ctx context.Context, pod *corev1.Pod, now time.Time) ([]Key, error) {
	if pod.DeletionTimestamp != nil || causes.Ended(pod) {
		return nil, nil
	}
	var keys []Key
	for _, container := range causes.Containers(pod) {
		if causes.PodOf(pod, container, now, e.settle).State == causes.Looping {
			keys = append(keys, Key{Container: container, Revision: revisionOf(pod)})
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	root, err := e.root(ctx, pod)
	if err != nil {
		return nil, fmt.Errorf("find the workload of pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	for i := range keys {
		keys[i].Root = root
	}
	return keys, nil
}

// observe reads what there is to know about a happening: the workload, all its pods, and the revision before.
func (e eye) observe(ctx context.Context, k Key, now time.Time) (causes.World, error) {
	w := causes.World{At: now, Root: k.Root, Container: k.Container, Revision: k.Revision}
	if err := e.workload(ctx, &w); err != nil {
		return w, err
	}
	if err := e.pods(ctx, &w); err != nil {
		return w, err
	}
	err := e.revisions(ctx, &w)
	return w, err
}

// workload reads who owns the manifest, from the metadata of the root owner.
func (e eye) workload(ctx context.Context, w *causes.World) error {
	evidence := gate.Evidence{ID: causes.EvidenceWorkload, Source: w.Root.Kind + "/" + w.Root.Name, At: w.At, Trust: gate.FromAPI}
	var root metav1.PartialObjectMetadata
	root.SetGroupVersionKind(schema.GroupVersionKind{Group: w.Root.Group, Version: w.Root.Version, Kind: w.Root.Kind})
	err := e.owners.Get(ctx, client.ObjectKey{Namespace: w.Root.Namespace, Name: w.Root.Name}, &root)
	switch {
	case apierrors.IsNotFound(err) || err == nil && string(root.UID) != w.Root.UID:
		return errGone
	case apierrors.IsForbidden(err) || meta.IsNoMatchError(err):
		evidence.Unread = refusal(err)
		w.Source = gate.Unknown[string](evidence.Unread)
	case err != nil:
		return fmt.Errorf("read %s: %w", w.Root, err)
	default:
		source := sourceOf(root.Labels, root.Annotations)
		w.Source = gate.Known(source)
		evidence.Text = "nobody but the API server owns its manifest"
		if source != "" {
			evidence.Text = source + " owns its manifest"
		}
	}
	w.Evidence = append(w.Evidence, evidence)
	return nil
}

// sourceOf is who writes a workload's manifest, by the marks that such tools leave; empty for nobody.
func sourceOf(labels, annotations map[string]string) string {
	for label := range labels {
		if strings.HasPrefix(label, "kustomize.toolkit.fluxcd.io/") || strings.HasPrefix(label, "helm.toolkit.fluxcd.io/") {
			return "Flux"
		}
	}
	switch {
	case annotations["argocd.argoproj.io/tracking-id"] != "" || labels["argocd.argoproj.io/instance"] != "":
		return "Argo CD"
	case labels["app.kubernetes.io/managed-by"] == "Helm" || annotations["meta.helm.sh/release-name"] != "":
		return "Helm"
	}
	return ""
}

// maxTold is how many pods the evidence spells out.
const maxTold = 20

// pods reads every pod of the workload that is not on its way out.
func (e eye) pods(ctx context.Context, w *causes.World) error {
	var list corev1.PodList
	if err := e.reader.List(ctx, &list, client.InNamespace(w.Root.Namespace)); err != nil {
		return fmt.Errorf("list the pods beside %s: %w", w.Root, err)
	}
	evidence := gate.Evidence{ID: causes.EvidencePods, Source: "pods of " + w.Root.Kind + "/" + w.Root.Name, At: w.At, Trust: gate.FromAPI}
	roots := map[types.UID]gate.Ref{}
	var told []string
	for i := range list.Items {
		pod := &list.Items[i]
		if pod.DeletionTimestamp != nil || causes.Ended(pod) {
			continue
		}
		root, err := e.rootOnce(ctx, pod, roots)
		if err != nil {
			evidence.Unread = "the owner of at least one pod beside them could not be read"
			continue
		}
		if root.UID != w.Root.UID {
			continue
		}
		p := causes.PodOf(pod, w.Container, w.At, e.settle)
		if revisionOf(pod) != w.Revision {
			w.Others = append(w.Others, p)
			continue
		}
		w.Pods = append(w.Pods, p)
		told = append(told, tell(p))
	}
	w.Complete = gate.Known(evidence.Unread == "")
	evidence.Text = strings.Join(told[:min(len(told), maxTold)], "; ")
	if more := len(told) - maxTold; more > 0 {
		evidence.Text += fmt.Sprintf("; and %d more", more)
	}
	w.Evidence = append(w.Evidence, evidence)
	return nil
}

// rootOnce asks for the root of each controller once: all its pods have the same.
func (e eye) rootOnce(ctx context.Context, pod *corev1.Pod, roots map[types.UID]gate.Ref) (gate.Ref, error) {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return e.root(ctx, pod)
	}
	if root, known := roots[owner.UID]; known {
		return root, nil
	}
	root, err := e.root(ctx, pod)
	if err == nil {
		roots[owner.UID] = root
	}
	return root, err
}

func tell(p causes.Pod) string {
	s := fmt.Sprintf("%s is %s after %d restarts", p.Ref.Name, p.State, p.Restarts)
	if exit, known := p.Exit.Get(); known {
		s += fmt.Sprintf(", last exit code %d (%s)", exit.Code, exit.Reason)
	}
	return s
}
