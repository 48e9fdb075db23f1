package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/gate"
)

// exportOptions are what audit export is told.
type exportOptions struct {
	logs   *logFlags
	format string
	since  string
	file   string
	filter filter
}

func newAuditExport(logs *logFlags) *cobra.Command {
	o := exportOptions{logs: logs}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Writes the records as JSON lines, or what a model may learn from",
		Long: `Writes the records of the logs, joined in the order of their times.

jsonl: every record with its position and hash, a line each, as audit tail -o json prints them.
chat:  {"messages": [system, user, assistant]}, a line each, as fine-tuning of chat models takes it: the evidence as it was, and
       the answer that proved right. Only Cases count in which the action that was chosen was done and the workload was
       verified to have healed; how many others were left out, and why, is said on standard error.

Exit codes: 0 it is written; 3 it could not be, or some record could not be trusted and is left out.`,
		Example: `  moorgate audit export --since 7d -o week.jsonl
  moorgate audit export --dir judge/audit --dir act/audit --format chat -o pairs.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", o.format, "jsonl", "chat"); err != nil {
				return err
			}
			if err := o.filter.check(); err != nil {
				return err
			}
			return o.run(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "jsonl", "jsonl or chat")
	f.StringVar(&o.since, "since", "", "only what was recorded since then: 7d, 36h, 2026-11-20, 2026-11-20T08:00:00Z")
	f.StringVarP(&o.file, "output", "o", "", "file to write, which must not exist yet (default: standard output)")
	f.StringVar(&o.filter.of, "case", "", "only records of this Case: NAMESPACE/NAME, or NAME")
	f.StringArrayVar(&o.filter.kinds, "kind", nil, "with jsonl: only records of this kind (repeatable)")
	return cmd
}

func (o exportOptions) run(cmd *cobra.Command) (err error) {
	since, err := parseSince(o.since, time.Now())
	if err != nil {
		return err
	}
	if o.format == "chat" && len(o.filter.kinds) > 0 {
		return errors.New("--kind goes with --format jsonl: a pair takes records of several kinds")
	}
	from, err := o.logs.entries(cmd.Context())
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	if o.file != "" {
		f, openErr := os.OpenFile(o.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // what is in a log may be confidential
		if openErr != nil {
			return fmt.Errorf("write the export: %w", openErr)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		w = f
	}
	s := &sieve{filter: o.filter, since: since, cases: map[string]*ended{}}
	if o.format == "chat" {
		err = o.pairs(cmd, w, s, s.of(cmd.Context(), from))
	} else {
		err = audit.ExportLines(w, s.of(cmd.Context(), from))
	}
	if err != nil {
		return fmt.Errorf("export the audit log: %w", err)
	}
	if s.damaged > 0 {
		return fmt.Errorf("left out %s that cannot be trusted; the first: %w. moorgate audit verify checks the log", count(s.damaged, "record"), s.damage)
	}
	return nil
}

func (o exportOptions) pairs(cmd *cobra.Command, w io.Writer, s *sieve, from entries) error {
	blob := func(digest string) (content []byte, err error) {
		err = audit.ErrNoBlob
		for _, dir := range o.logs.folders() {
			if content, err = audit.Blob(dir, digest); err == nil {
				return content, nil
			}
		}
		return nil, err
	}
	n, err := audit.ExportPairs(w, from, blob)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(cmd.ErrOrStderr(), s.leftOut(n))
	return err
}

// sieve lets through the entries that are wanted, and notes how each Case ended.
type sieve struct {
	filter  filter
	since   time.Time
	cases   map[string]*ended
	damaged int
	damage  error // the first
}

// ended is how far a Case came.
type ended struct {
	done   bool
	result gate.Result
}

func (s *sieve) of(ctx context.Context, all entries) entries {
	return func(yield func(audit.Entry, error) bool) {
		for e, err := range all {
			switch {
			case ctx.Err() != nil:
				yield(audit.Entry{}, errors.New("interrupted: what was written so far is not all"))
				return
			case final(err):
				yield(e, err)
				return
			case err != nil:
				if s.damaged++; s.damage == nil {
					s.damage = err
				}
				continue
			case e.Record.At.Before(s.since) || !s.filter.wants(e):
				continue
			}
			s.note(e.Record)
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (s *sieve) note(r gate.Record) {
	if r.Correlation == "" || r.Signal == nil && s.cases[r.Correlation] == nil {
		return
	}
	if r.Signal != nil && r.Signal.Face != gate.FaceRemediate {
		return
	}
	c := s.cases[r.Correlation]
	if c == nil {
		c = &ended{}
		s.cases[r.Correlation] = c
	}
	switch {
	case r.Kind == gate.RecordOutcome && r.Outcome != nil && *r.Outcome == gate.OutcomeDone:
		c.done, c.result = true, gate.ResultPending
	case r.Kind == gate.RecordVerification:
		c.result = r.Result
	}
}

// leftOut says how many Cases of remediation make no pair, and why.
func (s *sieve) leftOut(pairs int) string {
	idle, open, unhelped, healed := 0, 0, 0, 0
	for _, c := range s.cases {
		switch {
		case !c.done:
			idle++
		case c.result == gate.ResultPending:
			open++
		case c.result == gate.ResultHealed:
			healed++
		default:
			unhelped++
		}
	}
	said := fmt.Sprintf("%s written, %s of remediation left out\n", count(pairs, "pair"), count(max(0, len(s.cases)-pairs), "case"))
	for _, x := range []struct {
		n   int
		why string
	}{{idle, "nothing was done"}, {open, "nobody verified yet how the workload fared"}, {unhelped, "it did not heal"},
		{healed - pairs, "it healed, but not known by which chosen answer"}} {
		if x.n > 0 {
			said += fmt.Sprintf("%6d  %s\n", x.n, x.why)
		}
	}
	return said
}
