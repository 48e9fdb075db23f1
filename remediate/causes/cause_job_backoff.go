package causes

import "moorgate.dev/internal/gate"

// The law: a Job whose pods failed more often than backoffLimit says gives up, and its condition says so. Its pods ended with an error each
// time: it is the program, or what it was given. It is told apart from one that ran out of time (job-out-of-time) by the reason, which is
// the Job controller's and a fixed word. A run of a CronJob that failed is over once a later one succeeded.
//
// Running it again is what it did already.
var jobBackoff = Cause{
	Doc: gate.Doc{ID: "job-out-of-attempts", Since: "v0.1", Title: "The Job used up its attempts",
		Text: "The pods of the Job failed more often than its backoffLimit allows (BackoffLimitExceeded)."},
	Symptoms: []Symptom{JobFailed}, Points: 20, Sure: 95,
	explainsObject: func(_ World, o Object) bool { return failedFor(o, "BackoffLimitExceeded") },
	tell: func(w World, _ Explained) string {
		return sentence("%s gave up: its pods failed more often than its backoffLimit allows", crowd(w, 1))
	},
}
