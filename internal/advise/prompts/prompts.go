package prompts

import "encoding/json"

// Cause is one item of the closed list of causes of a question.
type Cause struct {
	ID    string // out-of-memory
	Title string
	Text  string // the law, in prose; may be empty
}

// Terms are what a question of one face may be answered with. They are static, so they stand in the cacheable part.
type Terms struct {
	Causes []Cause
	Claims []string // the kinds of claim that code can check: missing, oom-killed
}

// Rendered is a question in words.
type Rendered struct {
	Name string // of the prompt, with its version: incident@1
	// System is the same for all questions of one face; User holds what is particular, with untrusted text fenced.
	System, User string
	Schema       json.RawMessage // as it is sent: within what strict endpoints take
	Local        json.RawMessage // with all bounds, for checking here
	// Shown is the text of each item of evidence as it stands in User, by id: what a finding may cite.
	Shown map[string]string
	// Left says in words what was left out of the evidence.
	Left []string
	// Tokens is an estimate of System and User together.
	Tokens int
}
