package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// assetsVar names a folder that holds every program already.
const assetsVar = "KUBEBUILDER_ASSETS"

// programs are what a cluster runs, each a file of that name in one folder.
var programs = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok"}

// Binaries returns the folder that holds the programs of a cluster. It is the one that KUBEBUILDER_ASSETS names, or else one in the
// user's cache folder, which is built from source first if need be: minutes, once per version. progress receives lines for people.
func Binaries(ctx context.Context, progress io.Writer) (string, error) {
	dir := os.Getenv(assetsVar)
	if dir == "" {
		return built(ctx, progress)
	}
	if missing := missingFrom(dir); len(missing) > 0 {
		return "", fmt.Errorf("use the programs in %s=%s: it lacks %s; add them, or unset it to build all of them from source",
			assetsVar, dir, strings.Join(missing, ", "))
	}
	return dir, nil
}

func missingFrom(dir string) []string {
	var missing []string
	for _, name := range programs {
		stat, err := os.Stat(filepath.Join(dir, name))
		if err != nil || !stat.Mode().IsRegular() || stat.Mode().Perm()&0o111 == 0 {
			missing = append(missing, name)
		}
	}
	return missing
}
