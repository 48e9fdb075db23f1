package gate

import "slices"

// matter is what the rules weigh: the opinion and the facts, with what was chosen looked up once for all of them
// where something is to be done.
type matter struct {
	Assessment
	Facts
	chosen []chosen // empty where nothing reaches further than an answer
	reach  Reach    // the furthest among what was chosen
}

// chosen is an action that was chosen. A choice that is not on the menu is an action of which nothing is known, and reaches as
// far as can be.
type chosen struct {
	*Action
	next     Spent      // the entry that it would make in the ledger
	standing []Approval // that it has
	rejected *Approval  // that somebody gave against it
}

func newMatter(a Assessment, f Facts) *matter {
	m := &matter{Assessment: a, Facts: f, reach: ReachNothing}
	for _, id := range a.Choice {
		m.reach = min(m.reach, onMenu(m.Menu, id).reach())
	}
	if !m.acts(ReachMark) {
		return m // an answer: nobody asks what it would take to do something
	}
	m.chosen = make([]chosen, len(a.Choice))
	for i, id := range a.Choice {
		x := onMenu(m.Menu, id)
		standing, rejected := words(f, *x)
		m.chosen[i] = chosen{x, NewSpent(Policy{}, *x, a.Cause), standing, rejected}
	}
	return m
}

// onMenu is the action with that id, or one of which nothing is known.
func onMenu(menu []Action, id string) *Action {
	for i := range menu {
		if menu[i].ID == id {
			return &menu[i]
		}
	}
	return new(Action)
}

// acts reports whether anything chosen reaches at least as far as the given reach.
func (m *matter) acts(reach Reach) bool { return m.reach <= reach }

// answers reports whether one of what is chosen answers an admission request.
func (m *matter) answers() bool {
	return slices.ContainsFunc(m.Choice, func(id string) bool { return onMenu(m.Menu, id).reach() == ReachAnswer })
}

// each weighs every chosen action that reaches at least as far as the given reach, and returns the most careful answer with
// the first reason for it.
func (m *matter) each(reach Reach, weigh func(*chosen) (Decision, string)) (Decision, string) {
	decision, why := Allow, ""
	for i := range m.chosen {
		x := &m.chosen[i]
		if x.reach() > reach {
			continue
		}
		if d, reason := weigh(x); d < decision {
			decision, why = d, reason
		}
	}
	return decision, why
}

// lately weighs every chosen action that reaches Git or further against what was done lately, which must be known. weigh says
// what speaks against one more entry in the ledger; empty if nothing does.
func (m *matter) lately(weigh func(l Ledger, next Spent) string) (Decision, string) {
	l, known := m.Ledger.Get()
	why := l.partial()
	switch {
	case m.At.IsZero():
		why = "the time is not known"
	case !known:
		why = "what was done lately is not known: " + m.Ledger.Why()
	}
	return m.each(ReachGit, func(x *chosen) (Decision, string) {
		if why != "" {
			return Hold, why
		}
		if against := weigh(l, x.next); against != "" {
			return Hold, against
		}
		return Allow, ""
	})
}

// approved is whether enough people approved everything chosen that reaches Git or further. It is what the rules that only ask
// for a human's eye give way to.
func (m *matter) approved(r *Rail) bool {
	need, known := r.Approvers.Get()
	if !known || need < 0 || !m.acts(ReachGit) {
		return false
	}
	d, _ := m.each(ReachGit, func(x *chosen) (Decision, string) {
		if len(x.standing) < max(need, 1) {
			return Hold, ""
		}
		return Allow, ""
	})
	return d == Allow
}
