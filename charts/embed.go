// Package charts holds the files that a cluster needs before Moorgate runs in it: its kinds, the rights of its three roles,
// and the fences that hold whatever those rights let through. Tests, the demo and the command line apply exactly these
// files, and the Helm chart renders exactly these files; the chart itself (values, Deployments, Services) comes with
// shipping and lands beside them.
//
// Nothing here may grow a wildcard: a test reads every rule and compares it with a list of what is allowed.
package charts

import "embed"

// Files holds moorgate/crds, moorgate/files/rbac and moorgate/files/fences.
//
//go:embed moorgate/crds/*.yaml moorgate/files/rbac/*.yaml moorgate/files/fences/*.yaml
var Files embed.FS
