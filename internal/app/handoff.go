package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

const (
	handoffHolds = 4096             // records that may wait
	handoffBytes = 16 << 20         // and their bytes
	handoffLate  = 30 * time.Second // without a batch being taken: no more is promised
	handoffEvery = time.Second
	handoffTime  = 10 * time.Second // for one batch
)

// errRefused says that the judge read a batch and will never take it.
var errRefused = errors.New("refused")

// handoff is a log that hands its records to the judge's, in batches and outside of the request that they are about. It keeps
// them in memory until they are taken. Append answers at once: without an error the record is on its way; where the judge has
// taken nothing for a while, or too many wait, it is an error, and the answer at the gate says that it is unrecorded. It takes
// verdicts and notes: an intent must be on stable storage before anything is done, and memory is none.
type handoff struct {
	send   func(ctx context.Context, batch []byte) (taken int, err error)
	door   *redact.Door
	now    func() time.Time
	logger *slog.Logger

	mu      sync.Mutex
	waiting [][]byte // JSON lines
	bytes   int
	since   time.Time // since when records wait that nobody takes; zero: none do
	cause   error     // why
	alone   bool      // a batch was refused: the next goes one by one
	wake    chan struct{}
}

func newHandoff(send func(context.Context, []byte) (int, error), door *redact.Door, now func() time.Time, logger *slog.Logger) *handoff {
	return &handoff{send: send, door: door, now: now, logger: logger, wake: make(chan struct{}, 1)}
}

// Append puts a record on its way. The Position is nowhere: the judge's log gives one, later.
func (h *handoff) Append(_ context.Context, r gate.Record) (gate.Position, error) {
	if r.Kind == gate.RecordNote {
		return gate.Position{}, nil // starts and stops of replicas are in their own log output
	}
	if r.Kind != gate.RecordVerdict {
		return gate.Position{}, fmt.Errorf("hand over a record of kind %s: only verdicts may be held in memory", r.Kind)
	}
	r = h.door.Record(r)
	r.At = h.now().UTC()
	line, err := encodeRecord(r)
	if err != nil {
		return gate.Position{}, fmt.Errorf("encode a record to hand it over: %w", err)
	}
	if len(line) > audit.MaxLine {
		return gate.Position{}, fmt.Errorf("hand over a record of %d bytes: no log takes more than %d", len(line), audit.MaxLine)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.late(); err != nil {
		return gate.Position{}, err
	}
	if len(h.waiting) >= handoffHolds || h.bytes+len(line) > handoffBytes {
		return gate.Position{}, fmt.Errorf("%d records wait to be taken by the judge, and more are not held: %w", len(h.waiting), orUnknown(h.cause))
	}
	if h.since.IsZero() {
		h.since = h.now()
	}
	h.waiting, h.bytes = append(h.waiting, line), h.bytes+len(line)
	if len(h.waiting) >= handedRecords {
		select {
		case h.wake <- struct{}{}:
		default:
		}
	}
	return gate.Position{}, nil
}

// encodeRecord writes a record as a JSON line, the one way: what is read from it and written again is the same. Text that is no
// UTF-8 is replaced, and written as what it was replaced by.
func encodeRecord(r gate.Record) ([]byte, error) {
	line, err := json.Marshal(r)
	if err != nil || !bytes.Contains(line, []byte(`\ufffd`)) {
		return append(line, '\n'), err
	}
	var clean gate.Record
	if err := json.Unmarshal(line, &clean); err != nil {
		return nil, err
	}
	line, err = json.Marshal(clean)
	return append(line, '\n'), err
}

// late says that the judge has taken nothing for too long. The lock is held.
func (h *handoff) late() error {
	if h.since.IsZero() || h.now().Sub(h.since) < handoffLate {
		return nil
	}
	return fmt.Errorf("the judge has taken no record for %s: %w", h.now().Sub(h.since).Truncate(time.Second), orUnknown(h.cause))
}

func orUnknown(err error) error {
	if err == nil {
		return errors.New("it has not answered yet")
	}
	return err
}

// state says why records cannot be handed over, if that is so.
func (h *handoff) state(context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.late()
}

// run hands over until ctx ends, and then once more what still waits.
func (h *handoff) run(ctx context.Context) error {
	ticker := time.NewTicker(handoffEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), handoffTime)
			defer cancel()
			for h.flush(last) {
			}
			return nil
		case <-h.wake:
		case <-ticker.C:
		}
		for h.flush(ctx) {
		}
	}
}

