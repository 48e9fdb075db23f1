// Package audit is the log that every step of Moorgate leaves one Record in: append-only, written ahead of every action,
// and chained so that tampering shows.
//
// # On disk
//
// A log is a directory (mode 0700) of segments (mode 0600), each named after the sequence of its first record, twenty
// digits and ".jsonl", and rolled at a size. Each record is one line:
//
//	{"v":1,"seq":12,"log":"judge-4k2x…","prev":"<hash of record 11>","record":{…},"hash":"<hash of this record>"}
//
// The canonical form is exactly that: no white space, these fields in this order, the record as encoding/json writes a
// gate.Record without escaping for HTML, ended by one "\n", at most MaxLine bytes in all. The hash is the SHA-256, in
// lower-case hexadecimal, of the line without its hash field and its "\n". Record 1 has a prev of zeros. So
//
//	head -n 1 SEGMENT | jq -cj 'del(.hash)' | sha256sum
//
// shows a line's hash without Moorgate (where the text has none of the few characters that jq escapes differently).
//
// Beside the segments lie "lock", which names the process that writes; "synced", which names the last record known to be on
// stable storage; and "<segment>.<n>.torn" files: bytes that a crash or a power cut spoilt, moved aside by Open. A note in
// the log names each of those; where a crash came before the note, the next Open writes it.
//
// # What is promised
//
// When Append returns without error an intent or an outcome is on stable storage; a verdict or a note has been handed to
// the operating system and is on stable storage within FlushEvery. A power cut may take the newest of the latter, and
// their sequences are then given again: an Anchor needs its hash where that matters. It may also leave a hole among them
// with whole records behind it, for the operating system writes in any order. Open moves aside everything from such a hole
// on, but only if "synced" lies before it: what is spoilt at or before "synced", or where there is no "synced", is damage,
// and a log that ends before "synced" has lost something. Neither is opened. "synced" is exact as long as the machine runs;
// it is fsynced with each new segment only, so after a power cut it may name an earlier record, and then decay of what
// stands between the two passes for the power cut's.
//
// After the first write or fsync that fails, the log is broken: everything after fails too, until it is opened again. Open
// rewrites the bytes of the last segment before it trusts them, because an fsync that failed once may succeed the next time
// without having written anything.
//
// The chain shows every record that was changed, dropped, inserted or moved, as long as one record after it stands or is
// remembered elsewhere. It cannot show that the newest records were cut off cleanly, nor that somebody who can write the
// files recomputed the whole chain: for that Verify takes Anchors, records remembered outside the log.
//
// # For operators
//
// Nothing is ever deleted: the log grows until the disk is full, and then it breaks, on purpose, because without a record
// nothing may be done. Watch the free space. A process whose log broke has to be started again once there is space (see
// Broken); Open mends what the full disk left. To begin a new log, stop the process and move the whole directory away, which
// Verify and Read still understand; segments taken out one by one are damage, the oldest too. Open reads the whole log, so
// starting takes longer as it grows.
//
// This package never reads a clock (it is handed one), never retries an fsync, never drops or cuts a record in silence,
// never changes or deletes a record that may have been relied on, and never decides anything.
package audit
