package app

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"moorgate.dev/internal/redact"
)

func doorForTests(t *testing.T) *redact.Door {
	t.Helper()
	d, err := openDoor("")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheDoorIsTheSameAfterARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	first, err := openDoor(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := openDoor(dir)
	if err != nil {
		t.Fatal(err)
	}
	if first.Value("a") != second.Value("a") || first.Value("a") == doorForTests(t).Value("a") {
		t.Error("placeholders differ after a restart, or are the same under another key")
	}
	path := filepath.Join(dir, doorKey)
	if stat, err := os.Stat(path); err != nil || stat.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", stat, err)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), 5), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openDoor(dir); err == nil {
		t.Error("a key that was cut is taken")
	}
}
