package webhook

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	ctrlcache "sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

const (
	memoryFor   = 7 * 24 * time.Hour
	memoryMax   = 4096
	memoryShare = 512 // of one namespace: what fails all the time in one must not make others forgotten
)

// Memory is what became of rollouts lately, and what crash-loops, anywhere in the cluster: as Cases say it. Informers feed it.
// It is bounded: the oldest go first. The zero Memory is ready to use.
type Memory struct {
	mu     sync.RWMutex
	kept   map[types.NamespacedName]remembered
	each   map[string]int // how many of a namespace
	synced func() bool
}

// remembered is one Case that tells how something ended.
type remembered struct {
	at        time.Time
	namespace string
	subject   string // Kind/name
	template  string // its hash, empty where nobody knows
	images    []string
	outcome   string
}

// Watch has the informer of Cases feed m from now on. It does not wait for it.
func (m *Memory) Watch(ctx context.Context, informers ctrlcache.Informers) error {
	informer, err := informers.GetInformer(ctx, &v1alpha1.Case{}, ctrlcache.BlockUntilSynced(false))
	if err != nil {
		return fmt.Errorf("watch Cases (is Moorgate installed? moorgate install): %w", err)
	}
	registered, err := informer.AddEventHandler(feedOf(m.set, m.drop))
	if err != nil {
		return fmt.Errorf("watch Cases: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.synced = registered.HasSynced
	return nil
}

func (m *Memory) set(c *v1alpha1.Case) {
	key := client.ObjectKeyFromObject(c)
	r, tells := rememberedOf(c)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(key)
	if !tells {
		return
	}
	if m.kept == nil {
		m.kept, m.each = map[types.NamespacedName]remembered{}, map[string]int{}
	}
	if m.each[c.Namespace] >= memoryShare {
		m.forget(m.oldest(c.Namespace))
	} else if len(m.kept) >= memoryMax {
		m.forget(m.oldest(""))
	}
	m.kept[key] = r
	m.each[c.Namespace]++
}

func (m *Memory) drop(c *v1alpha1.Case) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(client.ObjectKeyFromObject(c))
}

// forget is called with the lock held, as is oldest.
func (m *Memory) forget(key types.NamespacedName) {
	if _, there := m.kept[key]; !there {
		return
	}
	delete(m.kept, key)
	if m.each[key.Namespace]--; m.each[key.Namespace] <= 0 {
		delete(m.each, key.Namespace)
	}
}

func (m *Memory) oldest(namespace string) types.NamespacedName {
	var oldest types.NamespacedName
	for key, r := range m.kept {
		if (namespace == "" || key.Namespace == namespace) && (oldest.Name == "" || r.at.Before(m.kept[oldest].at)) {
			oldest = key
		}
	}
	return oldest
}

// all is everything that is remembered; unknown until the informer has told of every Case.
func (m *Memory) all() gate.Fact[[]remembered] {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.synced == nil || !m.synced() {
		return gate.Unknown[[]remembered]("not all Cases have been seen yet")
	}
	all := make([]remembered, 0, len(m.kept))
	for _, r := range m.kept {
		all = append(all, r)
	}
	return gate.Known(all)
}

// rememberedOf is what a Case tells of how something ended, if it does.
func rememberedOf(c *v1alpha1.Case) (remembered, bool) {
	r := remembered{namespace: c.Namespace, subject: c.Spec.Subject.Kind + "/" + c.Spec.Subject.Name, images: c.Status.Images}
	switch gate.Face(c.Spec.Signal.Face) {
	case gate.FaceWebhook:
		rollout := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.CaseRollout)
		if rollout == nil {
			return r, false
		}
		r.at, r.template, r.outcome = rollout.LastTransitionTime.Time, c.Labels[v1alpha1.LabelTemplate], rollout.Reason
		known := rollout.Status == "True" && gate.RolloutFailed(r.outcome) || rollout.Status != "Unknown" && r.outcome == gate.RolloutAvailable
		return r, known && r.template != ""
	case gate.FaceRemediate:
		r.at, r.outcome = c.CreationTimestamp.Time, gate.RolloutCrashed
		if c.Status.Cause == "out-of-memory" {
			r.outcome = gate.RolloutOutOfMemory
		}
		return r, len(r.images) > 0
	}
	return r, false
}

// failuresOf picks from what is remembered what speaks against a change, the newest first.
func failuresOf(all []remembered, old *checks.Workload, new checks.Workload, now time.Time) []checks.PastFailure {
	hash, images := checks.TemplateHash(&new), checks.NewImages(old, new)
	own := new.Ref.Kind + "/" + new.Ref.Name
	through := map[string]time.Time{} // when the template or an image got through last
	for _, r := range all {
		if r.outcome != gate.RolloutAvailable {
			continue
		}
		for _, what := range append([]string{r.template}, r.images...) {
			if r.at.After(through[what]) {
				through[what] = r.at
			}
		}
	}
	failures := []checks.PastFailure{}
	for _, r := range all {
		if r.outcome == gate.RolloutAvailable || now.Sub(r.at) > memoryFor {
			continue
		}
		f := checks.PastFailure{At: r.at, How: r.outcome, Own: r.namespace == new.Ref.Namespace && r.subject == own}
		if r.namespace == new.Ref.Namespace {
			f.Where = r.subject
		}
		shared := r.template
		if r.template == "" || r.template != hash {
			at := slices.IndexFunc(r.images, func(i string) bool { return images[i] })
			if at < 0 {
				continue
			}
			shared = r.images[at]
			f.Image = shared
		}
		f.Through = through[shared].After(r.at)
		failures = append(failures, f)
	}
	slices.SortFunc(failures, func(a, b checks.PastFailure) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Where, b.Where), cmp.Compare(a.Image, b.Image), cmp.Compare(a.How, b.How))
	})
	return failures
}
