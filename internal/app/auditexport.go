package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"moorgate.dev/internal/audit"
)

// exportOptions are what audit export is told.
type exportOptions struct {
	logs     *logFlags
	fineTune bool
	since    string
	file     string
	filter   filter
}

func newAuditExport(logs *logFlags) *cobra.Command {
	o := exportOptions{logs: logs}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Writes the records as JSON lines, or what a model may learn from",
		Long: `Writes the records of the logs, joined in the order of their times.

Without --fine-tune: every record with its position and hash, a line each, as audit tail -o json prints them.

--fine-tune: {"messages": [system, user, assistant]}, a line each, as fine-tuning of chat models takes it. Where models were asked, the
question is the one that was sent, and the answer what one of them said; elsewhere the question is told from the evidence, and the
answer is what code chose. The weight of the assistant's message is 1 where what it chose was done and the workload was verified to
have healed, and 0, which is for context alone, where it was verified not to have, or people rejected it. An answer that chose
something else than what was done, or for another cause, is left out: nobody knows what it would have come to. So are answers about
rollouts. What was masked in the log stays masked, and every text passes the same door once more. Cases come in the order of their
first records, so that the same logs make the same lines; how many were left out, and why, is said on standard error.

Exit codes: 0 it is written; 3 it could not be, or some record could not be trusted and is left out.`,
		Example: `  moorgate audit export --since 7d -o week.jsonl
  moorgate audit export --dir judge/audit --dir act/audit --fine-tune -o examples.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.filter.check(); err != nil {
				return err
			}
			return o.run(cmd)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.fineTune, "fine-tune", false, "write examples to learn from, of Cases of which it is known how they ended")
	f.StringVar(&o.since, "since", "", "only what was recorded since then: 7d, 36h, 2026-11-20, 2026-11-20T08:00:00Z")
	f.StringVarP(&o.file, "output", "o", "", "file to write, which must not exist yet (default: standard output)")
	f.StringVar(&o.filter.of, "case", "", "only records of this Case: NAMESPACE/NAME, or NAME")
	f.StringArrayVar(&o.filter.kinds, "kind", nil, "only records of this kind (repeatable; not with --fine-tune)")
	return cmd
}

func (o exportOptions) run(cmd *cobra.Command) (err error) {
	since, err := parseSince(o.since, time.Now())
	if err != nil {
		return err
	}
	if o.fineTune && len(o.filter.kinds) > 0 {
		return errors.New("--kind does not go with --fine-tune: an example takes records of several kinds")
	}
	if o.fineTune {
		if err := o.logs.onlyFolders("what was asked and answered is kept beside a log, and a server hands on the records alone"); err != nil {
			return err
		}
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
	s := &sieve{filter: o.filter, since: since}
	if o.fineTune {
		err = o.examples(cmd, w, s.of(cmd.Context(), from))
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

func (o exportOptions) examples(cmd *cobra.Command, w io.Writer, from entries) error {
	blob := func(digest string) (content []byte, err error) {
		err = audit.ErrNoBlob
		for _, dir := range o.logs.folders() {
			if content, err = audit.Blob(dir, digest); err == nil {
				return content, nil
			}
		}
		return nil, err
	}
	door, err := openDoor("") // a key for this once: what it masks was missed before, and is to be like nothing
	if err != nil {
		return err
	}
	t, err := audit.ExportTuning(w, from, blob, door.Text)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(cmd.ErrOrStderr(), leftOut(t))
	return err
}

// sieve lets through the entries that are wanted.
type sieve struct {
	filter  filter
	since   time.Time
	damaged int
	damage  error // the first
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
			if !yield(e, nil) {
				return
			}
		}
	}
}

// leftOut says how many Cases make no example, and why.
func leftOut(t audit.Tuned) string {
	said := fmt.Sprintf("%s of %s written\n", count(t.Examples, "example"), count(t.Cases, "Case"))
	for _, why := range slices.Sorted(maps.Keys(t.Left)) {
		said += fmt.Sprintf("%6d left out: %s\n", t.Left[why], why)
	}
	return said
}
