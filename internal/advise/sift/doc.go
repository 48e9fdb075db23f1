// Package sift picks what matters out of what was read: log lines reduced to templates and stack traces kept whole, all of
// it under a budget of tokens, with what was left out said.
//
// Everything here is a pure function of its arguments and takes time linear in its input, whoever wrote it. It never invents a line,
// and takes no secret out of anything: that is the door's, before.
package sift
