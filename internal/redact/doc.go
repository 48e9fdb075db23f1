// Package redact is the one door that text passes on its way out of Moorgate: into prompts, the audit log, Cases, Events,
// pull requests, notifications, log lines and metric labels.
package redact
