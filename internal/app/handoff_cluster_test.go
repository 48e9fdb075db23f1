package app

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/charts"
	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

// A replica of the webhook hands its records to the judge over TLS, each under its own identity with the rights of the chart:
// the judge publishes its roots, the replica finds them, and the API server says who it is and that it may.
func TestAReplicaHandsItsRecordsToTheJudge(t *testing.T) {
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	dir, discard := filepath.Join(t.TempDir(), "judge"), slog.New(slog.DiscardHandler)
	address := serveAsJudge(t, c, dir, discard)
	replica, err := c.ServiceAccountKubeconfig(t.Context(), ownNamespace, webhookIdentity)
	if err != nil {
		t.Fatal(err)
	}
	log, err := openRecorder(t.Context(), options{webhookKubeconfig: replica, recordsTo: "https://" + address}, "webhook", nil, discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- log.run(ctx) }()
	if _, err := log.Append(t.Context(), admission("shop/webhook-web-1")); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for !recorded(t, dir, "shop/webhook-web-1") {
		if time.Now().After(deadline) {
			t.Fatalf("the judge's log has no such record; the replica says %v", log.(*handoff).cause)
		}
		time.Sleep(100 * time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := log.close(); err != nil {
		t.Error(err)
	}
}

// serveAsJudge serves a log as moorgate judge does, until the test ends, and returns the address.
func serveAsJudge(t *testing.T, c *testcluster.Cluster, dir string, logger *slog.Logger) string {
	t.Helper()
	identity, err := c.ServiceAccount(t.Context(), ownNamespace, judgeIdentity)
	if err != nil {
		t.Fatal(err)
	}
	guarded := cluster.Guarded(identity, cluster.OwnOfJudge())
	s, err := scheme()
	if err != nil {
		t.Fatal(err)
	}
	api, err := client.New(guarded, client.Options{Scheme: s})
	if err != nil {
		t.Fatal(err)
	}
	kube, err := kubernetes.NewForConfig(guarded)
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(dir, audit.Options{Now: time.Now, Name: "judge"})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	anchors := cluster.Anchors{Client: api}
	server := &auditServer{dir: dir, log: log, door: newDoorkeeper(kube, logger), logger: logger}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- server.serve(ctx, address, []string{"localhost"}, func(ctx context.Context, roots []byte) error {
			return anchors.Set(ctx, caPrefix+judgeRole, string(roots))
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = log.Close()
	})
	return address
}

func recorded(t *testing.T, dir, correlation string) bool {
	t.Helper()
	for e, err := range audit.Read(dir) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Record.Correlation == correlation {
			return true
		}
	}
	return false
}
