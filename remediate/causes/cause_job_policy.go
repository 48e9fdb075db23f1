package causes

import "moorgate.dev/internal/gate"

// The law: a Job may say by which exit codes or conditions of a pod it gives up at once; its condition then has the reason PodFailurePolicy.
// So whoever wrote the Job foresaw this failure, and that another attempt is no use. Attempts that are used up are
// job-out-of-attempts.
//
// What the exit code means is in the program.
var jobPolicy = Cause{
	Doc: gate.Doc{ID: "job-failure-policy", Since: "v0.1", Title: "A pod failed in a way that ends the Job",
		Text: "A pod of the Job failed with what its podFailurePolicy says is for good (PodFailurePolicy)."},
	Symptoms: []Symptom{JobFailed}, Points: 20, Sure: 95,
	explainsObject: func(_ World, o Object) bool { return failedFor(o, "PodFailurePolicy") },
	tell: func(w World, _ Explained) string {
		return sentence("%s gave up at once, as its podFailurePolicy says", crowd(w, 1))
	},
}
