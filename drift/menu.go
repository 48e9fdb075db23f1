package drift

import (
	"fmt"
	"strings"

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

// propose makes the edits that would bring the live values to Git, each proven on top of the one before.
func propose(file []byte, o source.Object, drifts []Drift) []proposal {
	proposals := make([]proposal, len(drifts))
	for i, d := range drifts {
		p := &proposals[i]
		p.where = whence(o)
		if place, err := source.Locate(file, o.Document, d.Path); o.Root == "" && err == nil {
			p.where = fmt.Sprintf("%s:%d", fileName(o.File), place.Line)
		}
		switch {
		case d.Ahead != "":
			p.why = d.Ahead
		case d.Unset:
			p.why = "Git says so by an empty value, which a person must change"
		case !d.shown():
			p.why = "its value may be secret"
		case d.guarded():
			p.why = "it keeps the workload apart from others, so a person must write it"
		case o.Root != "":
			p.why = "kustomize renders the object, and which of its files to edit is not looked for yet"
		default:
			edit, err := adopted(file, o, d)
			if err != nil {
				p.why = gate.OneLine(err.Error(), 512)
				break
			}
			if !d.Added && !shows(d.Path, edit.Old) {
				p.why = "its value in Git may be secret"
				break
			}
			file = edit.Bytes
			p.adopt(d, edit)
		}
	}
	return proposals
}

// menu is all that may be done about what was seen. What could not be read has no edit.
func menu(l *look) []gate.Action {
	escalate := gate.Action{ID: ItemEscalate, Verb: "escalate", Reach: gate.ReachNothing, Target: l.subject, Base: l.commit,
		Text: fmt.Sprintf("tell people; to go back to Git, deliver %s of commit %.12s again the usual way", fileName(l.object.File), l.commit)}
	nothing := gate.Action{ID: ItemNothing, Verb: "nothing", Reach: gate.ReachNothing, Target: l.subject, Text: "leave it as it is"}
	if adopt, ok := adoption(l); ok {
		return []gate.Action{adopt, escalate, nothing}
	}
	return []gate.Action{escalate, nothing}
}

// adoption is the pull request that would make all drifts of the object Git's word. It is offered whole or not at all.
func adoption(l *look) (gate.Action, bool) {
	if len(l.unread) > 0 || len(l.drifts) == 0 || !l.intention.adoptable() {
		return gate.Action{}, false
	}
	a := gate.Action{ID: ItemAdopt, Verb: "pull-request", Reach: gate.ReachGit, Target: l.subject, Base: l.commit}
	var texts []string
	for _, p := range l.proposals {
		if p.why != "" {
			return gate.Action{}, false
		}
		a.Edits = append(a.Edits, p.edit)
		texts = append(texts, p.where+" "+p.text)
	}
	a.Text = strings.Join(texts, "; ")
	return a, true
}
