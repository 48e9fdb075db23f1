// Package render makes the objects that a folder of a repository declares, in memory, as Flux and kubectl kustomize would.
//
// The files are all there is: a reference that leaves the repository, by address or by path, that was not among what was
// read, or that asks for a program, a plugin, a chart or a schema, is refused by name before kustomize starts. So is a set
// of folders that include each other so often that no cap would hold. What remains runs behind a recover and a deadline: a
// render that hangs is left to itself and keeps one of three places; while all three are kept, every render is refused.
//
// This package never opens a file, a connection or a process, and never passes on kustomize's own words, because they quote
// what files say.
package render
