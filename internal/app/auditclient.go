package app

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/gate"
)

// auditClient reads the logs of running Moorgates over GET /v1/audit.
type auditClient struct {
	http  *http.Client
	token string
}

// newAuditClient trusts the roots given, as PEM, and presents the token.
func newAuditClient(roots []byte, token string) (*auditClient, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(roots) {
		return nil, errors.New("there is no certificate among the roots to trust (--server-ca, or the anchors in the cluster)")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ResponseHeaderTimeout: 30 * time.Second}
	return &auditClient{token: token, http: &http.Client{Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// bearer is the token of a kubeconfig, or of a file.
func bearer(config *rest.Config, file string) (string, error) {
	if file == "" {
		if config.BearerToken != "" {
			return config.BearerToken, nil
		}
		file = config.BearerTokenFile
	}
	if file == "" {
		return "", errors.New("this kubeconfig has no bearer token, and Moorgate asks for one: give --token-file (kubectl create token NAME writes a ServiceAccount's)")
	}
	token, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	return strings.TrimSpace(string(token)), nil
}

// entries yields the entries of the log at a server, those of one Case only where one is given. A log that ends early is an
// error: half a log must not pass for the whole.
func (c *auditClient) entries(ctx context.Context, server, only string) iter.Seq2[audit.Entry, error] {
	return func(yield func(audit.Entry, error) bool) {
		body, err := c.open(ctx, server, only)
		if err != nil {
			yield(audit.Entry{}, err)
			return
		}
		defer body.Close() // only read
		lines := bufio.NewReaderSize(body, 64<<10)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				yield(audit.Entry{}, fmt.Errorf("the log at %s ends before its end: %w", server, orEnd(err)))
				return
			}
			if bytes.Equal(bytes.TrimSpace(line), []byte(`{"end":true}`)) {
				return
			}
			var e audit.Entry
			if err := json.Unmarshal(line, &e); err != nil {
				yield(audit.Entry{}, fmt.Errorf("read an entry of the log at %s: %w", server, err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func orEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the server stopped, or could not read it to its end; its own output says why")
	}
	return err
}

func (c *auditClient) open(ctx context.Context, server, only string) (io.ReadCloser, error) {
	if err := checkURL("server", server); err != nil {
		return nil, err
	}
	at := strings.TrimSuffix(server, "/") + auditPath
	if only != "" {
		at += "?case=" + url.QueryEscape(only)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s for its audit log: %w", server, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s for its audit log: %w", server, err)
	}
	if resp.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
		_ = resp.Body.Close()
		return nil, fmt.Errorf("ask %s for its audit log: %s: %s", server, resp.Status, gate.OneLine(string(said), 300))
	}
	return resp.Body, nil
}
