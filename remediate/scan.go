package remediate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// Scan looks once, with the eye of the Watcher, at what fares badly now. It opens no Case, leaves no record and asks no model; what
// only the judge knows (the ledger, Approvals, whether it is paused) stays unknown, and an unknown never allows.
type Scan struct {
	// Reader reads everything, from the API server.
	Reader client.Reader
	Now    func() time.Time
	// Settle is how long a container has to run and be ready before it counts as well. Default as the Watcher's.
	Settle time.Duration
	// Told is called as it goes, with what is being done. nil: nobody is told.
	Told func(doing string)
}

// OnlyTheJudgeKnows is why a fact is not known to a Scan. The reasons of rules that need such a fact say so.
const OnlyTheJudgeKnows = "only the judge knows"

// Finding is one happening as it shows now, with what is made of it.
type Finding struct {
	Key        Key
	Title      string // "container app of Deployment/web crash-loops: 2 of 5 pods"
	World      causes.World
	Assessment gate.Assessment
	Verdicts   []Considered // of each item of the menu, in its order
	Case       string       // the name of the Case that the judge keeps of it; empty: none, or it cannot be read
	Over       bool         // that Case says that the happening is over
}

// Considered is an item of a menu, and what the Guardrails would say if it were chosen.
type Considered struct {
	Action  gate.Action
	Chosen  bool // it is what would be chosen
	Verdict gate.Verdict
}

// Report is what came of a Scan.
type Report struct {
	Looked   int       // pods and other objects
	Findings []Finding // worst first
	Unread   []string  // what could not be read, and so may hide something
}

// Look scans a namespace, or all of them where it is empty. Only what wanted names is looked into: the kind and name of what shows a
// symptom, or of the workload that it belongs to. An error means that nothing can be said.
func (s Scan) Look(ctx context.Context, namespace string, wanted func(kind, name string) bool) (Report, error) {
	if s.Reader == nil || s.Now == nil {
		return Report{}, errors.New("scan for what fares badly: Reader and Now are both needed")
	}
	now := s.Now()
	still := &still{Reader: s.Reader}
	l := &looking{Scan: s, still: still, now: now, keys: map[string]Key{},
		eye: eye{reader: still, owners: s.Reader, settle: cmp.Or(s.Settle, settles), roots: newRoots(allRoots, allRoots, rootsFor)}}
	if err := l.pods(ctx, namespace, wanted); err != nil {
		return Report{}, err
	}
	l.objects(ctx, namespace, wanted)
	for i, k := range l.inOrder() {
		l.tell(fmt.Sprintf("%d of %d happenings looked into", i, len(l.keys)))
		l.into(ctx, k)
	}
	if err := ctx.Err(); err != nil {
		return Report{}, fmt.Errorf("stopped before everything was looked at: %w", context.Cause(ctx))
	}
	slices.SortStableFunc(l.report.Findings, worse)
	return l.report, nil
}

// looking is one Scan under way.
type looking struct {
	Scan
	eye    eye
	still  *still
	now    time.Time
	keys   map[string]Key
	report Report
}

func (l *looking) tell(doing string) {
	if l.Told != nil {
		l.Told(doing)
	}
}

func (l *looking) unread(format string, args ...any) {
	text := gate.OneLine(fmt.Sprintf(format, args...), 1024)
	if !slices.Contains(l.report.Unread, text) {
		l.report.Unread = append(l.report.Unread, text)
	}
}

// why says why something could not be read.
func why(err error) string {
	if refused(err) {
		return refusal(err)
	}
	return err.Error()
}

// pods finds what the pods of a namespace show.
func (l *looking) pods(ctx context.Context, namespace string, wanted func(kind, name string) bool) error {
	l.tell("reading pods")
	pods, err := l.still.take(ctx, namespace)
	if err != nil && !refused(err) {
		return fmt.Errorf("list pods: %w", err)
	}
	if err != nil {
		l.unread("pods: %s", why(err))
	}
	l.report.Looked += len(pods)
	for i := range pods {
		keys, err := l.eye.keys(ctx, &pods[i], l.now)
		if err != nil {
			l.unread("what pod %s/%s belongs to: %s", pods[i].Namespace, pods[i].Name, why(err))
		}
		l.add(keys, func(k Key) bool { return wanted(podKind.Kind, pods[i].Name) || wanted(k.Root.Kind, k.Root.Name) })
	}
	return nil
}

// objects finds what objects of other kinds show. What this cluster does not know shows nothing. What has no namespace is looked at
// where all are, or where it is named.
func (l *looking) objects(ctx context.Context, namespace string, wanted func(kind, name string) bool) {
	for i := range wards {
		ward := &wards[i]
		l.tell("reading " + ward.kind.Kind + "s")
		err := l.eye.each(ctx, ward, namespace, func(o client.Object) error {
			if o.GetNamespace() == "" && namespace != "" && !named(wanted, ward.kind.Kind, o.GetName()) {
				return nil
			}
			l.report.Looked++
			keys, err := l.eye.showing(ctx, ward, o, l.now)
			if err != nil {
				l.unread("what %s %s/%s belongs to: %s", ward.kind.Kind, o.GetNamespace(), o.GetName(), why(err))
			}
			l.add(keys, func(k Key) bool { return wanted(ward.kind.Kind, o.GetName()) || wanted(k.Root.Kind, k.Root.Name) })
			return nil
		})
		if err != nil && !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
			l.unread("%ss: %s", ward.kind.Kind, why(err))
		}
	}
}

