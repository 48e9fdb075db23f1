package flow

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"moorgate.dev/internal/gate"
)

// ErrPanicked says that a piece of work panicked, which is logged where it was caught.
var ErrPanicked = errors.New("a defect of Moorgate's own; see its log")

// Shielded does one piece of work and survives a panic in it: a defect that one object wakes must not end the process, which
// other faces share.
func Shielded(logger *slog.Logger, what string, do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			logger.Error(what, "panic", gate.OneLine(fmt.Sprint(r), 1024), "stack", string(debug.Stack()))
			err = ErrPanicked
		}
	}()
	return do()
}
