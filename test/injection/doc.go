// Package injection is a corpus of texts that try to steer a model, of places in a cluster where anybody may write such a text, and
// the tests that put each text into each place and show that nothing comes of it, even where a model does all that it is told.
//
// The payloads are files: see README.md for how to add one. The package reads them and fits them into the places; it asks nobody
// and decides nothing.
package injection
