// Package notify will tell people: Slack, PagerDuty, signed webhooks, Flux notification events. A storm of happenings will be
// one message, a message that could not be delivered will be tried again from a durable outbox.
//
// It will never approve anything on anybody's behalf, and never send what the redaction has not passed.
package notify
