// Package witness tells what people do to objects that Git may declare: who, with which field manager, which fields, and whether
// somebody put it back within seconds. The API server tells it while it happens, by an admission rule that only observes.
//
// Handler takes what the API server asks about and answers at once that it is let in. It parses nothing and calls nothing. Book
// keeps the writes for seconds, in bounded memory, until the watch shows that they were stored: a write that somebody else refused,
// and one that was only tried, leave nothing. Then only the paths of the fields that changed are kept, with keyed hashes of their
// values before, under a key of this process alone, until the write is put back or has stood for a while. A Case tells of it; drift
// judges it, and learns from it who changed or removed a field. Nothing but the paths is on the Case.
//
// Whose requests count is decided by the name of the user, which the API server vouches for: what begins with system: is no person, nor
// is whoever is named as delivery. A field manager's name is its own word.
//
// What is lost, because the watch broke, a queue was full, or the process stopped, is lost: managedFields remain. A deletion or a scale
// that another webhook refused, and that somebody else then does within seconds, cannot be told from the first. All memory is bounded:
// by count and size of the writes that wait, and by count of those that are watched; no list of objects is ever held, and a flood
// beyond that is logged as a number.
//
// This package never refuses, never holds anything up, never writes to an object, and no value of an object ever leaves it.
package witness
