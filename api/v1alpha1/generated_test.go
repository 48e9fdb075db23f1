package v1alpha1

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGeneratedFilesAreCurrent makes the deepcopy functions and the CRDs anew and compares them with those checked in.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "tool", "-modfile=internal/tools/go.mod", "controller-gen", "object", "paths=./api/...",
		"crd:crdVersions=v1", "output:crd:dir="+dir, "output:object:dir="+dir)
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("run controller-gen: %v\n%s", err, out)
	}
	made, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(made) == 0 {
		t.Fatalf("controller-gen made nothing (%v)", err)
	}
	for _, path := range made {
		checkedIn := filepath.Join("..", "..", "charts", "moorgate", "crds", filepath.Base(path))
		if filepath.Ext(path) == ".go" {
			checkedIn = filepath.Base(path)
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(checkedIn)
		if err != nil {
			t.Errorf("%v; make generate makes it", err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is out of date; make generate makes it anew", checkedIn)
		}
	}
	crds, err := filepath.Glob(filepath.Join("..", "..", "charts", "moorgate", "crds", "*.yaml"))
	if err != nil || len(crds) != len(made)-1 {
		t.Errorf("%d CRDs are checked in, %d are generated (%v)", len(crds), len(made)-1, err)
	}
}
