// Package checks is the advisor of the admission face: ten checks that say how sound a rollout looks before it starts.
//
// A check is documentation as data and a pure function from a Rollout to what it found. The checks see only what somebody
// else looked up: a Fact that is unknown makes a check unanswered, which lowers the confidence and is never read as "no
// problem". Each finding takes points from 100, names the number or the name that decided it, and cites its evidence.
//
// This package never takes a client, never reads a clock, never blocks, and never decides: package gate does.
package checks
