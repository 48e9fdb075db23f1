package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/gate"
)

// judgeSide is what takes batches: it fails while it is told to.
type judgeSide struct {
	mu    sync.Mutex
	took  []gate.Record
	fail  error
	taken int // of a batch that fails
}

func (j *judgeSide) send(_ context.Context, batch []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	records, err := decodeBatch(strings.NewReader(string(batch)))
	if err != nil {
		return 0, errors.Join(errRefused, err)
	}
	if j.fail != nil {
		j.took = append(j.took, records[:j.taken]...)
		return j.taken, j.fail
	}
	j.took = append(j.took, records...)
	return 0, nil
}

func (j *judgeSide) set(fail error, taken int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fail, j.taken = fail, taken
}

func (j *judgeSide) names() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var names []string
	for _, r := range j.took {
		names = append(names, r.Correlation)
	}
	return strings.Join(names, " ")
}

func admission(name string) gate.Record {
	return gate.Record{Kind: gate.RecordVerdict, Correlation: name, Signal: &gate.Signal{Face: gate.FaceWebhook, Reason: "Rollout"}}
}

// handing runs a handoff in a bubble of time.
func handing(t *testing.T, judge *judgeSide, story func(h *handoff)) error {
	t.Helper()
	h := newHandoff(judge.send, doorForTests(t), time.Now, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- h.run(ctx) }()
	story(h)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	return h.close()
}

func put(t *testing.T, h *handoff, names ...string) error {
	t.Helper()
	var errs []error
	for _, name := range names {
		_, err := h.Append(t.Context(), admission(name))
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func TestHandoffHandsOverInOrderAndInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		judge := &judgeSide{}
		err := handing(t, judge, func(h *handoff) {
			if err := put(t, h, "a", "b"); err != nil {
				t.Error(err)
			}
			time.Sleep(2 * handoffEvery)
			if got := judge.names(); got != "a b" {
				t.Errorf("the judge has %q", got)
			}
			if err := put(t, h, "c"); err != nil {
				t.Error(err)
			}
		})
		if got := judge.names(); err != nil || got != "a b c" {
			t.Errorf("at the end the judge has %q (%v): what waits is handed over before the end", got, err)
		}
	})
}

// L08 in front of the gate: a record that will not be taken is said while the answer is given, and what waits is kept.
func TestL08AHandoffThatNobodyTakesSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		judge := &judgeSide{fail: errors.New("connection refused")}
		err := handing(t, judge, func(h *handoff) {
			if err := put(t, h, "a"); err != nil {
				t.Errorf("at first it is merely on its way: %v", err)
			}
			time.Sleep(handoffLate + time.Second)
			if err := put(t, h, "b"); err == nil || !strings.Contains(err.Error(), "connection refused") {
				t.Errorf("got %v, want that nobody takes it and why", err)
			}
			if h.state(t.Context()) == nil {
				t.Error("the replica says that it is ready")
			}
			judge.set(nil, 0)
			time.Sleep(2 * handoffEvery)
			if err := put(t, h, "c"); err != nil {
				t.Errorf("once the judge is back: %v", err)
			}
		})
		if got := judge.names(); err != nil || got != "a c" {
			t.Errorf("the judge has %q (%v)", got, err)
		}
	})
}

func TestHandoffGoesOnWhereABatchWasTakenInPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		judge := &judgeSide{fail: errors.New("no space left on device"), taken: 1}
		err := handing(t, judge, func(h *handoff) {
			if err := put(t, h, "a", "b", "c"); err != nil {
				t.Error(err)
			}
			time.Sleep(handoffEvery + time.Millisecond)
			judge.set(nil, 0)
			time.Sleep(2 * handoffEvery)
		})
		if got := judge.names(); err != nil || got != "a b c" {
			t.Errorf("the judge has %q (%v)", got, err)
		}
	})
}

func TestARecordThatIsRefusedHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		judge := &judgeSide{}
		err := handing(t, judge, func(h *handoff) {
			bad := admission("bad")
			bad.Signal.Face = gate.FaceDrift
			if _, err := h.Append(t.Context(), bad); err != nil {
				t.Error(err)
			}
			if err := put(t, h, "a", "b"); err != nil {
				t.Error(err)
			}
			time.Sleep(5 * handoffEvery)
		})
		if got := judge.names(); err != nil || got != "a b" {
			t.Errorf("the judge has %q (%v)", got, err)
		}
	})
}

