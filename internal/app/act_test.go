package app

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

func TestActStartsWithTheRightsOfTheChartAndNoMore(t *testing.T) {
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := c.ServiceAccountKubeconfig(t.Context(), ownNamespace, actIdentity)
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	health := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var said lockedBuffer
	root := newRoot()
	root.SetArgs([]string{"act", "--kubeconfig", kubeconfig, "--audit-dir", filepath.Join(t.TempDir(), "audit"), "--health", health, "--audit-listen", "127.0.0.1:0"})
	root.SetErr(&said)
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx) }()
	eventually(t, "it is ready", func() bool {
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v\n%s", err, said.String())
		default:
		}
		resp, err := http.Get("http://" + health + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	admin, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it holds its lease", func() bool {
		lease, err := admin.CoordinationV1().Leases(ownNamespace).Get(t.Context(), actIdentity, metav1.GetOptions{})
		return err == nil && lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != ""
	})
	stop()
	if err := <-ended; err != nil || strings.Contains(said.String(), "forbidden") || strings.Contains(said.String(), "no permit") {
		t.Errorf("it ended with %v\n%s", err, said.String())
	}
}
