// Package github is a server that speaks the part of GitHub's REST interface that Moorgate uses, for tests and the demo: on a real
// socket, over real bare repositories on disk that Git's own program serves to who clones them, and with faults by script.
//
// Blobs, trees, commits and references are really written into the repository, so that `git fsck` and a clone see what was
// proposed. Pull requests and issues are kept in memory.
//
// Every request is held against GitHub's published OpenAPI description, and so is every answer: a request that GitHub would not
// know fails with 400 and is kept in Wrong. testdata/openapi.json is an excerpt of that description (MIT licence, © GitHub), of the
// npm package @octokit/openapi 23.0.2; cmd/excerpt makes it anew.
//
// It never merges anything by a request: there is no such operation here, as nothing of ours may ask for it.
package github
