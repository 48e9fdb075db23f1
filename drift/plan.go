package drift

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/source"
)

// planTime bounds the search for the edits of one object: it renders the repository many times.
const planTime = 30 * time.Second

// plans are the proposals that were made on one commit. They hold for as long as an object has drifted in the same way, so that
// a drift that stays is searched for once, and asks the API server nothing. What Git said before that commit is kept with them.
type plans struct {
	lock  sync.Mutex
	made  map[source.Name]plan
	pasts map[source.Name]saidImages
}

type plan struct {
	of        [sha256.Size]byte // the drifts
	proposals []proposal
}

func (p *plans) find(n source.Name, of [sha256.Size]byte) ([]proposal, bool) {
	p.lock.Lock()
	defer p.lock.Unlock()
	known, found := p.made[n]
	return known.proposals, found && known.of == of
}

func (p *plans) keep(n source.Name, made plan) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.made == nil {
		p.made = map[source.Name]plan{}
	}
	p.made[n] = made
}

// plan finds the edits for what was seen. With dry the API server is asked what it would make of them all; without it nobody is
// asked anything, and nothing is written either way.
func (d *Detector) plan(ctx context.Context, l *look, t tree, dry bool) {
	l.base = t.ground.commit
	l.proposals = d.alone(l, t, t.withheld(slices.Clone(d.planned(ctx, l, t, dry))))
}

func (d *Detector) planned(ctx context.Context, l *look, t tree, dry bool) []proposal {
	of := l.differing()
	if made, known := t.plans.find(l.object.Name, of); known {
		return made
	}
	bounded, cancel := context.WithTimeout(ctx, planTime)
	defer cancel()
	c := confirmation{Detector: d, look: l}
	ask := func(desired *unstructured.Unstructured) error { return c.ask(bounded, desired) }
	if !dry {
		ask = nil
	}
	made, _ := propose(t.ground.within(bounded), l.object, l.drifts, ask)
	if bounded.Err() != nil {
		for i := range made {
			made[i] = proposal{where: made[i].where, why: "there was no time to look for its place in Git"}
		}
		return made
	}
	if !c.passing {
		t.plans.keep(l.object.Name, plan{of: of, proposals: made})
	}
	return made
}

// within is the ground on which nothing is rendered any more once a context is done.
func (g ground) within(ctx context.Context) ground {
	g.over = ctx.Err
	return g
}

// differing tells apart what edits depend on. It stays in memory, for it is a hash of values that may be secret.
func (l *look) differing() (sum [sha256.Size]byte) {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q\n", l.subject.UID)
	for _, d := range l.drifts {
		_, _ = fmt.Fprintf(h, "%q %q %t %t %q\n", d.Path.String(), asJSON(d.Live), d.Missing, d.Added, d.unfit())
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// confirmation has the API server try what edits make of an object.
type confirmation struct {
	*Detector
	*look
	passing bool // what was answered may be another thing in the next round
}

var errMovedOn = errors.New("the live object is another one by now")

// ask is the last proof of source.Prove: applied in a dry run over the live object, the new desired state leaves none of the
// drifts.
func (c *confirmation) ask(ctx context.Context, desired *unstructured.Unstructured) error {
	c.passing = true
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(desired.GroupVersionKind())
	if err := c.Client.Get(ctx, client.ObjectKey{Namespace: c.subject.Namespace, Name: c.subject.Name}, live); err != nil {
		return errors.New("the live object cannot be read")
	}
	if string(live.GetUID()) != c.subject.UID || slices.ContainsFunc(c.drifts, func(d Drift) bool { return d.moved(live) }) {
		return errMovedOn
	}
	dry := prepared(desired, live)
	if err := c.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(dry), client.DryRunAll, client.ForceOwnership, client.FieldOwner(dryRunOwner)); err != nil {
		c.passing = !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err)
		return errors.New(plainly(err))
	}
	left, err := Compare(live, dry, dryRunOwner)
	if err != nil {
		return err
	}
	c.passing = false
	for _, d := range c.drifts {
		field := d.Path.String()
		if slices.ContainsFunc(left, func(other Drift) bool { return under(other.Path.String(), field) }) {
			return fmt.Errorf("%s would still differ", field)
		}
	}
	return nil
}

// moved reports whether a live object no longer has what drifted. What a person added is compared by whether it is there.
func (d Drift) moved(live *unstructured.Unstructured) bool {
	now, there := source.At(live.Object, d.Path)
	return there == d.Missing || !d.Missing && !d.Added && !equality.Semantic.DeepEqual(now, d.Live)
}

// under reports whether a path is another or leads on from it.
func under(path, from string) bool {
	rest, ok := strings.CutPrefix(path, from)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
