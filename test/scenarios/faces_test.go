package scenarios

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
)

// TestACrashLoopingWorkloadIsOneCase: three pods crash for one cause, and that is one Case with a cause and a verdict.
func TestACrashLoopingWorkloadIsOneCase(t *testing.T) {
	t.Parallel()
	p := moored(t).place(t, usual("Enforce"))
	fault := fmt.Sprintf("{labels: {app: worker, %s: %s}}", testcluster.FaultLabel, testcluster.CrashLoop)
	three := strings.Replace(sound("worker"), "replicas: 2", "replicas: 3", 1)
	p.apply("a workload that crashes", strings.Replace(three, "{labels: {app: worker}}", fault, 1))
	c := p.verdict(gate.FaceRemediate, "worker")
	if c.Status.Cause == "" || len(c.Status.Menu) == 0 {
		t.Errorf("the Case has no cause or no menu:\n%s", asYAML(c))
	}
	if cases, err := p.cases(gate.FaceRemediate, "Deployment", "worker"); err != nil || len(cases) != 1 {
		t.Errorf("%d Cases for one cause (%v)", len(cases), err)
	}
}

const gitSource = `apiVersion: moorgate.dev/v1alpha1
kind: GitSource
metadata: {name: web}
spec: {url: "file://%s", branch: main, path: deploy}
`

// TestAChangePastGitIsACase: Git says one image, somebody sets another on the running cluster.
func TestAChangePastGitIsACase(t *testing.T) {
	t.Parallel()
	p := moored(t).place(t, usual("Enforce"))
	p.apply("what Git says", sound("web"))
	p.apply("the GitSource", fmt.Sprintf(gitSource, repository(t, map[string]string{"deploy/web.yaml": sound("web")})))
	if out, err := p.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.4.1-hotfix"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c := p.verdict(gate.FaceDrift, "web")
	if err := holdsAll(asYAML(c.Status), "registry.example/shop/web:1.4.1-hotfix", "registry.example/shop/web:1.4.2"); err != nil {
		t.Errorf("the Case does not name both images: %v\n%s", err, asYAML(c.Status))
	}
	if c.Status.Owner == "" {
		t.Errorf("the Case does not say who:\n%s", asYAML(c.Status))
	}
}

// verdict waits for a face's Case about a Deployment to have its verdict.
func (p *place) verdict(face gate.Face, name string) (found v1alpha1.Case) {
	p.t.Helper()
	p.eventually(p.t, fmt.Sprintf("a Case of %s about %s with a verdict", face, name), func() error {
		cases, err := p.cases(face, "Deployment", name)
		if err != nil {
			return err
		}
		for _, c := range cases {
			if c.Status.Decision != "" {
				found = c
				return nil
			}
		}
		return fmt.Errorf("there are %d Cases, and none has a verdict", len(cases))
	})
	return found
}

// repository makes a Git repository with one commit.
func repository(t *testing.T, content map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	repo, err := git.PlainInitWithOptions(dir, &git.PlainInitOptions{InitOptions: git.InitOptions{DefaultBranch: plumbing.Main}})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := repo.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range content {
		at := filepath.Join(dir, name)
		err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o700), os.WriteFile(at, []byte(text), 0o600))
		if err == nil {
			_, err = tree.Add(name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	author := &object.Signature{Name: "Release Job", Email: "release@shop.example", When: time.Now()}
	if _, err := tree.Commit("Release web 1.4.2", &git.CommitOptions{Author: author}); err != nil {
		t.Fatal(err)
	}
	return dir
}
