package app

import (
	"fmt"

	"moorgate.dev/webhook"
	"moorgate.dev/webhook/checks"
)

const shapesUsage = "file that says where other kinds keep their pod template (moorgate install --help shows one); the same for install, webhook and judge"

// readShapes reads the kinds that a file describes; none where there is no file.
func readShapes(path string) ([]checks.Shape, error) {
	if path == "" {
		return nil, nil
	}
	content, err := readSmall("--shapes", path)
	if err != nil {
		return nil, err
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
