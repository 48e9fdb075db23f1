// Package sift picks what matters out of what was read: log lines reduced to templates, stack traces kept whole, objects as the
// fields that matter, all of it under a budget of tokens, with what was left out said.
package sift
