package policies

import (
	"flag"
	"os"
	"testing"

	"moorgate.dev/test/cluster"
)

var update = flag.Bool("update", false, "rewrite the generated files")

func TestMain(m *testing.M) { os.Exit(cluster.Main(m)) }

// golden compares a generated file with what it should be, or rewrites it under -update.
func golden(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is out of date: run go test ./policies -update and read the diff", path)
	}
}
