package app

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"moorgate.dev/internal/audit"
)

const findingsShown = 20

// verifiedJSON is one log as -o json prints it.
type verifiedJSON struct {
	Dir       string             `json:"dir"`
	Report    audit.Report       `json:"report"`
	Anchors   []audit.Checkpoint `json:"anchors,omitempty"` // remembered elsewhere, and kept to
	Proved    []string           `json:"proved,omitempty"`
	NotProved []string           `json:"notProved,omitempty"`
	Damage    *audit.Damage      `json:"damage,omitempty"`
	Error     string             `json:"error,omitempty"`
}

func printVerified(w io.Writer, output string, results []verified) error {
	if output == "json" {
		return printVerifiedJSON(w, results)
	}
	p := painter(w)
	var b strings.Builder
	for _, v := range results {
		if v.err != nil {
			continue // that is said on standard error
		}
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		v.write(&b, p)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}

func printVerifiedJSON(w io.Writer, results []verified) error {
	list := make([]verifiedJSON, len(results))
	for i, v := range results {
		list[i] = verifiedJSON{Dir: v.dir, Report: v.report, Anchors: v.anchors, Damage: v.damage}
		switch {
		case v.err != nil:
			list[i].Error = v.err.Error()
		case v.damage == nil:
			list[i].Proved, list[i].NotProved = v.proved(), v.notProved()
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(list); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}

func (v verified) write(b *strings.Builder, p paint) {
	if v.damage != nil {
		fmt.Fprintf(b, "%s %s\n", p("31", "DAMAGED:"), shown(v.damage.Error()))
		if v.damage.Sequence > 0 {
			fmt.Fprintf(b, "  the first bad record is %d. Keep %s as it is, as evidence; nothing after that record can be relied on.\n", v.damage.Sequence, absolute(v.dir))
		}
		return
	}
	r := v.report
	if r.Records == 0 {
		fmt.Fprintf(b, "%s the log in %s is empty\n", p("32", "ok:"), absolute(v.dir))
	} else {
		fmt.Fprintf(b, "%s log %s, %s in %s, head %s\n", p("32", "ok:"), r.Log, count(int(r.Records), "record"), count(r.Segments, "segment"), r.Head)
	}
	for _, s := range v.proved() {
		fmt.Fprintf(b, "  %s  %s\n", p("32", "proved    "), s)
	}
	for _, s := range v.notProved() {
		fmt.Fprintf(b, "  %s  %s\n", p("33", "NOT proved"), s)
	}
	for i, f := range r.Findings {
		if i == findingsShown {
			fmt.Fprintf(b, "  look at     %s more; -o json lists them\n", count(len(r.Findings)-i, "finding"))
			break
		}
		at := ""
		if f.Sequence > 0 {
			at = fmt.Sprintf("record %d: ", f.Sequence)
		}
		fmt.Fprintf(b, "  %s  %s%s\n", p("36", "look at   "), at, shown(f.Text))
	}
}

// proved says in words what holds.
func (v verified) proved() []string {
	r := v.report
	if r.Records == 0 {
		return nil
	}
	said := []string{"every record is as it was written and follows the one before, from the first to the last"}
	if r.Checkpoint.Size > 0 {
		by := "a key that the log itself names"
		if v.keyed {
			by = "the key given"
		}
		said = append(said, fmt.Sprintf("the log's own checkpoint of %s counts %d of them, and is signed by %s", stamp(r.Checkpoint.At), r.Checkpoint.Size, by))
	}
	if len(v.anchors) > 0 {
		c := newestOf(v.anchors)
		said = append(said, fmt.Sprintf("%s kept outside of the log hold; by the newest, of %s, none of the first %d records was changed or taken away since",
			count(len(v.anchors), "checkpoint"), stamp(c.At), c.Size))
	}
	intents := "every outcome has an intent before it"
	if len(r.Open) == 0 {
		intents += ", and every intent an outcome"
	}
	said = append(said, intents)
	if r.Blobs > 0 {
		missing := 0
		for _, f := range r.Findings {
			if strings.Contains(f.Text, audit.ErrNoBlob.Error()) {
				missing++
			}
		}
		said = append(said, fmt.Sprintf("%d of %d blobs are what the records call them", r.Blobs-missing, r.Blobs))
	}
	return said
}

// notProved says in words what may be wrong all the same.
func (v verified) notProved() []string {
	r := v.report
	var said []string
	switch c := newestOf(v.anchors); {
	case v.unasked:
		said = append(said, "the cluster remembers nothing of this log: it may be another's, or the whole of it made up")
		fallthrough
	case len(v.anchors) == 0:
		said = append(said, "that nobody who can write the folder cut off its end or rewrote all of it: nothing kept outside of the log was given (--anchor, --anchors-from-cluster)")
	case c.Size < r.Records:
		said = append(said, fmt.Sprintf("that records were not cut off after %d, or changed: the newest checkpoint kept outside counts no more", c.Size))
	default:
		said = append(said, fmt.Sprintf("that none was written after record %d and cut off since: the newest checkpoint kept outside counts no more", r.Records))
	}
	if !v.keyed && r.Records > 0 {
		said = append(said, "who signed: the keys are those that lie beside the log or the checkpoints (--key)")
	}
	return said
}
