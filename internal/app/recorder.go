package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
)

// recorder is where a process writes its records: a log of its own, or the judge's.
type recorder interface {
	flow.Log
	// state says why nothing can be written, if that is so.
	state(ctx context.Context) error
	// run looks after it until ctx ends.
	run(ctx context.Context) error
	close() error
}

// openRecorder opens the log of this process or, with --records-to, what hands its records to the judge.
func openRecorder(ctx context.Context, o options, role string, stdout io.Writer, logger *slog.Logger) (recorder, error) {
	if o.recordsTo == "" {
		how, err := o.auditOptions(role, stdout)
		if err != nil {
			return nil, err
		}
		return openLog(ctx, o.auditDir, how, logger)
	}
	config, err := restConfig(o.webhookKubeconfig, o.kubeconfig)
	if err != nil {
		return nil, err
	}
	s, err := scheme()
	if err != nil {
		return nil, err
	}
	api, err := client.New(cluster.Guarded(config, cluster.OwnOfWebhook()), client.Options{Scheme: s})
	if err != nil {
		return nil, fmt.Errorf("prepare to hand records over: %w", err)
	}
	trust := &judgeTrust{anchors: cluster.Anchors{Client: api}}
	token := func() (string, error) { return bearer(config, "") }
	door, err := openDoor("")
	if err != nil {
		return nil, err
	}
	return newHandoff(trust.forget(postRecords(o.recordsTo, trust.client, token)), door, time.Now, logger), nil
}

// auditOptions say how the log of this process is kept.
func (o *options) auditOptions(role string, stdout io.Writer) (audit.Options, error) {
	how := audit.Options{Now: time.Now, Name: role, Mode: auditModes[o.auditMode]}
	if o.auditStdout {
		how.Copy = stdout
	}
	if o.auditKey == "" {
		return how, nil
	}
	pem, err := os.ReadFile(o.auditKey)
	if err != nil {
		return how, fmt.Errorf("read the signing key (--audit-key): %w", err)
	}
	if how.Signer, err = audit.ParseSigner(pem); err != nil {
		return how, fmt.Errorf("--audit-key %s: %w", o.auditKey, err)
	}
	return how, nil
}

var auditModes = map[string]audit.Mode{"batch": audit.Batch, "strict": audit.Strict}

// judgeTrust makes the client that records are handed over with. It trusts the roots that the judge published, and looks for
// new ones after a failure.
type judgeTrust struct {
	anchors cluster.Anchors

	mu   sync.Mutex
	http *http.Client
}

func (t *judgeTrust) client(ctx context.Context) (*http.Client, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.http != nil {
		return t.http, nil
	}
	remembered, err := t.anchors.Read(ctx)
	if err != nil {
		return nil, err
	}
	c, err := newAuditClient([]byte(remembered[caPrefix+judgeRole]), "")
	if err != nil {
		return nil, fmt.Errorf("the judge has published no certificate to trust yet: %w", err)
	}
	t.http = c.http
	return t.http, nil
}

func (t *judgeTrust) forget(send func(context.Context, []byte) (int, error)) func(context.Context, []byte) (int, error) {
	return func(ctx context.Context, batch []byte) (int, error) {
		n, err := send(ctx, batch)
		if err != nil {
			t.mu.Lock()
			t.http = nil
			t.mu.Unlock()
		}
		return n, err
	}
}
