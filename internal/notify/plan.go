package notify

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

// The law: a few happenings are told one by one and at once after a short wait; of many at once a receiver gets one message, and then has
// rest. Who is needed and did nothing is told again, rarely. Nothing here asks what time it is or writes anything, so what is told to whom
// and when can be read from Cases alone.

const (
	claimGrace = 2 * time.Minute  // after which whoever claimed something and did not say how it went counts as gone; twice what a message may take
	staleAfter = 24 * time.Hour   // what nobody was told for so long is not news
	giveUp     = 24 * time.Hour   // of trying
	backoff    = 10 * time.Second // after the first failure, doubled by each
	backoffMax = 15 * time.Minute
	digestMost = 100 // Cases in one message
)

// item is one Case as far as one receiver is concerned.
type item struct {
	key  client.ObjectKey
	uid  types.UID
	view view
	told v1alpha1.Told
	// named is whether the receiver is to be told of it by now. Otherwise a message that is there is kept up to date, and no more.
	named bool
	want  v1alpha1.Told // what it is claimed with
}

// job is one message.
type job struct {
	items  []item
	digest bool
	update bool // of one that is there: it is no news
	again  bool // it may have been sent before
}

// plan is what a receiver is to be told now, in order.
func (p Pace) plan(r Receiver, now time.Time, items []item) []job {
	var updates, retries []job
	var news, storm []item
	digests, ended, open := map[string][]item{}, map[string][]item{}, map[string]int{}
	recent, last := 0, time.Time{}
	for _, x := range items {
		t := x.told
		if t.First != nil && t.Digest && t.First.After(last) {
			last = t.First.Time
		} else if t.First != nil && !t.Digest && now.Sub(t.First.Time) < p.Interval.Duration {
			recent++
		}
		if t.Message != "" && x.view.What != Healed {
			open[t.Message]++
		}
		due := p.due(r, now, &x)
		if !x.named && due != dueUpdate {
			continue
		}
		switch due {
		case dueAgain:
			if t.Digest {
				digests[t.ID] = append(digests[t.ID], x)
			} else {
				retries = append(retries, job{items: []item{x}, again: maybe(t)})
			}
		case dueUpdate:
			if r.Kind == KindPagerDuty && x.view.What == Healed {
				ended[t.Message] = append(ended[t.Message], x)
			} else {
				updates = append(updates, job{items: []item{x}, update: true})
			}
		case dueNews:
			news = append(news, x)
		case dueStorm:
			storm = append(storm, x)
		}
	}
	for _, message := range slices.Sorted(maps.Keys(ended)) {
		if open[message] == 0 { // an incident about many Cases ends with the last of them
			updates = append(updates, job{items: ended[message], update: true})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(digests)) {
		many := digests[id]
		retries = append(retries, job{items: many, digest: true, again: slices.ContainsFunc(many, func(x item) bool { return maybe(x.told) })})
	}
	return slices.Concat(updates, retries, p.group(r, now, news, storm, recent, last))
}

// group makes messages of what is new.
func (p Pace) group(r Receiver, now time.Time, news, storm []item, recent int, last time.Time) []job {
	var all []job
	ready := slices.ContainsFunc(slices.Concat(news, storm), func(x item) bool { return now.Sub(x.view.Since) >= p.Wait.Duration })
	if !ready {
		return nil
	}
	if !r.groups() || len(news)+len(storm)+recent <= p.Single {
		for _, x := range news {
			if now.Sub(x.view.Since) >= p.Wait.Duration {
				all = append(all, job{items: []item{x}})
			}
		}
		return all
	}
	if now.Sub(last) < p.Interval.Duration {
		return nil
	}
	many := slices.SortedFunc(slices.Values(slices.Concat(news, storm)), func(a, b item) int {
		return cmp.Or(a.view.Since.Compare(b.view.Since), cmp.Compare(a.key.String(), b.key.String()))
	})
	many = many[:min(len(many), digestMost)]
	parts := make([]string, 0, len(many))
	for _, x := range many {
		parts = append(parts, x.want.ID)
	}
	id := short(parts...)
	for i := range many {
		many[i].want.ID, many[i].want.Digest = id, true
		if r.Kind == KindPagerDuty {
			many[i].want.Message = "digest/" + id
		}
	}
	return []job{{items: many, digest: true}}
}

// groups is whether a kind of receiver takes one message about many Cases. An Event is about one object.
func (r Receiver) groups() bool { return r.Kind != KindEvent && r.Kind != KindFlux }

type dueness int

const (
	dueNothing dueness = iota
	dueAgain
	dueUpdate
	dueNews
	dueStorm
)

// due is what a receiver is due about one Case, and fills in what that is claimed with.
func (p Pace) due(r Receiver, now time.Time, x *item) dueness {
	t, v := x.told, x.view
	never := t.ID == "" || t.Phase == v1alpha1.ToldUnknown
	if never {
		t = v1alpha1.Told{Receiver: r.Name}
	}
	switch {
	case t.Phase == v1alpha1.ToldClaimed && now.Sub(t.At.Time) < claimGrace,
		t.Phase == v1alpha1.ToldFailed && t.Next != nil && now.Before(t.Next.Time):
		return dueNothing
	case (t.Phase == v1alpha1.ToldClaimed || t.Phase == v1alpha1.ToldFailed) && (t.What == v.What || t.Digest):
		x.want = t
		return dueAgain
	}
	stands := t.Message != "" && r.updates()
	x.want = t
	x.want.What, x.want.State, x.want.Digest, x.want.Unclear, x.want.Attempts, x.want.First = v.What, v.State, false, false, 0, nil
	x.want.ID = short(r.Name, string(x.uid), v.What, t.ID)
	if r.Kind == KindPagerDuty && t.Message == "" {
		x.want.Message = "case/" + string(x.uid) // it stands from the moment that it is claimed, so that what may have got there is ended
	}
	switch {
	case v.What == "" || t.What == v.What && !p.repeats(now, t, v):
		if stands && t.State != v.State {
			return dueUpdate
		}
	case never && (now.Sub(v.Since) > staleAfter || v.Over && !v.Did), asks(v.What) && now.Before(v.Until):
	case r.Kind == KindPagerDuty && !stands && !asks(v.What): // it has no incident to end
	case stands && (!asks(v.What) || r.Kind == KindPagerDuty):
		return dueUpdate
	case slices.Contains(r.Tell, v.What):
		return dueNews
	case asks(v.What) && slices.Contains(r.Tell, Storm):
		return dueStorm
	}
	return dueNothing
}

// maybe is whether a message may have got there although nobody said so.
func maybe(t v1alpha1.Told) bool { return t.Phase == v1alpha1.ToldClaimed || t.Unclear }

// repeats is whether people who are needed are told once more.
func (p Pace) repeats(now time.Time, t v1alpha1.Told, v view) bool {
	return asks(v.What) && now.Sub(t.At.Time) >= p.Repeat.Duration
}

// updates is whether a message of this kind can be changed after it was sent: one of Slack is, and an incident is ended.
func (r Receiver) updates() bool { return r.Kind == KindSlack || r.Kind == KindPagerDuty }

// pauseAfter is how long to wait after a number of failures, and no less than the receiver asks for.
func pauseAfter(attempts int, asked time.Duration) time.Duration {
	wait := backoffMax
	if attempts < 8 {
		wait = min(backoffMax, backoff<<max(0, attempts-1))
	}
	return max(wait, min(asked, time.Hour))
}
