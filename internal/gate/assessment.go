package gate

import (
	"cmp"
	"slices"
)

// Nature says what kind of claim a Finding makes, because some claims are too weak to refuse a rollout by themselves.
type Nature string

// The natures. The zero Nature is Lasting, which no rule excuses.
const (
	Lasting Nature = ""        // true of the change itself, whatever the cluster does next
	Pending Nature = "pending" // something is not there, and may merely not be there yet
	Recent  Nature = "recent"  // about the recent past or the present load of the cluster
	// Standing was true before the change too, or of the revision that it goes back to: refusing would keep out a pause, a
	// smaller size or a rollback, and mend nothing.
	Standing Nature = "standing"
	// Advised is what a model says. It counts towards a denial only where the Guardrail lets it.
	Advised Nature = "advised"
)

// CauseOther is the cause that no rule knows: where it stands, the choice is a human's or, within the menu and the Guardrail,
// a model's.
const CauseOther = "other"

// Finding is one thing that an advisor found wrong.
type Finding struct {
	ID       string   `json:"id"` // the check or cause that found it: image-tag
	Text     string   `json:"text"`
	Points   int      `json:"points"`         // taken from 100
	Hard     bool     `json:"hard,omitempty"` // refuses by itself, whatever the score
	Nature   Nature   `json:"nature,omitempty"`
	Evidence []string `json:"evidence,omitempty"`
}

// Assessment is an advisor's opinion: data from a stranger. Nothing in it is believed beyond what the rules allow.
type Assessment struct {
	Advisor string `json:"advisor"`
	// Cause is from a closed list; empty where the question has none.
	Cause string `json:"cause,omitempty"`
	// Score, 0 to 100, is how sound the subject (a rollout) or the chosen action looks.
	Score Fact[int] `json:"score"`
	// Confidence, 0 to 100, is how sure we are: computed from what could be read and checked, never an advisor's own word.
	Confidence Fact[int] `json:"confidence"`
	// Agreement, 0 to 100, is the share of independent looks that came to this choice. Code that always answers the same is
	// in full agreement.
	Agreement Fact[int] `json:"agreement,omitzero"`
	Findings  []Finding `json:"findings,omitempty"`
	// Choice holds ids from the menu, in order.
	Choice []string `json:"choice,omitempty"`
	// Silent says why there is no opinion; empty where there is one.
	Silent string `json:"silent,omitempty"`
	// Open says what an advisor without a model could not settle, so that a model's view is of use; empty where it is settled.
	Open string `json:"open,omitempty"`
	// Elected is whether a model made the choice, where no rule knew better.
	Elected bool `json:"elected,omitempty"`
	// Ungrounded is how many findings of a model were dropped, because nothing that it was shown bears them out.
	Ungrounded int `json:"ungrounded,omitempty"`
	// Escalated says why the expert model was asked too.
	Escalated string `json:"escalated,omitempty"`
	// Alone says why no model had a part in this; empty where one had.
	Alone string `json:"alone,omitempty"`
}

// Weightiest returns the findings with those that matter most first: hard ones, then by points.
func Weightiest(findings []Finding) []Finding {
	sorted := slices.Clone(findings)
	slices.SortStableFunc(sorted, func(a, b Finding) int {
		if a.Hard != b.Hard {
			if a.Hard {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.Points, a.Points)
	})
	return sorted
}
