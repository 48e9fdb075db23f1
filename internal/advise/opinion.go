package advise

import "moorgate.dev/internal/flow"

// Opinion is a model's answer as the schema has it: data from a stranger, in which nothing is checked yet but its form.
type Opinion struct {
	Cause      string    `json:"cause"`      // from the closed list of the question
	Findings   []Finding `json:"findings"`   // at most 8
	Choice     []string  `json:"choice"`     // ids on the menu, in order; may be empty
	Score      int       `json:"score"`      // 0..100, how sound the subject or the chosen action looks
	Confidence int       `json:"confidence"` // 0..100, the model's own word
	Unsure     bool      `json:"unsure"`     // it asks for the expert
	Why        string    `json:"why"`        // one sentence for people
}

// Finding is one thing that a model says it found.
type Finding struct {
	Text     string      `json:"text"`
	Points   int         `json:"points"`   // 0..100, taken from the score
	Evidence []string    `json:"evidence"` // ids of items that it was shown
	Quote    string      `json:"quote"`    // words that stand in that evidence, letter by letter; empty where a claim is made
	Claim    *flow.Claim `json:"claim"`    // a statement that code can check; null where words are quoted
}
