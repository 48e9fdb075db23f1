// Package certs keeps the certificate that the webhook serves with, so that Moorgate runs where there is no cert-manager.
//
// A root of its own (ECDSA P-256, ten years) signs a short leaf (90 days, renewed when a third is left). Both live in a
// Store: one Secret that every replica shares, or a folder on a laptop. A replica that finds something due makes the next
// state and saves it by compare-and-swap; the one that comes second re-reads and serves what the first one made. A root is
// replaced a year before it ends: for a day old and new root stand in CABundle side by side while the old one goes on
// signing, so that whoever checks us trusts the new root before the first certificate from it is served.
//
// Health says how a certificate stands at an instant, and the next state is a pure function of the stored one, the names
// and the instant. No clock is read here: Now and Ticks are handed in.
//
// # Why not open-policy-agent/cert-controller
//
// It is the usual library and was read at v0.16.0. It watches every Secret of its namespace (it needs list and watch, which
// cannot be bound to a name), puts only DNS names into certificates (so nothing can call it at 127.0.0.1), swaps the root in
// one step with one root in the bundle, waits for the kubelet to refresh a mounted file (60 to 90 seconds in which calls
// fail), reads the wall clock wherever it needs one, and may end the process. Moorgate holds get, update and patch on one
// Secret by its name, serves from memory, and its rotation is tested over years in seconds.
//
// # Never
//
// It never lists or watches Secrets, never creates or deletes one, never writes a private key anywhere but into its Store,
// never logs one, never serves a certificate that it could not store first, and never stops serving the one it has because
// the Store cannot be reached.
package certs
