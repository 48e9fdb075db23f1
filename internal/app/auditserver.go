package app

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"moorgate.dev/certs"
	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

const (
	auditPath   = "/v1/audit"   // GET: this process's log
	recordsPath = "/v1/records" // POST: admission records from webhook replicas

	handedBytes   = 4 << 20 // of one batch
	handedRecords = 256
)

// auditServer serves the log of this process over TLS to those whom the doorkeeper lets in, and takes the admission records
// that webhook replicas hand over.
type auditServer struct {
	dir    string
	log    flow.Log
	door   *doorkeeper
	logger *slog.Logger
	// readiness answers beside it; nil: nobody does.
	readiness *readinessServer
	// alerts are taken beside it; nil: none are.
	alerts *alertServer
}

func (s *auditServer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+auditPath, s.read)
	mux.HandleFunc("POST "+recordsPath, s.take)
	if s.alerts != nil {
		mux.HandleFunc("POST "+alertsPath, s.alerts.take)
	}
	outer := http.NewServeMux()
	outer.Handle("/", s.door.guard(thePath, mux))
	if s.readiness != nil {
		s.readiness.routes(outer, s.door)
	}
	return outer
}

// read answers with the entries of the log as JSON lines, those from a sequence number on and of one Case where the query says
// so (from, case). An answer that could not be finished ends without its last line, which is {"end":true}: half a log must not
// pass for the whole.
func (s *auditServer) read(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	from, err := strconv.ParseUint(orZero(query.Get("from")), 10, 64)
	if err != nil {
		http.Error(w, "from is not the sequence number of a record", http.StatusBadRequest)
		return
	}
	only := query.Get("case")
	w.Header().Set("Content-Type", "application/jsonl")
	out := bufio.NewWriterSize(w, 64<<10)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for e, err := range audit.ReadFrom(s.dir, from) { //nolint:contextcheck // reading a folder takes none; the loop looks at it
		if err == nil && r.Context().Err() != nil {
			return
		}
		if err == nil && only != "" && e.Record.Correlation != only {
			continue
		}
		if err == nil {
			err = encoder.Encode(e)
		}
		if err != nil {
			s.logger.WarnContext(r.Context(), "the audit log could not be served to its end", "error", err)
			_ = out.Flush()
			return
		}
	}
	if err := encoder.Encode(map[string]bool{"end": true}); err == nil {
		_ = out.Flush()
	}
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

// take writes down the records of a batch. A batch is taken whole or, where the log fails, up to the record that the answer
// names: the sender goes on from there. Only verdicts of the gate are taken: what was done and decided elsewhere is for
// whoever did it to record.
func (s *auditServer) take(w http.ResponseWriter, r *http.Request) {
	records, err := decodeBatch(http.MaxBytesReader(w, r.Body, handedBytes))
	if err != nil {
		http.Error(w, gate.OneLine(err.Error(), 1024), http.StatusBadRequest)
		return
	}
	for i, one := range records {
		if _, err := s.log.Append(r.Context(), one); err != nil {
			s.logger.ErrorContext(r.Context(), "records handed over could not be written down", "error", err, "left", len(records)-i)
			w.Header().Set("Moorgate-Taken", strconv.Itoa(i))
			http.Error(w, "the audit log cannot be written", http.StatusServiceUnavailable)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// decodeBatch reads JSON lines of records. Each must be written as encodeRecord writes what was understood of it, so that nothing is
// in it twice, unknown or passed over. gate.Strict would not do: it tells no cases of keys apart, and labels of namespaces do.
func decodeBatch(body io.Reader) ([]gate.Record, error) {
	content, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("read the batch: %w", err)
	}
	var records []gate.Record
	for line := range bytes.Lines(content) {
		if len(records) == handedRecords {
			return nil, fmt.Errorf("more than %d records in a batch", handedRecords)
		}
		var one gate.Record
		if err := json.Unmarshal(line, &one); err != nil {
			return nil, fmt.Errorf("record %d: %w", len(records)+1, err)
		}
		if again, err := encodeRecord(one); err != nil || !bytes.Equal(again, line) {
			return nil, fmt.Errorf("record %d is not written the one way: a field is unknown, there twice, or out of place", len(records)+1)
		}
		if one.Kind != gate.RecordVerdict || one.Signal == nil || one.Signal.Face != gate.FaceWebhook {
			return nil, fmt.Errorf("record %d is no verdict of the gate", len(records)+1)
		}
		records = append(records, one)
	}
	return records, nil
}

// serve listens until ctx ends. ready is called with the roots to trust each time that the certificate was looked after.
func (s *auditServer) serve(ctx context.Context, address string, hosts []string, publish func(ctx context.Context, roots []byte) error) error {
	authority := &certs.Authority{Store: certs.Folder(filepath.Join(s.dir, "tls")), Now: time.Now, DNSNames: hosts, IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Publish: publish}
	if _, err := authority.Ensure(ctx); err != nil && authority.Ready() != nil {
		return fmt.Errorf("make the certificate that the audit log is served with: %w", err)
	}
	ticker := time.NewTicker(certificateLook)
	defer ticker.Stop()
	authority.Ticks = ticker.C
	authority.Report = func(_ certs.Bundle, err error) {
		if err != nil {
			s.logger.Error("the certificate that the audit log is served with could not be looked after", "error", err)
		}
	}
	go func() { _ = authority.Run(ctx) }() // it only ends with ctx
	listener, err := tls.Listen("tcp", address, authority.TLS())
	if err != nil {
		return fmt.Errorf("serve the audit log (--audit-listen): %w", err)
	}
	server := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug)}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the audit log: %w", err)
	}
	return nil
}
