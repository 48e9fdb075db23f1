package app

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/gate"
)

func TestRecordsArePrintedToStandardOutputToo(t *testing.T) {
	var out bytes.Buffer
	dir := filepath.Join(t.TempDir(), "audit")
	o := options{auditDir: dir, auditMode: "strict", auditStdout: true}
	log, err := openRecorder(t.Context(), o, "judge", &out, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), gate.Record{Kind: gate.RecordNote, Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	if err := log.close(); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, `"text":"hello"`) || strings.Count(got, "\n") != 1 {
		t.Errorf("printed %q", got)
	}
}

// stuck is an output that takes nothing.
type stuck struct{}

func (stuck) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestAnOutputThatTakesNothingHoldsNothingUp(t *testing.T) {
	var said bytes.Buffer
	o := options{auditDir: filepath.Join(t.TempDir(), "audit"), auditMode: "batch", auditStdout: true}
	log, err := openRecorder(t.Context(), o, "judge", stuck{}, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), gate.Record{Kind: gate.RecordIntent, Text: "hello"}); err != nil {
		t.Errorf("the record is not written: %v", err)
	}
	if err := log.close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said.String(), "could not be printed") {
		t.Errorf("nobody is told: %q", said.String())
	}
}

func TestCheckpointsAreSignedWithTheKeyThatIsGiven(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key := write(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	dir := filepath.Join(t.TempDir(), "audit")
	log, err := openRecorder(t.Context(), options{auditDir: dir, auditMode: "strict", auditKey: key}, "judge", nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), gate.Record{Kind: gate.RecordNote, Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	if err := log.close(); err != nil {
		t.Fatal(err)
	}
	keys, err := audit.VerifierKeys(dir)
	if err != nil || len(keys) != 1 {
		t.Fatalf("keys %v, error %v", keys, err)
	}
	signed, err := audit.ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := audit.ParseCheckpoint(signed, keys...); err != nil || c.Size != 1 {
		t.Errorf("checkpoint %+v, error %v (public key of %d bytes)", c, err, len(public))
	}
	if _, err := openRecorder(t.Context(), options{auditDir: dir, auditMode: "strict", auditKey: write(t, "no.pem", "hello")}, "judge", nil, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a key that is none was taken")
	}
}
