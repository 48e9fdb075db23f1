package drift_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/memfs"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	gitcache "github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/drift"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/forge"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source/render"
	testcluster "moorgate.dev/test/cluster"
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(testcluster.Main(m))
}

var installed struct {
	sync.Once
	err error
}

// stage is a namespace of a real cluster beside a real bare repository, and a Detector that runs as moorgate-judge, with
// only the rights and behind the fence of that identity.
type stage struct {
	t        *testing.T
	cluster  *testcluster.Cluster
	ns       string
	admin    client.Client
	judge    *rest.Config
	dir      string
	tree     billy.Filesystem
	repo     *git.Repository
	log      *memoryLog
	detector *drift.Detector
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, cluster: testcluster.Shared(t), dir: t.TempDir(), tree: memfs.New(), log: &memoryLog{}}
	installed.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		installed.err = cluster.Install(ctx, s.cluster.Config(), charts.Files, cluster.InstallOptions{})
	})
	s.ok(installed.err)
	s.ns = s.cluster.Namespace(t, nil)
	s.admin = s.client(s.cluster.Config())
	var err error
	s.judge, err = s.cluster.ServiceAccount(t.Context(), "moorgate-system", "moorgate-judge")
	s.ok(err)
	s.detector = s.detectorAs(s.judge)
	s.repo, err = git.InitWithOptions(filesystem.NewStorage(osfs.New(s.dir), gitcache.NewObjectLRUDefault()), s.tree,
		git.InitOptions{DefaultBranch: plumbing.Main})
	s.ok(err)
	return s
}

func (s *stage) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) client(config *rest.Config) client.Client {
	s.t.Helper()
	scheme := runtime.NewScheme()
	s.ok(errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)))
	c, err := client.New(config, client.Options{Scheme: scheme})
	s.ok(err)
	return c
}

func (s *stage) detectorAs(config *rest.Config) *drift.Detector {
	c := s.client(config)
	reader := forge.Reader{Local: true, Beyond: render.Needs, Beside: render.Beside, Shelf: &forge.Shelf{}}
	return &drift.Detector{Client: c, Log: s.log, Now: time.Now, Interval: 1, // so that every round reads Git
		Cases: cluster.Cases{Client: c, Now: time.Now}, Guardrails: cluster.Guardrails{Reader: c, Now: time.Now},
		Circumstances: cluster.Circumstances{Reader: c,
			Ledger: func(context.Context) (gate.Ledger, []gate.Tally, error) { return gate.Ledger{}, nil, nil },
			Approvals: func(context.Context, string, string) gate.Fact[[]gate.Approval] {
				return gate.Known[[]gate.Approval](nil)
			}},
		Git: func(ctx context.Context, r drift.Repository, known string) (drift.Tree, error) {
			t, err := reader.Read(ctx, forge.Repository(r), known)
			return drift.Tree(t), err
		},
		Past: func(ctx context.Context, r drift.Repository, commit string, files []string) (drift.Past, error) {
			p, err := reader.Past(ctx, forge.Repository(r), commit, files)
			return drift.Past(p), err
		}}
}

// commit writes files to the repository.
func (s *stage) commit(files map[string]string) string {
	s.t.Helper()
	return s.commitAt(time.Unix(1, 0), files)
}

// commitAt writes files to the repository in a commit of that time.
func (s *stage) commitAt(at time.Time, files map[string]string) string {
	s.t.Helper()
	w, err := s.repo.Worktree()
	s.ok(err)
	for name, content := range files {
		f, err := s.tree.Create(name)
		s.ok(err)
		_, err = f.Write([]byte(content))
		s.ok(errors.Join(err, f.Close()))
		_, err = w.Add(name)
		s.ok(err)
	}
	hash, err := w.Commit("change", &git.CommitOptions{Author: &object.Signature{Name: "t", Email: "t@example.com", When: at}})
	s.ok(err)
	return hash.String()
}

// head is the state of the repository: nothing that the Detector does may change it.
func (s *stage) head() string {
	ref, err := s.repo.Reference(plumbing.NewBranchReferenceName("main"), true)
	s.ok(err)
	return ref.String()
}

func (s *stage) source(change func(*v1alpha1.GitSource)) {
	s.t.Helper()
	g := &v1alpha1.GitSource{ObjectMeta: metav1.ObjectMeta{Namespace: s.ns, Name: "shop"},
		Spec: v1alpha1.GitSourceSpec{URL: "file://" + s.dir, Branch: "main", Path: "deploy"}}
	if change != nil {
		change(g)
	}
	s.ok(s.admin.Create(s.t.Context(), g))
}

func (s *stage) kubectl(stdin string, args ...string) {
	s.t.Helper()
	cmd := s.cluster.Kubectl(s.t.Context(), append([]string{"-n", s.ns}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (s *stage) round() {
	s.t.Helper()
	result, err := s.detector.Reconcile(s.t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: s.ns, Name: "shop"}})
	s.ok(err)
	if result.RequeueAfter == 0 {
		s.t.Fatal("nobody asks for another round")
	}
}

func (s *stage) cases() []v1alpha1.Case {
	s.t.Helper()
	var list v1alpha1.CaseList
	s.ok(s.admin.List(s.t.Context(), &list, client.InNamespace(s.ns)))
	return list.Items
}

func (s *stage) onlyCase() v1alpha1.Case {
	s.t.Helper()
	cases := s.cases()
	if len(cases) != 1 {
		s.t.Fatalf("%d cases, want 1: %s; the GitSource says: %+v", len(cases), asJSON(cases), s.ready())
	}
	return cases[0]
}

func (s *stage) ready() metav1.Condition {
	s.t.Helper()
	var g v1alpha1.GitSource
	s.ok(s.admin.Get(s.t.Context(), client.ObjectKey{Namespace: s.ns, Name: "shop"}, &g))
	return condition(g.Status.Conditions, "Ready")
}

func condition(all []metav1.Condition, kind string) metav1.Condition {
	for _, c := range all {
		if c.Type == kind {
			return c
		}
	}
	return metav1.Condition{}
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// memoryLog keeps records in order.
type memoryLog struct {
	sync.Mutex
	records []gate.Record
}

func (l *memoryLog) Append(_ context.Context, r gate.Record) (gate.Position, error) {
	l.Lock()
	defer l.Unlock()
	l.records = append(l.records, r)
	return gate.Position{Log: "test", Sequence: uint64(len(l.records))}, nil
}
