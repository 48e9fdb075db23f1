package causes

import "moorgate.dev/internal/gate"

// The law: a Job with activeDeadlineSeconds that is not done by then is ended, and its condition says so. Its pods need not have failed: it
// was slow, or waited for a place or an image, which is told of the pods while they wait. It is told apart from failed attempts
// (job-out-of-attempts) by the reason.
//
// The time or the work has to change.
var jobDeadline = Cause{
	Doc: gate.Doc{ID: "job-out-of-time", Since: "v0.1", Title: "The Job ran out of time",
		Text: "The Job did not end within its activeDeadlineSeconds (DeadlineExceeded)."},
	Symptoms: []Symptom{JobFailed}, Points: 20, Sure: 95,
	explainsObject: func(_ World, o Object) bool { return failedFor(o, "DeadlineExceeded") },
	tell: func(w World, _ Explained) string {
		return sentence("%s did not end within its activeDeadlineSeconds", crowd(w, 1))
	},
}
