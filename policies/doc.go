// Package policies is what an operator may tune, and what holds it in place: strict parsing of Guardrail files, the presets,
// the catalogue of the guardrail's rules (README.md, generated), and the tests of the fences and rights that
// the chart ships (charts/moorgate/files).
//
// It holds numbers and lists, never logic: what a number means is decided in internal/gate. It never talks to a cluster,
// never fills in what a file left out beyond the defaults of the schema, and never lets a field pass that it does not know.
package policies
