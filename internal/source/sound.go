package source

import "fmt"

// Sound reports what is wrong with a YAML file before a renderer reads it, without quoting any of it: a document that is no
// YAML, or whose aliases make it much longer than it looks.
func Sound(file []byte) error {
	for i, c := range split(file) {
		if _, err := toJSON(file[c.start:c.end]); err != nil {
			return fmt.Errorf("document %d, from line %d: %w", i+1, c.line, err)
		}
	}
	return nil
}
