package webhook

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/webhook/checks"
)

// The bounds of a brief on a Case, as in its schema: with them a Case stays under 64 KiB.
const (
	piecesMax = 24
	pieceMax  = 12288 // bytes
	claimsMax = 64
)

// brief adds to a question what a model needs to know: the change without values that may be secret, and what code has checked.
// Labels and annotations that nothing selects by are left out, so that an opinion speaks for every template that differs in those alone.
func brief(seen *sighting, before *corev1.PodTemplateSpec, door *redact.Door) {
	q := &seen.question
	template := checks.Normal(seen.rollout.New)
	now := cluster.Describe(&template, "", door)
	source := seen.change.New.Ref.String()
	items := []gate.Evidence{{ID: EvidenceTemplate, Source: "pod template of " + source, At: q.Facts.At, Trust: gate.FromAPI, Text: strings.Join(now, "\n")}}
	diff := gate.Evidence{ID: EvidenceDiff, Source: "change of " + source, At: q.Facts.At, Trust: gate.FromAPI}
	switch {
	case seen.change.Old == nil:
		diff.Text = "all of it: it is new"
	case before == nil:
		diff.Unread = "what it was before is not kept"
	default:
		was := seen.rollout.New
		was.Template = *before
		old := checks.Normal(was)
		diff.Text = difference(cluster.Describe(&old, "", door), now)
	}
	q.Evidence = door.Evidence(slices.Concat([]gate.Evidence{diff}, items, q.Evidence))
	q.Claims = claims(seen)
	q.Shape = q.Case + "/" + seen.template
}

func claims(seen *sighting) map[flow.Claim]gate.Fact[bool] {
	ref := seen.change.New.Ref.Kind + "/" + seen.change.New.Ref.Name
	out := map[flow.Claim]gate.Fact[bool]{{Kind: ClaimRollback, Object: ref}: seen.question.Facts.Rollback, {Kind: ClaimFailing, Object: ref}: seen.question.Facts.Failing}
	w := seen.rollout.World
	for kind, names := range map[string]map[string]gate.Fact[bool]{"Secret": w.Secrets, "ConfigMap": w.ConfigMaps, "ServiceAccount": w.ServiceAccounts, "PersistentVolumeClaim": w.Claims} {
		for name, exists := range names {
			missing := gate.Unknown[bool](exists.Why())
			if there, known := exists.Get(); known {
				missing = gate.Known(!there)
			}
			if claim := (flow.Claim{Kind: ClaimMissing, Object: kind + "/" + name}); speakable(claim) {
				out[claim] = missing
			}
		}
	}
	for _, c := range checks.All() {
		out[flow.Claim{Kind: ClaimFinding, Object: c.ID}] = gate.Known(slices.ContainsFunc(seen.assessment.Findings, func(f gate.Finding) bool { return f.ID == c.ID }))
	}
	return out
}

// speakable reports whether a claim is one that code makes, about a name that an object can have. What a manifest refers to may be
// called anything, and claims stand in a sentence of ours, outside of what a model knows to be others' words.
func speakable(c flow.Claim) bool {
	if c.Kind == ClaimFinding {
		return slices.ContainsFunc(checks.All(), func(x checks.Check) bool { return x.ID == c.Object })
	}
	kind, name, _ := strings.Cut(c.Object, "/")
	known := slices.Contains([]string{"Secret", "ConfigMap", "ServiceAccount", "PersistentVolumeClaim"}, kind)
	return checks.Nameable(name) && (c.Kind == ClaimMissing && known || c.Kind == ClaimRollback || c.Kind == ClaimFailing) && len(validation.IsQualifiedName(kind)) == 0
}

// difference is what went and what came, a line each.
func difference(before, now []string) string {
	var out []string
	for _, line := range before {
		if !slices.Contains(now, line) {
			out = append(out, "- "+line)
		}
	}
	for _, line := range now {
		if !slices.Contains(before, line) {
			out = append(out, "+ "+line)
		}
	}
	if len(out) == 0 {
		return "nothing that can be shown"
	}
	return strings.Join(out, "\n")
}

// briefed is what a Case holds of a question that a model is to be asked about a rollout that is not in yet. What does not fit is
// left out, whole lines at a time.
func briefed(seen *sighting, door *redact.Door) *v1alpha1.Brief {
	told := *seen
	var before *corev1.PodTemplateSpec
	if seen.change.Old != nil {
		before = &seen.change.Old.Template
	}
	brief(&told, before, door)
	out := &v1alpha1.Brief{}
	for _, e := range told.question.Evidence[:min(len(told.question.Evidence), piecesMax)] {
		out.Evidence = append(out.Evidence, v1alpha1.Piece{ID: gate.OneLine(e.ID, 64), Source: gate.OneLine(e.Source, 320), Text: wholeLines(e.Text, pieceMax),
			Unread: gate.OneLine(e.Unread, becauseMax)})
	}
	for claim, holds := range told.question.Claims {
		c := v1alpha1.Claim{Kind: gate.OneLine(claim.Kind, 64), Object: gate.OneLine(claim.Object, 320)}
		if yes, known := holds.Get(); known {
			c.Holds = &yes
		}
		out.Claims = append(out.Claims, c)
	}
	slices.SortFunc(out.Claims, func(a, b v1alpha1.Claim) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Object, b.Object))
	})
	out.Claims = out.Claims[:min(len(out.Claims), claimsMax)]
	return out
}

// wholeLines is the beginning of a text, in whole lines: half of what the door has masked would be no mask.
func wholeLines(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := strings.LastIndexByte(text[:limit], '\n')
	return text[:max(end, 0)]
}

// recalled is the question that a Case's brief holds: the change as it was when it was asked for.
func recalled(c *v1alpha1.Case) flow.Question {
	ref := signalOf(c).Subject
	q := flow.Question{Signal: signalOf(c), Case: c.Namespace + "/" + c.Name, Claims: map[flow.Claim]gate.Fact[bool]{},
		Shape: c.Namespace + "/" + c.Name, Facts: gate.Facts{At: c.Spec.Signal.FirstSeen.Time, Subject: ref, Unread: c.Spec.Answer.Opinion.Unread,
			Paused: gate.Known[[]string](nil), Menu: []gate.Action{admit(ref)}}}
	for _, e := range c.Spec.Answer.Brief.Evidence {
		q.Evidence = append(q.Evidence, gate.Evidence{ID: e.ID, Source: e.Source, At: q.Facts.At, Trust: gate.FromAPI, Text: e.Text, Unread: e.Unread})
	}
	for _, claim := range c.Spec.Answer.Brief.Claims {
		if !speakable(flow.Claim{Kind: claim.Kind, Object: claim.Object}) {
			continue
		}
		holds := gate.Unknown[bool]("it was not known when it was asked for")
		if claim.Holds != nil {
			holds = gate.Known(*claim.Holds)
		}
		q.Claims[flow.Claim{Kind: claim.Kind, Object: claim.Object}] = holds
	}
	subject := ref.Kind + "/" + ref.Name
	q.Facts.Rollback = q.Claims[flow.Claim{Kind: ClaimRollback, Object: subject}]
	q.Facts.Brings = gate.Known(true) // or it would not have been asked about before it was in
	q.Facts.Failing = q.Claims[flow.Claim{Kind: ClaimFailing, Object: subject}]
	return q
}

// admit is the one thing on the menu of a rollout.
func admit(ref gate.Ref) gate.Action {
	return gate.Action{ID: checks.Admit, Verb: "admit", Reach: gate.ReachAnswer, Target: ref, Text: "let the rollout in"}
}
