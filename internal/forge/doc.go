// Package forge reads Git repositories: the YAML files under one path, and what these refer to, as they are at the head of one branch or at a commit; and
// it opens pull requests at GitHub. It is the only place that knows go-git and go-github.
//
// A read over https or http asks for the newest commit alone, keeps it in memory, and costs one small request where that
// commit is known already. A file:// repository is read where it lies, by go-git itself: no git program is run. Whatever a
// repository may hold too much of has a cap, and a cap that is exceeded is an error that says so: no file is left out in
// silence. Symbolic links and submodules are never followed, and are named in the answer.
//
// A commit that is named is asked for by itself, and where the server gives none but heads, looked for in the last commits of its branch; one
// that is known costs nothing. A Shelf keeps what was fetched of it for a minute, for whoever reads another folder of it. A Login goes
// to the host that the URL names, over https, and to no other.
//
// Addresses in URLs come from users. Link-local and multicast addresses, and all others at which clouds are known to answer
// with credentials, are refused after the name is resolved and after redirects; the machine's own addresses and file:// need
// an explicit yes.
//
// A write adds one commit with the files that it is given to the head of one branch, and only if the branch has not moved.
//
// A Hub keeps one pull request for each drift: its branch is named by the drift's key, what it says is remembered in its own first line, and
// what is remembered is read from GitHub, so that any process can take over from any other. Another value is written in place, as a
// commit on top; where the base has moved, that commit takes it in as a second parent, so a branch is never forced. A branch on which there
// is a commit of somebody else's is left alone; a pull request that a person closed is a no until the value changes. How many may be open,
// and be opened in an hour, is capped; what waits is listed in one issue. Commits name no author, so that GitHub signs those of an App, and
// whether it did is said. No workflow, hidden file, CODEOWNERS, new file, link or rule of Moorgate's own is ever proposed, and no file in
// which there would be a new secret. The zero State is none: where something could not be said, an error says so, and asking again is safe.
//
// This package never merges a pull request and never asks that one be merged, never forces a branch, never removes one but its own, never
// changes a file that it was not given, never runs a program, never puts a file on disk, never shows a token or a URL with credentials in
// it (a URL that carries any is refused), and never passes on what a server says in words: its errors are sentences of ours.
package forge
