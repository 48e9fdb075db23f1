package audit

// Story tells one happening in plain sentences, oldest first: what was seen, what was offered, what was thought of it, what was
// decided by which rule, who approved, what was set out to be done and what came of it.
func Story(entries []Entry) []string {
	var told []string
	for _, e := range entries {
		told = append(told, Line(e))
	}
	return told
}
