// Package redact is the one door that text passes on its way out of Moorgate: into prompts, the audit log, Cases, Events, log
// lines, and into whatever later faces send.
//
// Two nets hang in it. Anchored patterns know what keys, tokens, passwords, private keys and connection strings look like, and
// what stands after a word such as password. Behind them, runs of characters that are too random to be words are masked, unless they
// are of a form that operators need: digests, UIDs, revisions. Values that are never shown, whatever they look like, are masked by
// where they stand: environment variables, annotations, arguments, ConfigMaps, Secrets.
//
// What is taken out is replaced by a placeholder, the same for the same value under the same key, so that a reader still sees that
// two values are one.
//
// A door cannot know every secret: a password that is a plain word and stands nowhere near such a word passes Text. So what can be
// masked by its place is, and is not left to Text. This package imports the standard library and gate alone, does no I/O and keeps
// nothing that it has seen.
package redact
