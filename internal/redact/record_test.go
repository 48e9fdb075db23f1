package redact

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"moorgate.dev/internal/gate"
)

const planted = "password=hunter2trombone"

// texts of a Record that are not for people, and of what digests are made.
var kept = map[string]bool{"Correlation": true, "PolicyDigest": true, "Digest": true, "ActionDigest": true, "Reservation": true, "ID": true, "Verb": true, "Base": true,
	"Path": true, "Old": true, "New": true, "Reason.Rule": true, "Rule": true, "Guardrail": true, "Group": true, "Version": true, "Kind": true, "Namespace": true, "Name": true, "UID": true,
	"Key": true, "Reason": true, "Advisor": true, "Cause": true, "Choice": true, "Blob": true, "Model": true, "Tier": true, "Prompt": true, "Asked": true, "Answered": true,
	"Log": true, "Approver": true, "Plan": true, "Void": true, "UsedBy": true, "Policy": true, "Approvals": true, "Parameters": true, "Symptom": true, "Ledger": true, "History": true,
	"Owner": true, "Method": true, "ContentType": true, "Request": true, "Workload": true, "Subject": true, "Target": true, "Face": true, "Trust": true, "Nature": true, "Result": true, "Evidence.ID": true}

// fill sets every text below v that is for people.
func fill(v reflect.Value, name string, inFinding bool) {
	if kept[name] {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), "", inFinding)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && (f.Name != "Evidence" || v.Type() != reflect.TypeFor[gate.Finding]()) {
				fill(v.Field(i), f.Name, inFinding)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), "", inFinding)
		}
	case reflect.String:
		v.SetString(planted)
	}
}

// TestEveryTextOfARecordPassesTheDoor fills every text of a Record, also one that is new, and finds none of it afterwards.
func TestEveryTextOfARecordPassesTheDoor(t *testing.T) {
	var r gate.Record
	fill(reflect.ValueOf(&r).Elem(), "", false)
	before, _ := json.Marshal(r)
	if n := strings.Count(string(before), "hunter2trombone"); n < 15 {
		t.Fatalf("only %d texts were filled: %s", n, before)
	}
	got, err := json.Marshal(door(t).Record(r))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(got), "hunter2trombone") {
		t.Errorf("%s", got)
	}
	if after, _ := json.Marshal(r); !bytes.Equal(after, before) {
		t.Error("the Record itself was changed")
	}
}

func TestDigestsOfARecordStay(t *testing.T) {
	ref := gate.Ref{Kind: "Deployment", Namespace: "shop", Name: "token-abc"}
	a := gate.Action{ID: "evict", Verb: "evict", Target: ref, Edits: []gate.Edit{{Path: "x", Old: `"a"`, New: `"password=hunter2x"`}}, Text: planted}
	r := gate.Record{Signal: &gate.Signal{Subject: ref, Key: "k", Text: planted}, Facts: &gate.Facts{Menu: []gate.Action{a}}, Action: &a}
	got := door(t).Record(r)
	if got.Action.PlanDigest() != a.PlanDigest() || got.Facts.Menu[0].PlanDigest() != a.PlanDigest() || got.Signal.CaseName() != r.Signal.CaseName() {
		t.Error("a digest has changed")
	}
}

func TestLogLinesPassTheDoor(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(door(t).Handler(slog.NewTextHandler(&out, nil)))
	log = log.With("url", "postgres://a:hunter2trombone@db/x").WithGroup("g")
	log.Error("cannot connect with "+planted, "error", errors.New(planted), "password", "hunter2trombone", slog.Group("h", "b", []byte(planted), "n", 7, "any", struct{ A string }{planted}))
	if strings.Contains(out.String(), "hunter2trombone") || !strings.Contains(out.String(), "cannot connect with") || !strings.Contains(out.String(), "g.h.n=7") {
		t.Errorf("%s", out.String())
	}
	out.Reset()
	log.Info("pod web-7d4b9c6f58-x2x9k is well", "image", "shop/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
	if Masked(out.String()) != 1 { // the url of With
		t.Errorf("%s", out.String())
	}
}
