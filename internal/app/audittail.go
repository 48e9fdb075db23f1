package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/gate"
)

const tailPoll = 300 * time.Millisecond

// tailOptions are what audit tail is told.
type tailOptions struct {
	logs   *logFlags
	filter filter
	follow bool
	last   int
	output string
}

func newAuditTail(logs *logFlags) *cobra.Command {
	o := tailOptions{logs: logs}
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Prints the newest records, a line each",
		Long: `Prints the newest records of the logs, a line each, in the order of their times: sequence, time, face, subject, and what
happened. With --follow it goes on with what is written, until ctrl-C. moorgate audit why tells a Case's whole story.`,
		Example: `  moorgate audit tail -n 50
  moorgate audit tail -f --kind intent --kind outcome
  moorgate audit tail --dir judge/audit --dir act/audit --case shop/remediate-web-1a2b3c4d5e6f
  moorgate audit tail -o json | jq 'select(.record.kind == "intent")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("output", o.output, "text", "json"); err != nil {
				return err
			}
			if err := o.filter.check(); err != nil {
				return err
			}
			return o.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&o.follow, "follow", "f", false, "wait for more records, until ctrl-C")
	f.IntVarP(&o.last, "last", "n", 20, "how many records to begin with")
	f.StringVar(&o.filter.of, "case", "", "only records of this Case: NAMESPACE/NAME, or NAME")
	f.StringArrayVar(&o.filter.kinds, "kind", nil, "only records of this kind (repeatable): verdict, model, approval, intent, outcome, …")
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	return cmd
}

func (o tailOptions) run(ctx context.Context, w io.Writer) error {
	say := o.printer(w)
	dirs, n := o.logs.folders(), uint64(max(o.last, 0))
	if o.follow {
		if err := o.logs.onlyFolders("what is written is followed in the log's folder"); err != nil {
			return err
		}
	}
	logs, err := o.logs.served(ctx)
	if err != nil {
		return err
	}
	heads := make([]uint64, len(dirs))
	for i, dir := range dirs {
		head, err := audit.Head(dir)
		if err != nil {
			return fmt.Errorf("read the audit log in %s: %w", dir, err)
		}
		heads[i] = head.Position.Sequence
		from := uint64(1)
		if o.filter.none() && heads[i] > n {
			from = heads[i] - n + 1
		}
		logs = append(logs, named(dir, upTo(audit.ReadFrom(dir, from), heads[i])))
	}
	last, err := newest(ctx, merge(logs), o.filter, int(n))
	if err != nil {
		return err
	}
	for _, e := range last {
		if err := say(e); err != nil {
			return err
		}
	}
	if !o.follow {
		return ctx.Err()
	}
	return o.followAll(ctx, heads, say)
}

// newest are the last n entries that the filter wants.
func newest(ctx context.Context, of entries, f filter, n int) ([]audit.Entry, error) {
	var last []audit.Entry
	for e, err := range of {
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !f.wants(e) {
			continue
		}
		if last = append(last, e); len(last) > 2*n+64 {
			last = append(last[:0], last[len(last)-n:]...)
		}
	}
	return last[max(0, len(last)-n):], nil
}

// upTo leaves out what was written after the record with that sequence.
func upTo(of entries, last uint64) entries {
	return func(yield func(audit.Entry, error) bool) {
		for e, err := range of {
			if err == nil && e.Position.Sequence > last || !yield(e, err) {
				return
			}
		}
	}
}

// followAll prints what is written to each log from now on, as it comes, until ctx ends or a log cannot be read.
func (o tailOptions) followAll(ctx context.Context, heads []uint64, say func(audit.Entry) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var one sync.Mutex
	var all sync.WaitGroup
	for i, dir := range o.logs.folders() {
		all.Go(func() {
			for e, err := range named(dir, audit.Follow(ctx, dir, heads[i]+1, tailPoll)) {
				if err == nil && o.filter.wants(e) {
					one.Lock()
					err = say(e)
					one.Unlock()
				}
				if err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	all.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// printer prints an entry the way that was asked for.
func (o tailOptions) printer(w io.Writer) func(audit.Entry) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	paint, several := painter(w), o.logs.several()
	return func(e audit.Entry) error {
		var err error
		if o.output == "json" {
			err = encoder.Encode(e)
		} else {
			line := audit.Line(e)
			if several {
				line = fmt.Sprintf("%-24.24s ", shown(e.Position.Log)) + line
			}
			if colour := colourOf(e.Record); colour != "" {
				line = paint(colour, line)
			}
			_, err = fmt.Fprintln(w, line)
		}
		if err != nil {
			return fmt.Errorf("print a record: %w", err)
		}
		return nil
	}
}

// colourOf is what a record is painted with on a terminal: what was done stands out, and what nobody knows or refused most.
func colourOf(r gate.Record) string {
	switch {
	case r.Kind == gate.RecordOutcome && r.Outcome != nil && *r.Outcome == gate.OutcomeUnknown, r.Result == gate.ResultWorsened:
		return "35"
	case r.Kind == gate.RecordIntent, r.Kind == gate.RecordOutcome:
		return "1"
	case r.Kind == gate.RecordVerdict && r.Verdict != nil && r.Verdict.Decision == gate.Deny:
		return "31"
	case r.Kind == gate.RecordVerdict && r.Verdict != nil && r.Verdict.Decision == gate.Hold:
		return "33"
	case r.Kind == gate.RecordApproval, r.Kind == gate.RecordVerification:
		return "36"
	}
	return ""
}
