package gate

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestWhoMeddlesWithAWait shows that what others change while a client waits, and where it is asked about, begins no second wait and opens
// no second Case.
func TestWhoMeddlesWithAWait(t *testing.T) {
	t.Parallel()
	h := moored(t)
	t.Run("an injector that adds another label each time: one Case, one wait, and the opinion counts", func(t *testing.T) {
		t.Parallel()
		ns := h.place(t, "onPending: Retry, pendingFor: 30s", against(2*time.Second))
		err := comes(t, func(i int) error { // with what was injected anew
			manifest := strings.Replace(deployment(ns, "web", "shop/backup:9.9.9"), "metadata: {labels: {app: web}}", fmt.Sprintf("metadata: {labels: {app: web, injected: r%d}, annotations: {injected: a%d}}", i, i), 1)
			return h.impatient.Create(t.Context(), parsed(t, manifest))
		})
		if err == nil || !strings.Contains(err.Error(), "another product") {
			t.Errorf("%v", err)
		}
		h.ended(t, ns, "web", "Denied")
	})
	t.Run("two clients that apply the same at once: one Case, and the same answer to both", func(t *testing.T) {
		t.Parallel()
		ns := h.place(t, "onPending: Retry, pendingFor: 30s", against(2*time.Second))
		one, other := h.applying(t, deployment(ns, "web", "shop/backup:9.9.9")), h.applying(t, deployment(ns, "web", "shop/backup:9.9.9"))
		for _, out := range []string{<-one, <-other} {
			if !strings.Contains(out, "another product") {
				t.Error(out)
			}
		}
		h.ended(t, ns, "web", "Denied")
		if asked := h.questions(ns); asked != 1 {
			t.Errorf("the model was asked %d times", asked)
		}
	})
	t.Run("two replicas that are asked at once about a change of what has just come in: one Case for each change", func(t *testing.T) {
		t.Parallel()
		ns := h.place(t, "onPending: Retry, pendingFor: 30s", sound(0))
		var group sync.WaitGroup
		for _, name := range []string{"cart", "front", "search", "stock"} {
			if out, err := h.kubectl(t, deployment(ns, name, "shop/web:1.4.2"), "apply", "-f", "-"); err != nil {
				t.Fatal(out)
			}
			group.Go(func() { h.askBoth(t, ns, name) })
		}
		group.Wait()
	})
}

// askBoth asks both replicas at once to let another image in, each until it says whether it may: they open one Case, and say the same.
func (h *house) askBoth(t *testing.T, ns, name string) {
	var was appsv1.Deployment
	if err := h.admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, &was); err != nil {
		t.Error(err)
		return
	}
	is := was.DeepCopy()
	is.Spec.Template.Spec.Containers[0].Image = "registry.example/shop/web:1.4.3"
	var group sync.WaitGroup
	for _, replica := range webhooks {
		caller, address := h.caller(t), h.part(replica).Address()
		group.Go(func() {
			if err := comes(t, func(int) error { return refused(call(caller, address, review(t, &was, is, false))) }); err != nil {
				t.Errorf("%s: %v", replica, err)
			}
		})
	}
	group.Wait()
	h.endings(t, ns, name, "Admitted", "Admitted")
}
