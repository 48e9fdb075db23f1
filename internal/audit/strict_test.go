package audit

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"moorgate.dev/internal/gate"
)

func TestStrictAndBatch(t *testing.T) {
	kinds := []gate.RecordKind{gate.RecordVerdict, gate.RecordModel, gate.RecordApproval, gate.RecordIntent, gate.RecordOutcome,
		gate.RecordVerification, gate.RecordPullRequest, gate.RecordNotification, gate.RecordNote, "of-a-later-version"}
	later := map[gate.RecordKind]bool{gate.RecordVerdict: true, gate.RecordModel: true, gate.RecordNotification: true, gate.RecordNote: true}
	for mode, name := range map[Mode]string{Strict: "strict", Batch: "batch"} {
		t.Run(name, func(t *testing.T) {
			syncs := 0
			l := mustOpen(t, logDir(t), Options{Mode: mode, FlushEvery: 1 << 40, fsync: func(f *os.File) error {
				if strings.HasSuffix(f.Name(), segmentSuffix) {
					syncs++
				}
				return nil
			}})
			for _, k := range kinds {
				before := syncs
				mustAppend(t, l, gate.Record{Kind: k})
				if waits := mode == Batch && later[k]; (syncs == before) != waits {
					t.Errorf("%s: %d fsyncs before Append returned", k, syncs-before)
				}
			}
		})
	}
}

// TestL08AuditFailuresBlock shows that a record that is not on the disk is never taken for one that is: where the disk is full,
// gone or stuck, or more waits than may, Append says so, and who acts after Append has nothing to act on.
func TestL08AuditFailuresBlock(t *testing.T) {
	stuck := make(chan struct{})
	sticks := false
	dir := logDir(t)
	l := mustOpen(t, dir, Options{fsync: func(f *os.File) error {
		if sticks {
			<-stuck
		}
		return f.Sync()
	}})
	mustAppend(t, l, intent(0))
	sticks = true
	ctx, cancel := context.WithCancel(t.Context())
	large := gate.Record{Kind: gate.RecordIntent, Text: strings.Repeat("x", MaxLine-1000)}
	const writers = 40 // more than maxPending holds
	answers := make(chan error, writers)
	for range writers {
		go func() { _, err := l.Append(ctx, large); answers <- err }()
	}
	for i := range writers { // who is told at once is told no
		select {
		case err := <-answers:
			t.Fatalf("intent %d was answered while the disk is stuck: %v", i, err)
		default:
		}
	}
	cancel()
	for range writers {
		if err := <-answers; !errors.Is(err, context.Canceled) {
			t.Errorf("an intent that is not on the disk: %v", err)
		}
	}
	close(stuck)
	mustClose(t, l)
	if _, err := l.Append(t.Context(), intent(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed log: %v", err)
	}
	if err := verifyError(dir); err != nil {
		t.Error(err)
	}
}
