package scenarios

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook"
)

const (
	burst      = 20
	killedAt   = 8 // answers before the crash
	goroutines = 4
)

// TestACrashInTheMiddleOfABurstLosesNothing: kill -9 while rollouts come in. The audit log still verifies, what was refused
// was not started, and whatever went in, answered or not, ends up with a Case and its verdict.
func TestACrashInTheMiddleOfABurstLosesNothing(t *testing.T) {
	h := moored(t)
	p := h.place(t, usual("Enforce"))
	refused := p.burst(func() { h.kill(t) })
	if out, err := h.cli(t.Context(), "audit", "verify", "--dir", h.moorgate().AuditDir); err != nil {
		t.Errorf("the audit log does not verify after the crash: %v\n%s", err, out)
	}
	if err := h.start(t.Context()); err != nil {
		t.Fatal(err)
	}

	slipped := 0
	for i := range burst {
		name := nameOf(i)
		var d appsv1.Deployment
		err := p.admin.Get(t.Context(), client.ObjectKey{Namespace: p.ns, Name: name}, &d)
		if refused[i] {
			if !apierrors.IsNotFound(err) {
				t.Errorf("%s was refused, and exists (%v)", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s was let in, and does not exist: %v", name, err)
			continue
		}
		h.eventually(t, name+" has a Case and carries its verdict", func() error { return p.accounted(name) })
		if i%2 == 1 {
			slipped++
		}
	}
	if len(refused) == 0 || slipped == 0 {
		t.Errorf("%d were refused and %d of those that would have been slipped through: the crash was not in the middle", len(refused), slipped)
	}
	out, err := h.cli(t.Context(), "audit", "verify", "--dir", h.moorgate().AuditDir)
	if err != nil || !strings.HasPrefix(out, "ok: ") {
		t.Errorf("the audit log does not verify: %v\n%s", err, out)
	}
}

func nameOf(i int) string { return fmt.Sprintf("burst-%02d", i) }

// burst applies rollouts, a few at a time, every second of which is to be refused, and calls crash in the middle. It returns
// which were refused.
func (p *place) burst(crash func()) map[int]bool {
	p.t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	refused, answered, half := map[int]bool{}, 0, make(chan struct{})
	next := make(chan int)
	for range goroutines {
		group.Go(func() {
			for i := range next {
				err := p.create(i)
				mu.Lock()
				if apierrors.IsForbidden(err) {
					refused[i] = true
				} else if err != nil {
					p.t.Errorf("create %s: %v", nameOf(i), err)
				}
				if answered++; answered == killedAt {
					close(half)
				}
				mu.Unlock()
			}
		})
	}
	group.Go(func() {
		for i := range burst {
			next <- i
		}
		close(next)
	})
	<-half
	crash()
	group.Wait()
	return refused
}

func (p *place) create(i int) error {
	manifest := sound(nameOf(i))
	if i%2 == 1 {
		manifest = neverReady(nameOf(i))
	}
	var d appsv1.Deployment
	if err := yaml.UnmarshalStrict([]byte(manifest), &d); err != nil {
		return err
	}
	d.Namespace = p.ns
	return p.admin.Create(p.t.Context(), &d)
}

// accounted says whether a Deployment that is in has a Case that says how it came in, and carries its verdict.
func (p *place) accounted(name string) error {
	cases, err := p.cases(gate.FaceWebhook, "Deployment", name)
	if err != nil {
		return err
	}
	var d appsv1.Deployment
	if err := p.admin.Get(p.t.Context(), client.ObjectKey{Namespace: p.ns, Name: name}, &d); err != nil {
		return err
	}
	wrong := []error{errors.New("no Case says that it went in")}
	for _, c := range cases {
		if c.Spec.Answer.Said == webhook.Denied || c.Status.Answer == "" {
			wrong = append(wrong, fmt.Errorf("%s says %s, its status %q", c.Name, c.Spec.Answer.Said, c.Status.Answer))
			continue
		}
		err := marked(&d, c)
		if err == nil {
			return nil
		}
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}
