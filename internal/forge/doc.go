// Package forge reads Git repositories: the YAML files under one path, as they are at the head of one branch. It is the
// only place that knows go-git.
//
// A read over https or http asks for the newest commit alone, keeps it in memory, and costs one small request where that
// commit is known already. A file:// repository is read where it lies, by go-git itself: no git program is run. Whatever a
// repository may hold too much of has a cap, and a cap that is exceeded is an error that says so: no file is left out in
// silence. Symbolic links and submodules are never followed, and are named in the answer.
//
// Addresses in URLs come from users. Link-local and multicast addresses, and all others at which clouds are known to answer
// with credentials, are refused after the name is resolved and after redirects; the machine's own addresses and file:// need
// an explicit yes.
//
// A write adds one commit with the files that it is given to the head of one branch, and only if the branch has not moved.
//
// This package never rewrites or removes a branch, never changes a file that it was not given, never runs a program, never puts a file on disk, never shows a URL with
// credentials in it (a URL that carries any is refused), and never passes on what a server says in words: its errors are
// sentences of ours.
package forge
