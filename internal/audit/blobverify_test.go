package audit

import (
	"os"
	"strings"
	"testing"

	"moorgate.dev/internal/gate"
)

// naming are records that name a blob each, in every place where one can stand.
func naming(digests ...string) []gate.Record {
	r := intent(1)
	r.Evidence = []gate.Evidence{{ID: "e1", Text: `a text that says "blob":"sha256:0000" is none`, Blob: digests[0]}}
	return []gate.Record{r, {Kind: gate.RecordModel, Model: &gate.Exchange{Asked: digests[1], Answered: digests[2]}}}
}

func TestVerifyReadsTheBlobsThatRecordsName(t *testing.T) {
	begin := func(t *testing.T) (dir string, digests []string) {
		dir = logDir(t)
		l := mustOpen(t, dir, Options{})
		for _, content := range []string{"evidence", "prompt", "answer"} {
			digests = append(digests, mustPut(t, l, content))
		}
		mustAppend(t, l, naming(digests...)...)
		mustClose(t, l)
		report, err := Verify(dir)
		if err != nil || report.Blobs != 3 || strings.Contains(findings(report), "blob") {
			t.Fatalf("%+v, %v", report, err)
		}
		return dir, digests
	}
	for i, sequence := range []uint64{1, 2, 2} {
		dir, digests := begin(t)
		if err := os.Remove(path(t, dir, digests[i])); err != nil {
			t.Fatal(err)
		}
		report, err := Verify(dir)
		if err != nil || !strings.Contains(findings(report), digests[i]) {
			t.Errorf("blob %d is gone: %+v, %v", i, report, err)
		}
		if last := report.Findings[len(report.Findings)-1]; last.Sequence != sequence {
			t.Errorf("record %d is named for the blob of record %d", last.Sequence, sequence)
		}
		dir, digests = begin(t)
		if err := os.WriteFile(path(t, dir, digests[i]), mustPack(t, "forged"), 0o600); err != nil {
			t.Fatal(err)
		}
		wantError(t, verifyError(dir), "does not match its name", "blobs/")
	}
}
