package witness

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// server is a script of what an API server answers to lists and watches.
type server struct {
	mu      sync.Mutex
	lists   []metav1.ListOptions
	watches []metav1.ListOptions
	answer  func(n int) (watch.Interface, error)
}

func (s *server) ListWithContext(_ context.Context, o metav1.ListOptions) (runtime.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lists = append(s.lists, o)
	return &appsv1.DeploymentList{ListMeta: metav1.ListMeta{ResourceVersion: "100", Continue: "more"}, Items: []appsv1.Deployment{*web(1, "web:1", "x", noon)}}, nil
}

func (s *server) WatchWithContext(_ context.Context, o metav1.ListOptions) (watch.Interface, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watches = append(s.watches, o)
	return s.answer(len(s.watches))
}

func events(all ...watch.Event) watch.Interface {
	f := watch.NewFakeWithChanSize(len(all), false)
	for _, e := range all {
		f.Action(e.Type, e.Object)
	}
	f.Stop()
	return f
}

// A watch goes on where it ended, and begins anew where the API server has forgotten that. It never lists what there is.
func TestAWatchNeverListsWhatThereIs(t *testing.T) {
	expired := &metav1.Status{Status: metav1.StatusFailure, Code: http.StatusGone, Reason: metav1.StatusReasonExpired}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := &server{answer: func(n int) (watch.Interface, error) {
		switch n {
		case 1:
			return events(watch.Event{Type: watch.Modified, Object: web(101, "web:1", "x", noon)}, watch.Event{Type: watch.Bookmark, Object: &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "150"}}}), nil
		case 2:
			return events(watch.Event{Type: watch.Error, Object: expired}), nil
		case 3:
			return nil, apierrors.NewForbidden(appsv1.Resource("deployments"), "", nil)
		}
		cancel()
		return events(), nil
	}}
	p := newPlace(t)
	feed{book: p.book, kind: kindOf("apps", "deployments"), from: s}.run(ctx)
	from := make([]string, len(s.watches))
	for i, o := range s.watches {
		if from[i] = o.ResourceVersion; o.SendInitialEvents != nil {
			t.Error("a watch asks for all there is")
		}
	}
	if want := []string{"100", "150", "100", "100"}; !slices.Equal(from, want) {
		t.Errorf("watched from %q, want %q", from, want)
	}
	if len(s.lists) != 2 || slices.ContainsFunc(s.lists, func(o metav1.ListOptions) bool { return o.Limit != 1 || o.ResourceVersion != "" }) {
		t.Errorf("listed %+v", s.lists)
	}
}

func TestWhatTheWatchShowsIsWhatWasStored(t *testing.T) {
	p := newPlace(t)
	was, is := web(1, "web:1", "x", noon), web(1, "web:2", "kubectl-edit", noon)
	p.ask("alice", "UPDATE", was, is, nil)
	s := &server{answer: func(int) (watch.Interface, error) {
		return events(watch.Event{Type: watch.Modified, Object: stored(is, 2)}, watch.Event{Type: watch.Deleted, Object: stored(is, 3)}), nil
	}}
	f := feed{book: p.book, kind: kindOf("apps", "deployments"), from: s}
	if version, err := f.watch(t.Context(), "1"); err != nil || version != "3" {
		t.Errorf("it goes on from %q (%v)", version, err)
	}
	p.pass(standsFor)
	p.tells(image)
}

// Every kind that is registered can be read, and the other way round.
func TestEveryKindIsRegisteredAndNoSecret(t *testing.T) {
	for i := range kinds {
		k := &kinds[i]
		if kindOf(k.group, k.resource) != k {
			t.Errorf("%s is found as another kind", k.resource)
		}
		if _, secret := k.object().(*corev1.Secret); secret {
			t.Error("Secrets are asked about")
		}
		if !slices.ContainsFunc(rules(), func(r admissionregistrationv1.RuleWithOperations) bool {
			return slices.Contains(r.APIGroups, k.group) && slices.Contains(r.Resources, k.resource) && slices.Contains(r.Resources, k.resource+"/scale") == k.scales
		}) {
			t.Errorf("%s is not registered", k.resource)
		}
	}
}
