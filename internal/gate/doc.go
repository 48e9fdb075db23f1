// Package gate is the vocabulary that Moorgate's three faces share, and the guardrail that decides for all of them.
//
// The nouns follow the pipeline: a Signal says that something happened; Facts are the world at one instant, Evidence what
// was read of it; an Assessment is an advisor's opinion; Decide turns opinion, facts and policy into a Verdict with all its
// reasons; an Action from the Verdict's menu may follow, an Outcome says what came of it, and each step leaves one Record.
//
// The careful answer is always the zero value: the zero Decision denies, the zero Fact is unknown, the zero Policy permits
// nothing, and a Verdict read from JSON carries no Permit.
//
// Decide is total and deterministic, and it is the only source of Permits. Its rules stand in one file each; a rule may
// lower a decision and none can raise one. A Permit is good once, for the plan that was weighed and the exact bytes of the one
// Request that carries it out. What others may have done in the meantime is asked again of the Ledger when an action is
// reserved (Ledger.Refuses), by the rules that Decide asks.
//
// Strict reads the JSON that decisions rest on, and refuses what encoding/json would quietly make something of.
//
// This package imports the standard library only. It never takes a context, never reads a clock and never does I/O: what
// it is told is all it knows, so the same inputs give the same bytes.
package gate
