package drift

import (
	"slices"
	"time"

	"moorgate.dev/internal/gate"
)

// What a change looks like is judged by rules that each hold or do not, and that each speak for one intent with a weight. The
// weights of the others are taken from those of the heaviest; where too little is left, it is not for a rule to say, and a
// model may be asked. What somebody does to end an incident and what somebody does by mistake look alike in a manifest: most of the
// rules are about what went on around it.

const (
	// window is how long before a change what went wrong counts as a reason for it, and how long after it what happens counts as
	// its effect. The API server keeps Events for as long.
	window = time.Hour
	// healing is how long nothing may go wrong after a change before it counts as a cure, and grace how long after it the old
	// pods may still fail.
	healing = 10 * time.Minute
	grace   = 2 * time.Minute

	decisive  = 50 // the weight that must be left
	mostSure  = 95
	surePlain = 40 // the confidence in an intent for which nothing was left
)

// scene is a change and what is known around it. What the zero scene does not hold is unknown.
type scene struct {
	drifts    []Drift
	now       time.Time
	at        time.Time // of the change: the newest time of an owner; zero where none is known
	since     time.Time // of the first commit that was seen with Git's manifest
	troubles  gate.Fact[[]trouble]
	suspended gate.Fact[bool]                    // whether delivery of the object is suspended
	older     func(image string) gate.Fact[bool] // whether Git said this image before; nil: nobody knows
	kept      []string                           // the ids of the rules that held while what they rest on could still be read
}

// trouble is something that went wrong with the workload.
type trouble struct {
	first, last time.Time
	memory      bool // it ran out of memory
}

// intention is what rules make of a change. The zero intention is that they cannot say.
type intention struct {
	intent  string // one of Intents, or empty
	sure    int    // 0 to 100, in the intent
	held    []intentRule
	weakens bool // it weakens what keeps the workload apart from others: reported, and never adopted
}

// intentRule is one line of the table of rules.
type intentRule struct {
	id       string
	intent   string // what it speaks for; empty: it weakens
	weight   int
	law      string   // what it says where it holds
	evidence []string // the ids of what it rests on
	passing  bool     // what it rests on is forgotten after the window, so the Case remembers that it held
	holds    func(scene) bool
}

// judgeIntent weighs the rules that hold.
func judgeIntent(s scene) intention {
	var out intention
	weights := map[string]int{}
	for _, r := range intentRules {
		if !r.holds(s) && !(r.passing && slices.Contains(s.kept, r.id)) {
			continue
		}
		out.held = append(out.held, r)
		if r.intent == "" {
			out.weakens = true
			continue
		}
		weights[r.intent] += r.weight
	}
	all, best := 0, ""
	for _, doc := range Intents() {
		w := weights[doc.ID]
		if all += w; w > weights[best] {
			best = doc.ID
		}
	}
	if left := 2*weights[best] - all; best != "" && left >= decisive {
		out.intent, out.sure = best, min(surePlain+left, mostSure)
	}
	return out
}

// adoptable reports whether what was made of a change lets it be proposed to Git.
func (i intention) adoptable() bool {
	return !i.weakens && i.intent != IntentAccident && i.intent != IntentExperiment
}

// findings tell the rules that held.
func (i intention) findings() []gate.Finding {
	found := make([]gate.Finding, len(i.held))
	for n, r := range i.held {
		found[n] = gate.Finding{ID: r.id, Text: r.law, Evidence: r.evidence}
	}
	return found
}

// before reports whether something went wrong with the workload in the hour before the change, of that sort.
func (s scene) before(sort func(trouble) bool) bool {
	all, _ := s.troubles.Get()
	return !s.at.IsZero() && slices.ContainsFunc(all, func(t trouble) bool {
		return sort(t) && !t.first.After(s.at) && !t.last.Before(s.at.Add(-window))
	})
}

func anyTrouble(trouble) bool    { return true }
func outOfMemory(t trouble) bool { return t.memory }

// quiet reports whether it is known that nothing went wrong.
func (s scene) quiet() bool {
	all, known := s.troubles.Get()
	return known && len(all) == 0
}

// healed reports whether what went wrong before the change has not since.
func (s scene) healed() bool {
	all, _ := s.troubles.Get()
	return s.before(anyTrouble) && s.now.Sub(s.at) >= healing &&
		!slices.ContainsFunc(all, func(t trouble) bool { return t.last.After(s.at.Add(grace)) })
}
