// Package notify tells people where they look already: in Slack, by PagerDuty, a signed webhook, Flux's notification-controller and Events
// on the object itself.
//
// What people are to be told of a Case follows from the Case (what.go), whom and when from what they were told before (plan.go), and both
// stand on the Case, so there is no queue to lose (outbox.go). What a Sender sends is composed in one place (message.go), behind the door
// (package redact).
//
// Beside it, drifts are told to Flux as they are opened and gone (Flux.Tell): that never waits, there is a queue with an end, what does
// not fit is dropped and counted, and nothing is tried again, because the Case and the Event on the object say the same for as long as it
// stands.
//
// It never approves anything on anybody's behalf, follows no redirect, and sends nothing that the redaction has not passed.
package notify
