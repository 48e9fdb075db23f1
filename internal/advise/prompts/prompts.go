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
	// Schema is what is sent: without the bounds that strict modes refuse. Local is the full schema, which answers are held against.
	Schema, Local json.RawMessage
	// Shown is the text of each item of evidence as it stands in User, without the marks before its lines, by id: what a finding
	// may cite. What could not be read is not in it.
	Shown map[string]string
	// Left says in words what was left out of the evidence.
	Left []string
	// Tokens is an estimate of System and User together.
	Tokens int
}
