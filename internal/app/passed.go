package app

import (
	"fmt"

	"github.com/spf13/pflag"

	"moorgate.dev/drift"
)

func passedFlag(f *pflag.FlagSet, path *string) {
	f.StringVar(path, "false-positives", "", "file with more of what differs from Git and is no drift, written like drift/falsepositives.yaml; the same for judge and diff")
}

// passedOf is what a file adds to the table of what is no drift; nothing where there is no file.
func passedOf(path string) (drift.Passed, error) {
	if path == "" {
		return drift.Passed{}, nil
	}
	content, err := readSmall("--false-positives", path)
	if err != nil {
		return drift.Passed{}, err
	}
	passed, err := drift.ParsePassed(content)
	if err != nil {
		return drift.Passed{}, fmt.Errorf("--false-positives %s: %w", path, err)
	}
	return passed, nil
}
