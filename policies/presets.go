package policies

import _ "embed" // for the presets

// Observe is the preset to begin with, a documented Guardrail: watch everything, touch nothing.
//
//go:embed observe.yaml
var Observe []byte