// flush hands over one batch. It reports whether there is more to hand over at once.
func (h *handoff) flush(ctx context.Context) bool {
	batch, n := h.batch()
	if n == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, handoffTime)
	defer cancel()
	taken, err := h.send(ctx, batch)
	if err == nil {
		taken = n
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	refused := errors.Is(err, errRefused)
	if h.alone = refused && n > 1; refused && n == 1 {
		// It would be refused for ever, and hold up all that come after it.
		h.logger.ErrorContext(ctx, "the judge refuses a record of the gate, which stands only here", "error", err, "record", string(bytes.TrimSpace(batch)))
		taken = 1
	}
	h.drop(min(max(taken, 0), n))
	if err != nil && (h.cause == nil || h.cause.Error() != err.Error()) {
		h.logger.WarnContext(ctx, "the judge does not take the records of the gate", "error", err, "waiting", len(h.waiting))
	}
	h.cause = err
	return (err == nil || refused) && len(h.waiting) > 0
}

// batch is what is handed over next: as many records as the judge takes at once, or one by one after it refused a batch.
func (h *handoff) batch() (lines []byte, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	size := 0
	for n < len(h.waiting) && n < handedRecords && size+len(h.waiting[n]) <= handedBytes && (n == 0 || !h.alone) {
		size += len(h.waiting[n])
		n++
	}
	return bytes.Join(h.waiting[:n], nil), n
}

// drop forgets the oldest records. The lock is held.
func (h *handoff) drop(n int) {
	for _, line := range h.waiting[:n] {
		h.bytes -= len(line)
	}
	h.waiting = append([][]byte(nil), h.waiting[n:]...)
	switch {
	case len(h.waiting) == 0:
		h.since = time.Time{}
	case n > 0:
		h.since = h.now()
	}
}

// close says what was not handed over.
func (h *handoff) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.waiting) > 0 {
		return fmt.Errorf("%d records of the gate were not taken by the judge: %w", len(h.waiting), orUnknown(h.cause))
	}
	return nil
}

// postRecords sends batches to a judge's address with a token that is read anew each time, as it is rotated.
func postRecords(url string, client func(ctx context.Context) (*http.Client, error), token func() (string, error)) func(context.Context, []byte) (int, error) {
	return func(ctx context.Context, batch []byte) (int, error) {
		c, err := client(ctx)
		if err != nil {
			return 0, err
		}
		bearer, err := token()
		if err != nil {
			return 0, fmt.Errorf("read the token to hand records over with: %w", err)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+recordsPath, bytes.NewReader(batch))
		if err != nil {
			return 0, fmt.Errorf("hand records over to %s: %w", url, err)
		}
		req.Header.Set("Authorization", "Bearer "+bearer)
		req.Header.Set("Content-Type", "application/jsonl")
		resp, err := c.Do(req)
		if err != nil {
			return 0, fmt.Errorf("hand records over to %s: %w", url, err)
		}
		defer resp.Body.Close() // only read
		if resp.StatusCode == http.StatusNoContent {
			return 0, nil
		}
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
		taken, _ := strconv.Atoi(resp.Header.Get("Moorgate-Taken"))
		err = fmt.Errorf("hand records over to %s: %s: %s", url, resp.Status, gate.OneLine(string(said), 256))
		if resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusRequestEntityTooLarge {
			err = errors.Join(errRefused, err)
		}
		return taken, err
	}
}
