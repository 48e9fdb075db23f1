// Package chart renders the chart that Helm keeps with a release, to find out which value makes a field of what the release
// delivers, and to prove that an edit of that value moves this field and nothing else.
//
// The templates of a chart are a program that strangers wrote. They are run with the functions that Helm has, except those
// by which the result would hang on anything but the chart and the values: the cluster, the network, the environment, the clock
// and chance are refused by name. What they may make, and how many steps they may take, is bounded by counting.
//
// It is a second reading of Helm, so it is believed only where it agrees with the first: what it makes of the values as they
// are, as the next release, must be what Helm stored, object by object. Otherwise nothing is said about the release.
//
// This package never fetches a chart, never reads the cluster, never runs a program, and never repeats a value or a
// template's words in an error.
package chart
