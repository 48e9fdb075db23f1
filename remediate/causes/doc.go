// Package causes is the advisor of the remediation face that has no model in it: a closed list of causes for each
// symptom that a workload may show, each a law in prose and a pure function from what is known to what explains it.
//
// A cause sees only what somebody else read from the API server. What could not be read is named and lowers the
// confidence; it is never taken for "nothing there". Each finding says the number or the name that decided it and cites
// its evidence.
//
// This package never takes a client, never reads a clock, never sees the value of an environment variable, a Secret, a log line
// or an event's note, keeps of a status message its class alone, and never decides: package gate does.
package causes
