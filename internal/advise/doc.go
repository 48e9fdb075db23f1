// Package advise is the model: one advisor among others, behind the same interface as the checks, the causes and the drift
// rules. A Panel asks it beside them about what they could not settle, and takes the more careful of both.
//
//	question -> evidence selected under a token budget -> prompt -> triage, k samples -> expert, where unsure -> answer
//	-> strict JSON against the schema -> findings grounded in evidence and checked claims -> assessment -> Lower
//
// A Model answers one Prompt. Endpoint is any service that speaks Chat Completions; Cassette records and replays; Limit, Breaker
// and Traced wrap a Model in a Model, because budgets hold to the token only where every single call passes. Panel, Lower,
// Memory and Recall make and combine advisors.
//
// Confidence is computed, never believed: what the model says of itself can only lower it. Every call is in the audit log before
// and after it, with the prompt and the answer as blobs. Whatever fails, a face gets the opinion of its own advisor in time, which
// then says why it stands alone.
//
// This package never chooses anything that is not on the menu, never raises a score that code gave, is never in the path of an
// admission request, and never sees a Secret's value. It reads no environment variable and no clock, and retries nothing past
// its deadline.
package advise
