// Package drift is the face that asks whether the cluster still says what Git says.
//
// A Detector reads the Deployments that a GitSource declares and asks the API server, by a server-side-apply dry run, what it
// would make of each. Where that answer and the live object differ in a field that Git declares, there is a drift: one Case
// a set of drifted fields of one object, with what differs, who owns the fields, and the edit in Git that would make the
// change a lasting one. Defaults and other spellings of a quantity are no drift, because the API server wrote both sides;
// nor are replicas that an autoscaler sets, nor a restart.
//
// Comparing, attributing and judging are pure functions; the Detector looks and keeps. What it could not read is said on the
// Case, and is never a drift.
//
// This package never writes to a workload or to a repository: all it writes are Cases, the status of GitSources, and dry
// runs. It never reads a Secret, and never shows a value that could be one.
package drift
