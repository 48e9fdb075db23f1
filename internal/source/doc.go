// Package source knows desired state as the bytes that people wrote: which document of which file declares an object, on
// which line a field stands, and what a file looks like with exactly one value changed.
//
// Everything here is a pure function on bytes. Positions come from a YAML parser; what is written never does: Splice
// replaces the bytes of one scalar and keeps comments, quotes, indentation and line ends, then proves by reading the result
// again that this one value changed and nothing else. What cannot be proven is refused, by name. Insert and Remove do the
// same with the lines of a field or of an item of a list.
//
// Where manifests are rendered, MapField finds the scalar that makes a field, by changing scalars and looking where they
// come out, and Prove renders every root again: one field of one object moves, or there is no change. Plan is all of it.
//
// This package never opens a file or a repository, never marshals a document back, never edits a document that is
// encrypted, templated, or shared between places by anchors, never spells out aliases that would make a document much
// longer than it is, and never passes on a parser's own words, because they may quote a secret.
package source
