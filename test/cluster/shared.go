package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// existingVar names the kubeconfig of a cluster that Shared uses as it is.
const existingVar = "MOORGATE_TEST_KUBECONFIG"

// shared is the one cluster of a test process.
var shared struct {
	sync.Mutex
	cluster *Cluster
	err     error
}

// Main runs the tests of a package and stops the cluster that they shared, if any asked for it. TestMain passes its result to os.Exit.
func Main(m *testing.M) int {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster != nil {
		shared.cluster.Stop()
	}
	return code
}

// Shared returns the cluster of this test process. The first call starts it, or connects to the one that MOORGATE_TEST_KUBECONFIG
// names. Under -short the test is skipped.
func Shared(t testing.TB) *Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a cluster; -short is set")
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil && shared.err == nil {
		ctx, cancel := context.WithDeadline(t.Context(), giveUp(t))
		defer cancel()
		shared.cluster, shared.err = startOrConnect(ctx)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cluster
}

// giveUp is when a start has to have failed for the test to be able to say why, before go test's own timeout ends the process.
func giveUp(t testing.TB) time.Time {
	if d, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if deadline, ok := d.Deadline(); ok {
			return deadline.Add(-20 * time.Second)
		}
	}
	return time.Now().Add(time.Hour)
}

func startOrConnect(ctx context.Context) (*Cluster, error) {
	if path := os.Getenv(existingVar); path != "" {
		return connect(ctx, path)
	}
	return Start(ctx, Options{})
}

// connect makes a Cluster of one that is running already.
func connect(ctx context.Context, kubeconfig string) (*Cluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig that %s names: %w", existingVar, err)
	}
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make client of the cluster that %s names: %w", existingVar, err)
	}
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		return nil, fmt.Errorf("find kubectl for the cluster that %s names: %w", existingVar, err)
	}
	dir, err := newRunDir(ctx)
	if err != nil {
		return nil, err
	}
	return &Cluster{config: config, client: client, kubeconfig: kubeconfig, kubectl: kubectl, dir: dir}, nil
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// Namespace creates a namespace for one test, named after it, and waits until pods can be created in it. It is deleted when the test
// ends; nobody waits for that.
func (c *Cluster) Namespace(t testing.TB, labels map[string]string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	prefix := strings.Trim(notInName.ReplaceAllString(strings.ToLower(t.Name()), "-"), "-")
	if len(prefix) > 40 {
		prefix = prefix[:40]
	}
	namespaces := c.client.CoreV1().Namespaces()
	want := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix + "-", Labels: labels}}
	got, err := namespaces.Create(ctx, want, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("create namespace: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := namespaces.Delete(ctx, got.Name, metav1.DeleteOptions{}); err != nil {
			t.Logf("delete namespace %s: %v", got.Name, err)
		}
	})
	if err := poll(ctx, c.defaultAccount(got.Name)); err != nil {
		t.Fatalf("wait for the default ServiceAccount of namespace %s: %v", got.Name, err)
	}
	return got.Name
}
