package remediate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// podMetrics is the kind by which what pods use is served.
var podMetrics = schema.GroupVersionKind{Group: "metrics.k8s.io", Version: "v1beta1", Kind: "PodMetrics"}

const (
	maxMeasured = 20              // pods whose usage is asked for
	freshFor    = 5 * time.Minute // a measurement is believed
)

// usage asks how much memory those of a revision use that run, where one was killed for its memory. Few clusters must serve that, so
// whatever is not answered is not known, takes nothing away from what is, and is no error.
func (e eye) usage(ctx context.Context, w *causes.World) error {
	hungry := slices.ContainsFunc(w.Failing(), func(p causes.Pod) bool {
		exit, _ := p.Exit.Get()
		return exit.Reason == "OOMKilled"
	})
	if !hungry {
		return nil
	}
	var told []string
	for i := range w.Pods {
		p := &w.Pods[i]
		if p.Since.IsZero() || len(told) >= maxMeasured {
			continue
		}
		var m unstructured.Unstructured
		m.SetGroupVersionKind(podMetrics)
		if err := e.owners.Get(ctx, client.ObjectKey{Namespace: p.Ref.Namespace, Name: p.Ref.Name}, &m); err != nil {
			if apierrors.IsNotFound(err) {
				continue // not measured yet
			}
			break
		}
		if bytes, known := memoryOf(&m, w.Container, p.Since, w.At); known {
			p.Uses = gate.Known(bytes)
			told = append(told, fmt.Sprintf("%s uses %d MiB of memory", p.Ref.Name, bytes>>20))
		}
	}
	if len(told) > 0 {
		w.Evidence = append(w.Evidence, gate.Evidence{ID: causes.EvidenceUsage, Source: "metrics.k8s.io", At: w.At, Trust: gate.FromAPI, Text: strings.Join(told, "; ")})
	}
	return nil
}

// memoryOf is how many bytes a container uses, if that was measured lately and since it began to run.
func memoryOf(m *unstructured.Unstructured, container string, since, now time.Time) (int64, bool) {
	stamp, _, _ := unstructured.NestedString(m.Object, "timestamp")
	at, err := time.Parse(time.RFC3339, stamp)
	if err != nil || at.Before(since) || now.Sub(at) > freshFor {
		return 0, false
	}
	containers, _, _ := unstructured.NestedSlice(m.Object, "containers")
	for _, c := range containers {
		fields, _ := c.(map[string]any)
		if name, _ := fields["name"].(string); name != container {
			continue
		}
		text, _, _ := unstructured.NestedString(fields, "usage", "memory")
		q, err := resource.ParseQuantity(text)
		return q.Value(), err == nil && q.Sign() > 0
	}
	return 0, false
}
