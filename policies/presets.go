package policies

import _ "embed" // for the presets

// The presets are documented Guardrails for namespaces that no two of them share: by the label moorgate.dev/tier.
var (
	// Observe is the one to begin with: watch everything, touch nothing. It is for whatever has neither of the other tiers.
	//
	//go:embed observe.yaml
	Observe []byte
	// Staging warns about rollouts and acts by itself within budgets.
	//
	//go:embed staging.yaml
	Staging []byte
	// Production refuses rollouts that are denied, and acts only after a person's Approval.
	//
	//go:embed production.yaml
	Production []byte
)
