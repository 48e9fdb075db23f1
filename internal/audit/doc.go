// Package audit is the log that every step of Moorgate leaves one Record in: append-only, written ahead of every action,
// and chained, counted by a Merkle tree and signed so that tampering shows.
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
// Each record is also a leaf of a Merkle tree as RFC 6962 and Go's checksum database have it (golang.org/x/mod/sumdb/tlog):
// record n is leaf n-1, and what is hashed for it is the 32 bytes of the line's hash. Chain and tree say the same, and each
// is good for what the other is not. The chain needs no tool and no second file: it names the exact line that is bad, and it
// tells what a power cut spoilt from what somebody changed. The tree proves in a few hundred bytes, to somebody who has none
// of the lines, that a log still begins with all that an earlier checkpoint counted (ProveConsistency) or holds a record
// (ProveRecord).
//
// Beside the segments lie
//
//   - "checkpoint": how many records there are, the tree's root and the time, in the C2SP tlog-checkpoint form and signed as
//     golang.org/x/mod/sumdb/note has it, with origin moorgate.dev/audit/<log id>;
//   - "key", unless a Signer is handed in: the Ed25519 key that signs, in PKCS #8; and "keys": the public halves of all that
//     ever signed. A change of keys is a note in the log;
//   - "tree": the hashes of the tree, made from the lines and never believed over them. Open makes anew what is missing or
//     wrong;
//   - "blobs": what is too large for a record, each named by the SHA-256 of its content and compressed (gzip, so that zcat
//     reads it);
//   - "lock", which names the process that writes, and "synced", which names the last record known to be on stable storage;
//   - "<segment>.<n>.torn" files: bytes that a crash or a power cut spoilt, moved aside by Open. A note in the log names each
//     of those; where a crash came before the note, the next Open writes it.
//
// # What is promised
//
// When Append returns without error the record is on stable storage; but in Batch mode a verdict, a note, a model's answer
// or a notification has been handed to the operating system and is on stable storage within FlushEvery, without waiting for the
// fsync of those before it. A power cut may take
// the newest of those, and their sequences are then given again: an Anchor needs its hash where that matters. It may also leave a
// hole among them with whole records behind it, for the operating system writes in any order. Open moves aside everything
// from such a hole on, but only if "synced" lies before it: what is spoilt at or before "synced", or where there is no
// "synced", is damage, and a log that ends before "synced" has lost something. Neither is opened. "synced" is exact as long
// as the machine runs; it is fsynced with each new segment only, so after a power cut it may name an earlier record. The
// checkpoint bounds that: it is fsynced each time it is written, and where it counts more it stands in for "synced". Decay of
// what stands between the newer of the two and the power cut passes for the power cut's.
//
// A checkpoint counts only records that are on stable storage, so no power cut makes it untrue. One is signed at most
// FlushEvery after a record that it counts, and when a segment is begun, when the log is opened, and when it is closed.
//
// When PutBlob returns without error the blob is on stable storage, before any record can name it.
//
// After the first write or fsync that fails, the log is broken: everything after fails too, until it is opened again. Open
// rewrites the bytes of the last segment before it trusts them, because an fsync that failed once may succeed the next time
// without having written anything. An Append whose context ends stops waiting for a slow disk, with an error.
//
// The Copy of the options, such as standard output, gets every line that was acknowledged; it never stands in for the disk.
// One that fails or is too slow misses lines, which are counted, and leaves a gap in the sequences.
//
// # What tampering shows, and what anchors add
//
// Verify names every record that was changed, dropped, inserted or moved, as long as one record after it stands, or the
// checkpoint or an anchor counts it; newest records that were cut off; a checkpoint that was changed, signed by a stranger or
// set back behind a segment; an outcome without an intent; a blob that is not what its name says. Intents without an outcome and
// blobs that are gone it lists, for those may be nobody's doing. It believes nothing but the lines, and signatures.
//
// Somebody who can write all the files can make another log that is sound in itself, by recomputing it from some record on:
// with the key that lies beside it they sign that too, and without it they put another key into "keys". They can also put back
// an old copy of everything. Nothing within the directory shows either. What does is an Anchor: a record or a signed
// checkpoint (with the verifier key) that somebody else remembers, such as a ConfigMap, a Git repository or another process.
// Against one checkpoint remembered elsewhere, no record that it counts can be changed or go missing unseen, whoever holds
// the key. What was appended after the newest anchor is only as good as the files. A Signer that the files' writer cannot
// read (a mounted Secret, a key in hardware) adds that nobody else can make checkpoints to be remembered. Nothing shows that a
// record was true when it was written, nor that one was never written.
//
// # For operators
//
// Nothing is ever deleted: the log grows until the disk is full, and then it breaks, on purpose, because without a record
// nothing may be done. Watch the free space. A process whose log broke has to be started again once there is space (see
// Broken); Open mends what the full disk left. To begin a new log, stop the process and move the whole directory away, which
// Verify and Read still understand; segments taken out one by one are damage, the oldest too. Blobs may be taken out: Verify
// then lists those that records name. Open reads the whole log, so starting takes longer as it grows. A directory that is
// copied to be looked at holds the private key: leave "key" out.
//
// Blobs pass the Redact of the options; there is none yet that takes out secrets, so until then nothing may be put that can
// hold any.
//
// This package never reads a clock (it is handed one), never retries an fsync, never drops or cuts a record in silence,
// never changes or deletes a record that may have been relied on, and never decides anything.
package audit
