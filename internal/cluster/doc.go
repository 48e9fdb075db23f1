// Package cluster is how Moorgate speaks with the API server about its own kinds and about who owns what: it turns
// Guardrails into the policy that gate decides with, opens Cases and keeps their status, and follows owner references to
// the workload that people think of.
//
// It translates and stores; it never decides, never writes to a workload, and never reads a Secret.
package cluster
