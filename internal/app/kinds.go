package app

import (
	"fmt"
	"io"
	"os"

	"moorgate.dev/webhook"
	"moorgate.dev/webhook/checks"
)

// shapesBytes is the most that a file of shapes may hold.
const shapesBytes = 64 << 10

const shapesUsage = "file that says where other kinds keep their pod template (moorgate install --help shows one); the same for install, webhook and judge"

// readShapes reads the kinds that a file describes; none where there is no file.
func readShapes(path string) ([]checks.Shape, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--shapes: %w", err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, shapesBytes+1))
	if err != nil {
		return nil, fmt.Errorf("--shapes: %w", err)
	}
	if len(content) > shapesBytes {
		return nil, fmt.Errorf("--shapes %s: larger than %d KiB", path, shapesBytes>>10)
	}
	shapes, err := webhook.ParseShapes(content)
	if err != nil {
		return nil, fmt.Errorf("--shapes %s: %w", path, err)
	}
	return shapes, nil
}

// kindsOf are the kinds that the flags name.
func kindsOf(names []string, path string) (webhook.Kinds, error) {
	shapes, err := readShapes(path)
	if err != nil {
		return webhook.Kinds{}, err
	}
	k, err := webhook.NewKinds(names, shapes)
	if err != nil {
		return webhook.Kinds{}, fmt.Errorf("--kinds: %w", err)
	}
	return k, nil
}
