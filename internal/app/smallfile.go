package app

import (
	"fmt"
	"io"
	"os"
)

// smallBytes is the most that a file of a few lines may hold.
const smallBytes = 64 << 10

// readSmall reads a file that a flag names, which people write by hand.
func readSmall(flag, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, smallBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	if len(content) > smallBytes {
		return nil, fmt.Errorf("%s %s: larger than %d KiB", flag, path, smallBytes>>10)
	}
	return content, nil
}
