package redact

// Channel is a way on which text leaves Moorgate, or comes into it.
type Channel struct {
	ID    string
	Out   bool
	Doc   string
	Guard string // what keeps secrets out of it, or what is done with what comes in
}

// Channels are all of them. A test at the root finds every place in the code where text leaves or comes in, and wants each to name its
// channel, so that a later face cannot forget the door.
var Channels = []Channel{
	{"prompt", true, "what a model is asked", "evidence passes the door when it is collected, and the whole prompt once more before it is recorded and sent"},
	{"audit-record", true, "a record of the audit log, and its copy on standard output", "every text passes Record"},
	{"audit-blob", true, "a prompt or an answer beside the audit log", "passes Bytes"},
	{"handoff", true, "records on their way to the judge", "every text passes Record"},
	{"log-line", true, "a line of the process's own log", "passes Handler"},
	{"case", true, "Cases, their status, and the status of GitSources and Guardrails", "texts made by code of names and numbers; of values only those that may be shown; a model's words passed the door"},
	{"event", true, "Events", "the summary of a Case"},
	{"annotation", true, "moorgate.dev annotations on rollouts", "numbers, words of ours, and the name of a Case"},
	{"admission", true, "answers to the API server", "texts made by code of names and numbers"},
	{"console", true, "what commands print", "what the user's own rights let them read, on one line and without control characters"},
	{"git", true, "commits", "checkpoints of audit logs: no text of anybody else's"},
	{"pull-request", true, "titles, texts and commits of pull requests, comments and issues", "every text passes Text before it is cut and quoted, and the whole once more; a file of which the door masks something new is refused"},
	{"metric", true, "names and labels of metrics", "labels from closed lists and the configuration"},
	{"span", true, "attributes of spans", "names, numbers and kinds of failure; never a prompt or an answer"},
	{"ledger", true, "the ledger of actions, anchors, approvals' status, certificates", "names, digests and times"},
	{"notification", true, "messages to Slack, PagerDuty, webhooks and Flux's notification-controller, and answers to who presses a button", "every text passes Text before it is cut; what Slack would read as markup is replaced"},
	{"file", true, "files on this machine", "keys and certificates with mode 0600, kubeconfigs of tests, scratch files of the demo"},
	{"http", true, "requests to the judge's log, to health probes and to receivers of spans", "records that passed the door, and spans"},

	{"container-log", false, "what containers write", "read only where a model is asked, by the judge; passes the door when it is collected"},
	{"event-note", false, "notes of Events and last messages of containers", "read only where a model is asked, by the judge; passes the door when it is collected"},
}
