// Package notify tells people where they look already. It knows one such place: Flux's notification-controller, which sends events on to
// wherever its Alerts say. Flux posts to it that a drift was opened, and that it is gone.
//
// What tells never waits: there is a queue with an end, what does not fit is dropped and counted, and nothing is tried again, because the Case and
// the Event on the object say the same for as long as it stands.
//
// It never approves anything on anybody's behalf, follows no redirect, and sends nothing that the redaction has not passed.
package notify
