package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"moorgate.dev/internal/redact"
)

// doorKey is the file beside an audit log that keys the placeholders of what is redacted, so that they stay the same over restarts.
const doorKey = "redaction.key"

// openDoor makes the door that everything passes on its way out of this process. Its key is kept in dir, with mode 0600, and made
// there where there is none; without a dir it lives as long as the process.
func openDoor(dir string) (*redact.Door, error) {
	key := make([]byte, redact.KeyBytes)
	_, _ = rand.Read(key) // it never fails
	if dir != "" {
		var err error
		if key, err = keptKey(filepath.Join(dir, doorKey), key); err != nil {
			return nil, err
		}
	}
	return redact.New(redact.Options{Key: key})
}

// keptKey is the key in a file, which is made of fresh where there is none.
func keptKey(path string, fresh []byte) ([]byte, error) {
	kept, err := os.ReadFile(path)
	switch {
	case err == nil && len(kept) != redact.KeyBytes:
		return nil, fmt.Errorf("read the redaction key %s: it has %d bytes in place of %d; move it away, and a new one is made", path, len(kept), redact.KeyBytes)
	case err == nil:
		return kept, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the redaction key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for the redaction key: %w", err)
	}
	if err := os.WriteFile(path, fresh, 0o600); err != nil {
		return nil, fmt.Errorf("keep the redaction key: %w", err)
	}
	return fresh, nil
}

// door is the door of this process's log, or its own where the log is kept elsewhere: what is collected for a model passes it first.
func (p *process) door() *redact.Door {
	if log, ok := ownLog(p.log); ok {
		return log.door
	}
	return p.passage
}
