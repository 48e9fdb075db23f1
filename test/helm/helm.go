// Package helm runs Helm's own command in tests. It is built from its own module, test/gate/helm, whose many dependencies are none of
// Moorgate's; Go keeps what it built. It is never used outside of tests.
package helm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

var built = sync.OnceValues(func() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	var said strings.Builder
	cmd := exec.Command("go", "-C", filepath.Join(filepath.Dir(here), "..", "gate", "helm"), "tool", "-n", "helm")
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build helm: %w\n%s", err, said.String())
	}
	return strings.TrimSpace(string(out)), nil
})

// Run runs Helm with nothing of what this machine's user has set up for it, and answers what it wrote.
func Run(t testing.TB, args ...string) (string, error) {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
