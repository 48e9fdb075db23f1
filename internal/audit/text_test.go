package audit

import (
	"strings"
	"testing"
	"unicode"

	"moorgate.dev/internal/gate"
)

func TestLine(t *testing.T) {
	signal := &gate.Signal{Face: gate.FaceWebhook, Subject: subject}
	denied := gate.Verdict{Reasons: []gate.Reason{
		{Rule: "mode", Decision: gate.Hold, Text: "mode Observe"}, {Rule: "score", Decision: gate.Deny, Text: "score 41 is below 60"}}}
	evil := gate.Record{Kind: "note", Text: "a\x1b[31mb\u202e\r\nc\x00\u009b\xffd", Signal: &gate.Signal{Face: "\x1bc", Subject: gate.Ref{Kind: "K", Name: "\a"}}}
	nothing := gate.OutcomeNothing
	failed := outcome(1)
	failed.Outcome, failed.Text = &nothing, "already gone"
	short := strings.TrimPrefix(intent(1).Digest, "sha256:")[:12]
	for name, c := range map[string]struct {
		record gate.Record
		want   string
	}{
		"a verdict tells decision, score and the reason that decided": {
			gate.Record{Kind: "verdict", Signal: signal, Assessment: &gate.Assessment{Score: gate.Known(41)}, Verdict: &denied},
			"webhook    Deployment/web in shop  verdict Deny, score 41: score 41 is below 60 (rule score), and 1 more"},
		"a verdict without an opinion has no score": {
			gate.Record{Kind: "verdict", Signal: signal, Assessment: &gate.Assessment{}, Verdict: &gate.Verdict{Decision: gate.Allow}},
			"webhook    Deployment/web in shop  verdict Allow, no score"},
		"an intent tells verb, target and plan": {intent(1), "remediate  Deployment/web in shop  intent to evict Deployment/web in shop, plan " + short},
		"an outcome tells what came of it":      {failed, "remediate  Deployment/web in shop  outcome nothing of evict Deployment/web in shop, plan " + short + ": already gone"},
		"a note tells its text":                 {gate.Record{Kind: "note", Text: "started"}, "-          -  note: started"},
		"an empty record is still a line":       {gate.Record{}, "-          -  "},
		"nothing that a terminal obeys is left": {evil, "c          K/  note: a [31mb  c  d"},
		"a long text is cut":                    {gate.Record{Kind: "note", Text: strings.Repeat("ü", 1000)}, "-          -  note: " + strings.Repeat("ü", (textBytes-3)/2) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			c.record.At = noon()
			got := Line(Entry{Position: gate.Position{Sequence: 7}, Record: c.record})
			if want := "     7  2026-11-23T12:00:00Z  " + c.want; got != want {
				t.Errorf("got\n%q, want\n%q", got, want)
			}
		})
	}
}

func FuzzLineIsOnePrintableLine(f *testing.F) {
	f.Add("x\x1b[2J", "y\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		v := gate.Verdict{Reasons: []gate.Reason{{Rule: a, Text: b}}}
		for _, kind := range []gate.RecordKind{"verdict", gate.RecordKind(a)} {
			s := Line(Entry{Record: gate.Record{Kind: kind, Text: b, Verdict: &v, Signal: &gate.Signal{Face: gate.Face(b), Subject: gate.Ref{Name: a}}}})
			if i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("%q holds %q", s, s[i:])
			}
		}
	})
}
