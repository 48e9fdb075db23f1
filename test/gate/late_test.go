package gate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

// TestAModelThatIsLateEndsNoWaitAndBeginsNone shows that a wait ends when it has to, whatever the model and whoever else writes meanwhile.
func TestAModelThatIsLateEndsNoWaitAndBeginsNone(t *testing.T) {
	h := moored(t)
	play := func(name string, run func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t)
		})
	}
	play("L12 a model that never answers: the checks alone decide, and say so", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry, pendingFor: 6s", never)
		out, err := h.kubectl(t, deployment(ns, "web", "shop/web:1.4.2"), "apply", "-f", "-")
		if err != nil || !strings.Contains(out, "the checks alone decided") {
			t.Fatalf("%v: %s", err, out)
		}
		h.ended(t, ns, "web", "Admitted")
	})
	play("a change within the wait is part of it", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry, pendingFor: 8s", sound(20*time.Second))
		began := time.Now()
		first := h.applying(t, deployment(ns, "web", "shop/web:1.4.2"))
		h.waits(t, ns, "web", 1)
		second := h.applying(t, deployment(ns, "web", "shop/web:1.4.3"))
		for _, said := range []string{<-first, <-second} {
			if !strings.Contains(said, "the checks alone decided") && !strings.Contains(said, "already exists") {
				t.Error(said)
			}
		}
		for _, c := range h.cases(t, ns, "web") {
			if c.Spec.Signal.FirstSeen.Sub(began) > 8*time.Second {
				t.Errorf("a wait began anew: %v", keys(h.cases(t, ns, "web")))
			}
		}
	})
	play("a Guardrail that stops waiting lets it in", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry, pendingFor: 2m", sound(20*time.Second))
		said := h.applying(t, deployment(ns, "web", "shop/web:1.4.2"))
		h.waits(t, ns, "web", 1)
		var g v1alpha1.Guardrail
		if err := h.admin.Get(t.Context(), client.ObjectKey{Name: ns}, &g); err != nil {
			t.Fatal(err)
		}
		patch := client.MergeFrom(g.DeepCopy())
		g.Spec.Admission.OnPending = "Warn"
		if err := h.admin.Patch(t.Context(), &g, patch); err != nil {
			t.Fatal(err)
		}
		if out := <-said; !strings.Contains(out, "created") {
			t.Error(out)
		}
	})
	play("an autoscaler that changes the size, and a client that comes with another size: one Case, one deadline", func(t *testing.T) {
		const most = 12 * time.Second
		ns := h.place(t, "onPending: Retry, pendingFor: "+most.String(), sound(0))
		h.autoscaled(t, ns, "web")
		h.answers(ns, sound(25*time.Second))
		began := time.Now()
		waits := h.applying(t, deployment(ns, "web", "shop/web:1.4.3"))
		h.waits(t, ns, "web", 2) // with that of its creation
		other := make(chan error, 1)
		go func() {
			other <- comes(t, func(i int) error {
				d := parsed(t, deployment(ns, "web", "shop/web:1.4.3"))
				d.Spec.Replicas = new(int32(3 + i))
				return h.impatient.Update(t.Context(), d)
			})
		}()
		for size := int32(5); time.Since(began) < most*3/4; size++ {
			if err := h.scale(t, ns, "web", size%7+2); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second) // as an autoscaler does, now and then
		}
		out, err := <-waits, <-other
		// Of the two whoever comes first hears that the checks alone decided; the other finds the template there already.
		if took := time.Since(began); took > most*8/5 || !strings.Contains(out, "deployment.apps/web configured") {
			t.Errorf("after %s: %s", took, out)
		}
		if err != nil {
			t.Error(err)
		}
		h.endings(t, ns, "web", "Admitted", "Admitted")
	})
}

// autoscaled is a Deployment that runs, of whose size an autoscaler decides.
func (h *house) autoscaled(t *testing.T, ns, name string) {
	t.Helper()
	hpa := fmt.Sprintf(`apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: %[2]s}
  minReplicas: 2
  maxReplicas: 20
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]
`, ns, name)
	for _, manifest := range []string{deployment(ns, name, "shop/web:1.4.2"), hpa} {
		if out, err := h.kubectl(t, manifest, "apply", "-f", "-"); err != nil {
			t.Fatal(out)
		}
	}
	h.ended(t, ns, name, "Admitted")
	is := parsed(t, probe(ns)) // a change of size alone is not told of
	is.Name = name
	was := is.DeepCopy()
	was.Spec.Replicas = new(int32(9))
	for _, replica := range webhooks {
		h.eventually(t, "the "+replica+" webhook knows of the autoscaler", func() error {
			resp, err := h.ask(t, h.part(replica).Address(), review(t, was, is, true))
			if err == nil && !strings.Contains(strings.Join(resp.Warnings, " "), "HPA "+name) {
				err = errors.New(strings.Join(resp.Warnings, " "))
			}
			return err
		})
	}
}

// scale writes a size as an autoscaler does.
func (h *house) scale(t *testing.T, ns, name string, size int32) error {
	d := parsed(t, deployment(ns, name, "shop/web:1.4.2"))
	scale := &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Spec: autoscalingv1.ScaleSpec{Replicas: size}}
	return h.admin.SubResource("scale").Update(t.Context(), d, client.WithSubResourceBody(scale))
}
