package drift

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
)

// The ids on the menu of a drift.
const (
	ItemAdopt    = "adopt"    // make Git say what the cluster says
	ItemEscalate = "escalate" // tell people, with what it takes to go back to Git
	ItemNothing  = "nothing"
)

// proposal is what could be written to Git for one drift, or why nothing is proposed.
type proposal struct {
	where string // file and line: deploy/web.yaml:14
	edit  gate.Edit
	text  string // "- image: shop/web:1.4 + image: shop/web:1.5"
	why   string // why there is no edit; empty where there is one
}

// propose makes the edits that would bring the live values to Git, each proven on top of the one before, and the files that
// these change. dry may be nil: it is the last proof, and is asked once, about what all edits together make of the object.
func propose(g ground, o source.Object, drifts []Drift, dry func(*unstructured.Unstructured) error) ([]proposal, map[string][]byte) {
	proposals, changed := make([]proposal, len(drifts)), map[string][]byte{}
	files := maps.Clone(g.files)
	for i, d := range drifts {
		p := &proposals[i]
		p.where = whence(o)
		if place, err := source.Locate(files[o.File], o.Document, d.Path); o.Root == "" && err == nil {
			p.where = fmt.Sprintf("%s:%d", fileName(o.File), place.Line)
		}
		if p.why = d.unfit(); p.why != "" {
			continue
		}
		ask := dry
		if i < len(drifts)-1 {
			ask = nil
		}
		c, err := g.change(files, o, d, ask)
		if err != nil {
			p.why = gate.OneLine(err.Error(), 512)
			continue
		}
		p.adopt(o, d, c)
		if !d.Added && (!shows(d.Path, c.Edit.Old) && o.Root == "" && c.Op == c.Moved() || !shows(d.Path, declaredAs(o, d.Path, c.Edit.Old))) {
			*p = proposal{where: p.where, why: "its value in Git may be secret"}
			continue
		}
		files[c.File], changed[c.File] = c.Edit.Bytes, c.Edit.Bytes
	}
	return proposals, changed
}

// unfit says why a drift is not adopted, whatever stands in Git.
func (d Drift) unfit() string {
	switch {
	case d.fought():
		return "two write to it in turns"
	case d.Ahead != "":
		return d.Ahead
	case d.Unset:
		return "Git says so by an empty value, which a person must change"
	case !d.shown():
		return "its value may be secret"
	case d.rights():
		return "it says who may do what, so a person must write it"
	case d.untried:
		return "its kind is compared as it lies, so that what an edit would make of it is not tried"
	case d.guarded():
		return "it keeps the workload apart from others, so a person must write it"
	}
	return ""
}

// menu is all that may be done about what was seen. What could not be read has no edit.
func menu(l *look) []gate.Action {
	escalate := gate.Action{ID: ItemEscalate, Verb: "escalate", Reach: gate.ReachNothing, Target: l.subject, Base: l.commit,
		Text: fmt.Sprintf("tell people; to go back to Git, deliver %s of commit %.12s again the usual way", fileName(l.object.File), l.commit) + l.replacing()}
	if l.gone {
		escalate.Text = "tell people; to have it again, " + l.back + "; to be rid of it, take it out of Git"
	}
	if l.many.reason != "" {
		escalate.Text = "tell people; " + l.many.remedy
	}
	nothing := gate.Action{ID: ItemNothing, Verb: "nothing", Reach: gate.ReachNothing, Target: l.subject, Text: "leave it as it is"}
	if adopt, ok := adoption(l); ok {
		return []gate.Action{adopt, escalate, nothing}
	}
	return []gate.Action{escalate, nothing}
}

// reported is a menu on which it is not told how to go back to Git: where drift is only reported that is not asked for.
func reported(menu []gate.Action) []gate.Action {
	for i := range menu {
		if menu[i].ID == ItemEscalate {
			menu[i].Text = "tell people"
		}
	}
	return menu
}

// mostEdits is how many fields one pull request adopts: as many as a Case tells of. Where more differ, it is another thing than a fix.
const mostEdits = 8

// adoption is the pull request that would make all drifts of the object Git's word. It is offered whole or not at all.
func adoption(l *look) (gate.Action, bool) {
	if len(l.unread) > 0 || len(l.drifts) == 0 || len(l.drifts) > mostEdits || !l.intention.adoptable() || slices.ContainsFunc(l.proposals, func(p proposal) bool { return p.why != "" }) {
		return gate.Action{}, false
	}
	return adopting(l.subject, l.base, l.proposals), true
}

// adopting is the Action of proposals that are all edits.
func adopting(subject gate.Ref, commit string, proposals []proposal) gate.Action {
	a := gate.Action{ID: ItemAdopt, Verb: "pull-request", Reach: gate.ReachGit, Target: subject, Base: commit}
	texts := make([]string, len(proposals))
	for i, p := range proposals {
		a.Edits = append(a.Edits, p.edit)
		texts[i] = p.where + " " + p.text
	}
	a.Text = strings.Join(texts, "; ")
	return a
}
