// Package gate holds the tests of the gate while a model is asked: the real binary, each part in a process of its own and under its own
// ServiceAccount, before a real API server, with kubectl, client-go, Helm and Flux's library waiting outside, and a server that speaks as a
// model does. Waits take real time, so most tests wait side by side, each in its own namespace; those that kill parts run alone.
package gate
