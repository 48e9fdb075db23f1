package cluster

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// recipe builds one program of a nested module; the program answers to every name in as.
type recipe struct {
	dir, output, ldflags string
	as                   []string
	what, takes          string
}

// plan is what to build, and the key under which the result is kept.
type plan struct {
	key     string
	recipes []recipe
}

// moduleDir is where Moorgate's source is. The go command knows, in a checkout, in a workspace and in the module cache alike.
func moduleDir(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "moorgate.dev").Output()
	if err != nil {
		return "", fmt.Errorf("find Moorgate's source with go list (run inside the module, or set %s): %w", assetsVar, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// planFrom reads the nested modules: their requirements are the one place that says which versions are built.
func planFrom(dir string) (plan, error) {
	hash := sha256.New()
	for _, name := range []string{"controlplane", "kwok"} {
		for _, file := range []string{"go.mod", "go.sum", "main.go"} {
			content, err := os.ReadFile(filepath.Join(dir, name, file))
			if err != nil {
				return plan{}, fmt.Errorf("read the source of %s: %w", name, err)
			}
			fmt.Fprintf(hash, "%s/%s %d\n%s", name, file, len(content), content)
		}
	}
	kubernetes, err := required(filepath.Join(dir, "controlplane", "go.mod"), "k8s.io/kubernetes")
	if err != nil {
		return plan{}, err
	}
	kwok, err := required(filepath.Join(dir, "kwok", "go.mod"), "sigs.k8s.io/kwok")
	if err != nil {
		return plan{}, err
	}
	stamp := "-X k8s.io/component-base/version.gitVersion=" + kubernetes + " -X k8s.io/client-go/pkg/version.gitVersion=" + kubernetes
	return plan{
		key: fmt.Sprintf("%s-kwok-%s-%s-%s-%s-%x", kubernetes, kwok, runtime.Version(), runtime.GOOS, runtime.GOARCH, hash.Sum(nil)[:6]),
		recipes: []recipe{
			{dir: filepath.Join(dir, "controlplane"), output: "controlplane", ldflags: "-s -w " + stamp,
				as:   []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"},
				what: "Kubernetes " + kubernetes, takes: "5 to 11 minutes on 2 cores"},
			{dir: filepath.Join(dir, "kwok"), output: "kwok", ldflags: "-s -w",
				what: "KWOK " + kwok, takes: "1 to 4 minutes on 2 cores"},
		},
	}, nil
}

// required is the version of module that the go.mod at path requires.
func required(path, module string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read required versions: %w", err)
	}
	match := regexp.MustCompile(`(?m)^\s*(?:require\s+)?` + regexp.QuoteMeta(module) + `\s+(v\S+)`).FindSubmatch(content)
	if match == nil {
		return "", fmt.Errorf("read required versions: %s does not require %s", path, module)
	}
	return string(match[1]), nil
}
