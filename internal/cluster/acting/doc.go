// Package acting carries out what is permitted about Cases, for any face that acts: it looks again, decides again, reserves,
// writes down the intent, claims the Case, acts, says what came of it, and looks afterwards whether it helped.
//
// A Face knows its own happenings; what is the same for all of them is here, once: who may be first, what is said on a Case that is
// held, what becomes of an intent whose author died. Nothing of it outlives the process but in the log, the ledger and the Case, so
// that any other process can take over.
package acting
