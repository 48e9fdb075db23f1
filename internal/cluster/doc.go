// Package cluster is how Moorgate speaks with the API server about its own kinds and about who owns what: it turns
// Guardrails into the policy that gate decides with, opens Cases and keeps their status, and follows owner references to
// the workload that people think of.
//
// # The ledger of permits
//
// At most N actions are begun in any window of time, whatever crashes and however many processes believe that they lead. Ledger
// holds that as follows.
//
// What is counted lives in one object in the API server, and a permit is spent by writing it there before anything is done: only
// if the object is still the one that was counted (its resourceVersion), so that of any number of writers one succeeds and the
// others count again. A process that dies afterwards has spent its permit. A write whose answer was lost is looked for by the
// id of its entry. If it is not there and the object has another resourceVersion by now, it never will be, because those never
// come back; if the object still has the same one, it may yet arrive, and the next write settles it: it is made from the same
// version, so that one of the two keeps the other out. Where neither can be waited for, the answer is an error, which means that
// nothing may be done, and that a permit may be gone.
//
// Time is told by two clocks: the API server's, from the Date of the answer that held the ledger, and the process's own. An entry
// is stamped with the later of the two, and it has expired when the earlier says so. Let one of the two be right each time, no
// matter which. Then no stamp lies before the true time of its reading (but for the second that a Date is cut by), no entry is
// taken for older than it truly is, and so a clock that jumps, forwards or back, on either side, only ever makes the ledger count
// more. Where the two differ by more than MaxSkew nothing is reserved at all, so that a clock that is far ahead does not stamp what
// then counts for days. What is stamped at one time is told, and acted on, a little later; that is what Grace is for. It is added
// to every window, with the second of the Date, and who is told later than a quarter of it is told nothing.
//
// This does not hold when both clocks are wrong in the same direction at once, nor when the API server's own memory is set back
// (a restored etcd): then more may be done than there should be, and nobody can say from within.
//
// # The guard and the hand
//
// Every client of webhook, judge and act is made of a config that went through Guarded. What such a client writes is refused before
// it leaves the process, unless it is on the list of the books that this identity keeps, or carries a Permit for exactly these
// bytes, which is spent by that. One thing carries Permits: Hand, which sends the Request of an Action, once, and says what came
// of it. So there is one way to act, and whoever finds another finds the guard in it.
//
// The package translates, stores, and sends what was permitted; it never decides, never writes to a workload in any other way, and
// never reads a Secret.
package cluster
