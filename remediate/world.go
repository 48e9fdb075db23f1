package remediate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

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
	roots  *roots
	// secrets asks whether there is a Secret; nil: nobody asks.
	secrets func(ctx context.Context, namespace, name string) gate.Fact[bool]
}

// refusal says why something could not be read without repeating what the API server said about it.
func refusal(err error) string {
	if apierrors.IsForbidden(err) {
		return "reading it is not permitted"
	}
	return "the API server does not know this kind"
}

// keys are the happenings that a pod shows now.
func (e eye) keys(ctx context.Context, pod *corev1.Pod, now time.Time) ([]Key, error) {
	signs := causes.Signs(pod, now, e.settle)
	if len(signs) == 0 {
		return nil, nil
	}
	root, err := e.root(ctx, pod, now)
	if err != nil {
		return nil, fmt.Errorf("find the workload of pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return keysOf(signs, root, revisionOf(pod)), nil
}

func keysOf(signs []causes.Sign, root gate.Ref, revision string) []Key {
	var keys []Key
	for _, s := range signs {
		keys = append(keys, Key{Symptom: s.Symptom, Root: root, Container: s.Container, Revision: revision})
	}
	return keys
}

// observe reads what there is to know about a happening: the workload, what of it shows the symptom, and what its causes rest on.
func (e eye) observe(ctx context.Context, k Key, now time.Time) (causes.World, error) {
	w := causes.World{At: now, Symptom: k.Symptom, Root: k.Root, Container: k.Container, Revision: k.Revision}
	if err := e.workload(ctx, &w); err != nil {
		if errors.Is(err, errGone) {
			e.roots.forget(k.Root)
		}
		return w, err
	}
	if !k.Symptom.OfPod() {
		return w, e.objects(ctx, &w)
	}
	var beside sets
	if !direct(k.Root) {
		var err error
		if beside, err = e.replicaSets(ctx, k.Root); err != nil {
			return w, err
		}
	}
	if err := e.pods(ctx, &w, beside); err != nil {
		return w, err
	}
	revisions(&w, beside)
	if err := e.sizer(ctx, &w); err != nil {
		return w, err
	}
	return w, e.beyond(ctx, &w)
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
	case err != nil && impossible(w.Root.Name):
		evidence.Unread = "no object can have this name"
		w.Source = gate.Unknown[string](evidence.Unread)
	case err != nil:
		return fmt.Errorf("read %s: %w", w.Root, err)
	default:
		root.Namespace = w.Root.Namespace // it is where the GitSources are, also of an owner that has no namespace
		if w.Source, evidence.Unread, err = e.source(ctx, &root.ObjectMeta); err != nil {
			return err
		}
		evidence.Text = ownedBy(w.Source)
	}
	w.Evidence = append(w.Evidence, evidence)
	return nil
}

func ownedBy(source gate.Fact[string]) string {
	switch tool, known := source.Get(); {
	case !known:
		return "who owns its manifest is not known: " + source.Why()
	case tool != "":
		return tool + " owns its manifest"
	}
	return "nothing shows that Git or a chart owns its manifest"
}

// maxTold is how many pods the evidence spells out.
const maxTold = 20

// pods reads every pod of the workload that is not on its way out. They are shared with whoever else reads the cache.
func (e eye) pods(ctx context.Context, w *causes.World, beside sets) error {
	var list corev1.PodList
	if err := e.reader.List(ctx, &list, client.InNamespace(w.Root.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list the pods beside %s: %w", w.Root, err)
	}
	slices.SortFunc(list.Items, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) }) // a cache has no order
	evidence := gate.Evidence{ID: causes.EvidencePods, Source: "pods of " + w.Root.Kind + "/" + w.Root.Name, At: w.At, Trust: gate.FromAPI}
	family := e.family(w.Root, beside, w.At)
	var told []string
	for i := range list.Items {
		pod := &list.Items[i]
		if pod.DeletionTimestamp != nil || causes.Ended(pod) {
			continue
		}
		ours, err := family.has(ctx, pod)
		if err != nil {
			evidence.Unread = "the owner of at least one pod beside them could not be read"
			if errors.Is(err, errAskedEnough) {
				evidence.Unread = "there are too many owners of pods beside them to read in one look"
			}
		}
		if err != nil || !ours {
			continue
		}
		p := causes.PodOf(pod, causes.Sign{Symptom: w.Symptom, Container: w.Container}, w.At, e.settle)
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

func tell(p causes.Pod) string {
	s := fmt.Sprintf("%s is %s after %d restarts", p.Ref.Name, p.State, p.Restarts)
	if p.Waiting != "" {
		s += ", " + p.Waiting
	}
	if p.Told != "" {
		s += fmt.Sprintf(" (%s)", p.Told)
	}
	if exit, known := p.Exit.Get(); known {
		s += fmt.Sprintf(", last exit code %d (%s)", exit.Code, exit.Reason)
	}
	return s
}
