package prompts

import (
	"errors"

	"moorgate.dev/internal/flow"
)

// Render is written elsewhere.
func Render(q flow.Question, t Terms, budget int, boundary string) (Rendered, error) {
	return Rendered{}, errors.New("not yet")
}