// named is whether somebody asked for this very object, and not for everything.
func named(wanted func(kind, name string) bool, kind, name string) bool {
	return wanted(kind, name) && !wanted("", "")
}

func (l *looking) add(keys []Key, wanted func(Key) bool) {
	for _, k := range keys {
		if wanted(k) {
			l.keys[k.Root.Namespace+"/"+k.String()] = k
		}
	}
}

func (l *looking) inOrder() []Key {
	var names []string
	for name := range l.keys {
		names = append(names, name)
	}
	slices.Sort(names)
	keys := make([]Key, len(names))
	for i, name := range names {
		keys[i] = l.keys[name]
	}
	return keys
}

// into looks into one happening, and considers each item of its menu.
func (l *looking) into(ctx context.Context, k Key) {
	w, err := l.eye.observe(ctx, k, l.now)
	switch {
	case errors.Is(err, errGone) || err == nil && !w.Shows():
		return
	case err != nil:
		l.unread("why %s: %s", k.title(), why(err))
		return
	}
	f := Finding{Key: k, World: w}
	began, plan := l.stands(ctx, k, &f)
	q := ask(k, w, plan)
	f.Title, q.OffRecord = q.Signal.Text, true
	policy, err := cluster.Guardrails{Reader: l.Reader, Now: l.Now}.Policy(ctx, k.Root.Namespace)
	if err != nil {
		l.unread("Guardrails of namespace %s: %s", k.Root.Namespace, why(err))
		policy = gate.Policy{Rails: []gate.Rail{{Name: "(unreadable)", Unreadable: gate.OneLine(why(err), 1024)}}}
	}
	f.Assessment = elected(causes.Assess(w, q.Facts.Menu), q.Facts, plan)
	for _, a := range q.Facts.Menu {
		f.Verdicts = append(f.Verdicts, l.consider(ctx, q, f.Assessment, policy, began, a))
	}
	l.report.Findings = append(l.report.Findings, f)
}

// stands reads the Case that is kept of a happening, if it may be read: since when it lasts, and what was chosen.
func (l *looking) stands(ctx context.Context, k Key, f *Finding) (began gate.Fact[time.Time], plan string) {
	var c v1alpha1.Case
	err := l.Reader.Get(ctx, client.ObjectKey{Namespace: k.Root.Namespace, Name: signalOf(k).CaseName()}, &c)
	switch {
	case apierrors.IsNotFound(err) || meta.IsNoMatchError(err):
		return gate.Known(l.now), ""
	case err != nil:
		l.unread("Cases of namespace %s: %s", k.Root.Namespace, why(err))
		return gate.Unknown[time.Time]("its Case cannot be read: " + why(err)), ""
	}
	f.Case, f.Over = c.Name, Over(&c)
	plan, _ = acting.Chosen(&c, gate.ReachLive)
	return since(&c, l.now), plan
}

// consider is what the Guardrails would say to one item of the menu, if it were chosen.
func (l *looking) consider(ctx context.Context, q flow.Question, opinion gate.Assessment, p gate.Policy, began gate.Fact[time.Time], a gate.Action) Considered {
	c := Considered{Action: a, Chosen: slices.Equal(opinion.Choice, []string{a.ID})}
	opinion.Choice, opinion.Alone = []string{a.ID}, "no model is asked by a scan"
	circumstances(ctx, cluster.Circumstances{Reader: l.still}, &q, opinion, began)
	hidden := &q.Facts
	hidden.Paused, hidden.Ledger = gate.Unknown[[]string](OnlyTheJudgeKnows), gate.Unknown[gate.Ledger](OnlyTheJudgeKnows)
	hidden.History, hidden.Approvals = gate.Unknown[gate.Tally](OnlyTheJudgeKnows), gate.Unknown[[]gate.Approval](OnlyTheJudgeKnows)
	said, _ := flow.Judge(ctx, nil, q, p, flow.AdvisorFunc(func(context.Context, flow.Question) gate.Assessment { return opinion }))
	c.Verdict = said.Verdict
	return c
}

// worse puts first where a whole workload fails, then where most fails.
func worse(a, b Finding) int {
	whole := func(f Finding) int {
		if spared, known := f.World.Whole().Get(); f.Key.Symptom.OfPod() && known && !spared {
			return 1
		}
		return 0
	}
	size := func(f Finding) int { return len(f.World.Failing()) + len(f.World.Stuck()) }
	return cmp.Or(cmp.Compare(whole(a), whole(b)), cmp.Compare(size(b), size(a)), strings.Compare(a.Key.Root.String(), b.Key.Root.String()), strings.Compare(a.Title, b.Title))
}
