package audit

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestExportLinesReadsBack(t *testing.T) {
	dir := written(t, 5)
	var b bytes.Buffer
	if err := ExportLines(&b, Read(dir)); err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(&b)
	for _, want := range mustRead(t, dir) {
		var got Entry
		if err := d.Decode(&got); err != nil || got.Position != want.Position || got.Hash != want.Hash || got.Record.Text != want.Record.Text {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	flip(t, files(t, dir, ".jsonl")[0], 1)
	if err := ExportLines(&b, Read(dir)); err == nil {
		t.Error("a damaged log was exported without a word")
	}
}
