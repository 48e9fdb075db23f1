// Package slack is a server that speaks the part of Slack's Web API and of its Socket Mode that Moorgate uses, for tests and the demo: on
// real sockets, with faults by script. It keeps messages in memory, refuses what Slack would refuse of them, and has somebody press a
// button that is on one.
package slack
