// Package gate holds the tests of the gate while a model is asked: the real binary, each part under its own ServiceAccount, before a
// real API server, with kubectl, client-go and Flux's library waiting outside, and a server that speaks as a model does.
package gate
