package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

const mendEvery = 10 * time.Second

// auditLog is the process's audit log. One that breaks, as on a full disk, is opened anew now and then: until that succeeds
// nothing is done, analyses and answers go on, and the process is not ready.
type auditLog struct {
	dir     string
	options audit.Options
	logger  *slog.Logger
	door    *redact.Door

	mu     sync.RWMutex
	log    *audit.Log
	broken error // why there is no log to write to
}

// openLog opens the log in dir and tells of what an earlier run left open.
func openLog(ctx context.Context, dir string, o audit.Options, logger *slog.Logger) (*auditLog, error) {
	door, err := openDoor(dir)
	if err != nil {
		return nil, err
	}
	o.Redact = door.Bytes
	l := &auditLog{dir: dir, options: o, logger: logger, door: door}
	return l, l.open(ctx)
}

func (l *auditLog) open(ctx context.Context) error {
	log, err := audit.Open(l.dir, l.options) //nolint:contextcheck // the log outlives whoever opens it
	if err != nil {
		return err
	}
	if err := closeIntents(ctx, log, l.logger); err != nil {
		return errors.Join(err, log.Close())
	}
	l.mu.Lock()
	l.log, l.broken = log, nil
	l.mu.Unlock()
	return nil
}

// Append writes one record, whose texts pass the door.
func (l *auditLog) Append(ctx context.Context, r gate.Record) (gate.Position, error) {
	l.mu.RLock()
	log, broken := l.log, l.broken
	l.mu.RUnlock()
	if broken != nil {
		return gate.Position{}, broken
	}
	return log.Append(ctx, l.door.Record(r))
}

// PutBlob keeps what is too large for a record.
func (l *auditLog) PutBlob(ctx context.Context, content []byte) (string, error) {
	l.mu.RLock()
	log, broken := l.log, l.broken
	l.mu.RUnlock()
	if broken != nil {
		return "", broken
	}
	return log.PutBlob(ctx, content)
}

// id is the log's id, and checkpoint its newest signed checkpoint with the key that checks it; empty where the log is broken.
func (l *auditLog) id() string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.log.ID()
}

func (l *auditLog) checkpoint() (signed, key string) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return string(l.log.Checkpoint()), l.log.VerifierKey()
}

// unresolved are the intents of which the log does not say what came of them.
func (l *auditLog) unresolved() []gate.Record {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var open []gate.Record
	for _, e := range l.log.Unresolved() {
		open = append(open, e.Record)
	}
	return open
}

// state says why nothing can be written, if that is so.
func (l *auditLog) state(context.Context) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.broken != nil {
		return l.broken
	}
	return l.log.Err()
}

// run opens a log that broke anew, until ctx ends.
func (l *auditLog) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.log.Broken(): // only this goroutine changes l.log
		}
		cause := fmt.Errorf("the audit log is broken: %w", l.log.Err())
		l.logger.ErrorContext(ctx, "the audit log cannot be written, so nothing is done until it can", "error", cause)
		l.mu.Lock()
		l.broken = cause
		l.mu.Unlock()
		_ = l.log.Close() // it has said what it had to say
		if !l.reopen(ctx) {
			return nil
		}
		l.logger.InfoContext(ctx, "the audit log is written again")
		if _, err := l.Append(ctx, gate.Record{Kind: gate.RecordNote, Text: "the log was opened anew: " + cause.Error()}); err != nil {
			l.logger.WarnContext(ctx, "the audit log broke again", "error", err)
		}
	}
}

func (l *auditLog) reopen(ctx context.Context) bool {
	ticker := time.NewTicker(mendEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
		err := l.open(ctx)
		if err == nil {
			return true
		}
		l.logger.WarnContext(ctx, "the audit log cannot be opened yet", "error", err)
	}
}

// close closes the log. One that broke has been closed already.
func (l *auditLog) close() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.broken != nil {
		return l.broken
	}
	err := l.log.Close() // after which nothing is being printed any more
	if n, why := l.log.CopyFailures(); n > 0 {
		l.logger.Warn("records are in the audit log that could not be printed to standard output (--audit-stdout)", "records", n, "error", why)
	}
	return err
}

// closeIntents tells of what an earlier run set out to do and never said how it came out, and writes down that nobody knows.
// None of it is tried again. That is for what needed no reservation: annotations, which the next look mends.
func closeIntents(ctx context.Context, log *audit.Log, logger *slog.Logger) error {
	unknown := gate.OutcomeUnknown
	for _, e := range log.Unresolved() {
		if e.Record.Reservation != "" {
			continue // reserved in the ledger: whoever acts finds out by looking at the target
		}
		logger.WarnContext(ctx, "an earlier run ended between an intent and its outcome; look at its target", "record", audit.Line(e))
		r := gate.Record{Kind: gate.RecordOutcome, Correlation: e.Record.Correlation, Signal: e.Record.Signal, Action: e.Record.Action,
			Digest: e.Record.Digest, Outcome: &unknown, Text: fmt.Sprintf("the process ended after the intent in record %d", e.Position.Sequence)}
		if _, err := log.Append(ctx, r); err != nil {
			return fmt.Errorf("write to the audit log: %w", err)
		}
	}
	return nil
}