// Whoever names a namespace's labels must not be able to keep its records out of the judge's log.
func TestWhatTheHandoffSendsIsTaken(t *testing.T) {
	hostile := admission("shop/webhook-web-1")
	hostile.Facts = &gate.Facts{Namespace: gate.Known(map[string]string{"App": "1", "app": "2", "<b>": "&"}), Paused: gate.Known([]string(nil)),
		Unread: []string{"broken \xff text", `a literal \ufffd`, "<script>"}}
	judge := &judgeSide{}
	h := newHandoff(judge.send, doorForTests(t), time.Now, slog.New(slog.DiscardHandler))
	if _, err := h.Append(t.Context(), hostile); err != nil {
		t.Fatal(err)
	}
	h.flush(t.Context())
	if err := h.close(); err != nil || len(judge.took) != 1 {
		t.Fatalf("%d records were taken, %v; %v", len(judge.took), err, h.cause)
	}
	if set, known := judge.took[0].Facts.Namespace.Get(); !known || set["App"] != "1" || set["app"] != "2" {
		t.Errorf("the labels came as %v", set)
	}
	hostile.Text = strings.Repeat("x", audit.MaxLine)
	if _, err := h.Append(t.Context(), hostile); err == nil {
		t.Error("a record that no log takes was taken, and would hold up all others")
	}
}

func TestHandoffIsBoundedAndTakesNoIntents(t *testing.T) {
	judge := &judgeSide{fail: errors.New("away")}
	h := newHandoff(judge.send, doorForTests(t), time.Now, slog.New(slog.DiscardHandler))
	if _, err := h.Append(t.Context(), gate.Record{Kind: gate.RecordIntent}); err == nil {
		t.Error("an intent was taken into memory")
	}
	for i := range handoffHolds {
		if err := put(t, h, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(t, h, "one too many"); err == nil {
		t.Error("more than the bound is held")
	}
	if err := h.close(); err == nil || !strings.Contains(err.Error(), "4096 records") {
		t.Errorf("at the end it says %v", err)
	}
}

func TestPostRecords(t *testing.T) {
	status, taken := http.StatusNoContent, ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != recordsPath || r.Header.Get("Authorization") != "Bearer tok" {
			t.Errorf("asked %s %s with %q", r.Method, r.URL, r.Header.Get("Authorization"))
		}
		w.Header().Set("Moorgate-Taken", taken)
		w.WriteHeader(status)
	}))
	defer s.Close()
	send := postRecords(s.URL, func(context.Context) (*http.Client, error) { return s.Client(), nil }, func() (string, error) { return "tok", nil })
	for _, tt := range []struct {
		status  int
		taken   string
		n       int
		fails   bool
		refused bool
	}{{http.StatusNoContent, "", 0, false, false}, {http.StatusServiceUnavailable, "2", 2, true, false}, {http.StatusBadRequest, "", 0, true, true},
		{http.StatusForbidden, "", 0, true, false}} {
		status, taken = tt.status, tt.taken
		n, err := send(t.Context(), []byte("{}\n"))
		if n != tt.n || (err != nil) != tt.fails || errors.Is(err, errRefused) != tt.refused {
			t.Errorf("%d: taken %d, error %v", tt.status, n, err)
		}
	}
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add([]byte(`{"kind":"verdict","at":"2026-11-26T00:00:00Z","signal":{"face":"webhook","reason":"Rollout","subject":{"kind":"Deployment","name":"web"},"key":"k","at":"2026-11-26T00:00:00Z"}}` + "\n"))
	f.Add([]byte("{}\n{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		records, err := decodeBatch(strings.NewReader(string(b)))
		for _, r := range records {
			if r.Kind != gate.RecordVerdict || r.Signal.Face != gate.FaceWebhook {
				t.Fatalf("took %+v", r)
			}
		}
		if len(records) > handedRecords || err != nil && records != nil {
			t.Fatalf("%d records, %v", len(records), err)
		}
	})
}
