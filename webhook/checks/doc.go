// Package checks is the advisor of the admission face: checks that say how sound a rollout looks before it starts.
//
// A check is documentation as data and a pure function from a Rollout to what it found. The checks see only what somebody
// else looked up: a Fact that is unknown makes a check unanswered, which lowers the confidence and is never read as "no
// problem". Each finding takes points from 100, names the number or the name that decided it, and cites its evidence.
//
// A finding says of itself how much it may refuse. Lasting ones are true of the change; pending ones are about what may merely
// be late, and refuse where a Guardrail has denyPending; recent ones are about the load and the failures of the moment, and
// never refuse a rollback or a cure. Standing ones were so before: see stand. They refuse nothing under any Guardrail, not
// even with denyPending, for a smaller size or a pause brings nothing that could be missing; they are warned about all the
// same. On a rollback only lasting findings become standing: what is missing now was there when that revision ran.
//
// What a manifest holds never decides how much is done or written about it. Beyond 500 containers, 2000 references or 500
// clauses that choose nodes no check runs, and one hard finding says so; of one check's findings the weightiest few are kept
// and the rest are summed up, without loss of points or hardness.
//
// This package never takes a client, never reads a clock, never blocks, and never decides: package gate does.
package checks
