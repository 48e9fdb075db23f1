package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace/noop"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/webhook"
	"moorgate.dev/webhook/checks"
)

// reviewer looks at manifests, alone or among the objects of a cluster.
type reviewer struct {
	sight  webhook.Sight
	kinds  webhook.Kinds
	live   client.Client // nil offline
	beside flow.Beside   // nil: no model is asked
	door   *redact.Door
	tried  map[string]client.Object // with --warm, by address: the workloads as they would be stored
}

func newReviewer(ctx context.Context, o reviewOptions, objects []*unstructured.Unstructured) (*reviewer, error) {
	own := make([]client.Object, len(objects))
	for i, u := range objects {
		if u.GetNamespace() == "" && namespaced(u) {
			u.SetNamespace(o.namespace)
		}
		own[i] = u
	}
	files, err := webhook.NewFiles(o.namespace, own...)
	if err != nil {
		return nil, err
	}
	if o.offline && o.probes != "" {
		return nil, errors.New("--probes asks hosts outside, and --offline nobody")
	}
	if o.offline {
		return offlineReviewer(o, files, objects)
	}
	if len(o.guardrails) > 0 {
		return nil, errors.New("--guardrail goes with --offline: a cluster has its own Guardrails")
	}
	config, err := restConfig(o.kubeconfig)
	if err != nil {
		return nil, err
	}
	if err := reach(ctx, config); err != nil {
		return nil, err
	}
	hosts, err := hostsFor(ctx, o.probes, objects)
	if err != nil {
		return nil, err
	}
	return liveReviewer(cluster.Guarded(config, cluster.OwnOfReview()), files, hosts)
}

func offlineReviewer(o reviewOptions, files *webhook.Files, objects []*unstructured.Unstructured) (*reviewer, error) {
	guardrails, err := readGuardrails(o.guardrails, objects)
	if err != nil {
		return nil, err
	}
	world := webhook.World{Reader: files, Secrets: files, Now: time.Now}
	policy := func(_ context.Context, namespace string) (gate.Policy, error) {
		if len(guardrails) > 0 {
			return cluster.Compose(guardrails, namespaceLabels(objects, namespace), time.Now()), nil
		}
		// Nothing is known of the cluster, by wish: to ask for confidence all the same would warn about everything.
		p := cluster.Default()
		p.Rails[0].ConfidenceBelow = gate.Known(0)
		return p, nil
	}
	return &reviewer{sight: webhook.Sight{Policy: policy, Look: world.Look, Now: time.Now}}, nil
}

func liveReviewer(config *rest.Config, files *webhook.Files, hosts webhook.Outside) (*reviewer, error) {
	s, err := scheme()
	if err != nil {
		return nil, err
	}
	config.WarningHandler = rest.NoWarnings{} // the dry run asks the gate too; its warnings are this review
	c, err := client.New(config, client.Options{Scheme: s})
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	world := webhook.World{Reader: c, Secrets: secretNames{c}, Outside: hosts, Now: time.Now}
	look := func(ctx context.Context, old, is runtime.Object) (checks.Rollout, []gate.Evidence, []string, error) {
		r, evidence, unread, err := world.Look(ctx, old, is)
		if err == nil {
			files.Complete(&r)
		}
		return r, evidence, unread, err
	}
	return &reviewer{live: c, sight: webhook.Sight{Policy: cluster.Guardrails{Reader: c, Now: time.Now}.Policy, Look: look, Around: webhook.Around{Pods: c, Volumes: c}.Look, Patience: 20 * time.Second, Now: time.Now}}, nil
}

func (r *reviewer) review(ctx context.Context, u *unstructured.Unstructured) reviewed {
	out := reviewed{ref: gate.Ref{Group: u.GroupVersionKind().Group, Version: u.GroupVersionKind().Version, Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()}}
	is, err := typed(r.kinds, u)
	if err != nil {
		out.err = err
		return out
	}
	var old client.Object
	if r.live != nil {
		if old, err = r.before(ctx, u); err != nil {
			out.err = err
			return out
		}
		if is, err = r.asApplied(ctx, u); err != nil {
			out.note = "judged as written in the file: trying it on the cluster failed: " + err.Error()
			is, _ = typed(r.kinds, u)
		} else if r.tried != nil {
			r.tried[out.ref.String()] = is
		}
	}
	out.judgement, out.err = r.sight.Review(ctx, old, is, r.beside, r.door)
	return out
}

// before is the live object, nil if there is none.
func (r *reviewer) before(ctx context.Context, u *unstructured.Unstructured) (client.Object, error) {
	live := u.DeepCopy()
	err := r.live.Get(ctx, client.ObjectKeyFromObject(u), live)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the live %s %s: %w", u.GetKind(), u.GetName(), err)
	}
	return typed(r.kinds, live)
}

// asApplied is the object as it would be stored: with defaults, and with what other webhooks make of it.
func (r *reviewer) asApplied(ctx context.Context, u *unstructured.Unstructured) (client.Object, error) {
	tried := u.DeepCopy()
	unstructured.RemoveNestedField(tried.Object, "metadata", "managedFields")
	unstructured.RemoveNestedField(tried.Object, "metadata", "resourceVersion")
	unstructured.RemoveNestedField(tried.Object, "status")
	err := r.live.Apply(ctx, client.ApplyConfigurationFromUnstructured(tried), client.DryRunAll, client.ForceOwnership, client.FieldOwner("moorgate-review"))
	if err != nil {
		return nil, err
	}
	return typed(r.kinds, tried)
}

// secretNames asks for a Secret's metadata with the user's own rights. Its content is never transferred.
type secretNames struct{ reader client.Reader }

// Exists answers within a few seconds: a review may wait where the gate may not.
func (s secretNames) Exists(namespace, name string) gate.Fact[bool] {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var m metav1.PartialObjectMetadata
	m.APIVersion, m.Kind = "v1", "Secret"
	err := s.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &m)
	switch {
	case err == nil:
		return gate.Known(true)
	case apierrors.IsNotFound(err):
		return gate.Known(false)
	case apierrors.IsForbidden(err):
		return gate.Unknown[bool]("you may not ask whether it exists")
	}
	return gate.Unknown[bool](err.Error())
}

func namespaceLabels(objects []*unstructured.Unstructured, name string) labels.Set {
	for _, u := range objects {
		if u.GetKind() == "Namespace" && u.GetAPIVersion() == "v1" && u.GetName() == name {
			return u.GetLabels()
		}
	}
	return nil
}

// asks has models asked too, where a file names some.
func (r *reviewer) asks(path string) error {
	if path == "" {
		return nil
	}
	c, err := readModelConfig(path)
	if err != nil {
		return err
	}
	if r.door, err = openDoor(""); err != nil {
		return err
	}
	m, err := newModels(c, nil, r.door, noop.NewTracerProvider().Tracer(""))
	if err != nil {
		return err
	}
	r.beside = m.beside()
	return nil
}
