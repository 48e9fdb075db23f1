package causes

import "moorgate.dev/internal/gate"

// The law: the source controller says that it could not authenticate: the Secret that is named is missing or is no good any more. A
// source that cannot be reached, or has no such branch, is said in other words (source-failing).
var sourceAccess = Cause{
	Doc: gate.Doc{ID: "source-access", Since: "v0.2", Title: "A source refuses access",
		Text: "What Flux reads from refuses its credentials, or the credentials are missing."},
	Symptoms: []Symptom{DeliveryFailing}, Points: 20, Sure: 90,
	explainsObject: failsFor("AuthenticationFailed", "AuthenticationError"),
	tell: func(w World, e Explained) string {
		return sentence("%s cannot read its source: the credentials are missing or are refused", crowd(w, 1))
	},
}
