package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"moorgate.dev/internal/audit"
)

const tailPoll = 300 * time.Millisecond

func newAudit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Reads and checks the audit log",
		Long:  "Every verdict, intent and outcome is one record in the audit log of the process that made it. These commands read the\nlog's folder; they need no cluster and no running Moorgate.",
	}
	var dir string
	cmd.PersistentFlags().StringVar(&dir, "dir", defaultAuditDir, "folder of the audit log")
	cmd.AddCommand(newAuditTail(&dir), newAuditVerify(&dir))
	return cmd
}

func newAuditTail(dir *string) *cobra.Command {
	var follow bool
	var last int
	var output string
	cmd := &cobra.Command{
		Use:     "tail",
		Short:   "Prints the newest records, a line each",
		Example: "  moorgate audit tail -n 50\n  moorgate audit tail -f\n  moorgate audit tail -o json | jq 'select(.record.kind == \"intent\")'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("output", output, "text", "json"); err != nil {
				return err
			}
			head, err := audit.Head(*dir)
			if err != nil {
				return fmt.Errorf("read the audit log in %s: %w", *dir, err)
			}
			from := uint64(1)
			if n := uint64(max(last, 0)); head.Position.Sequence > n {
				from = head.Position.Sequence - n + 1
			}
			entries := until(audit.Read(*dir), from)
			if follow {
				entries = audit.Follow(cmd.Context(), *dir, from, tailPoll)
			}
			return printEntries(cmd.OutOrStdout(), entries, output)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "wait for more records, until ctrl-C")
	cmd.Flags().IntVarP(&last, "last", "n", 20, "how many records to begin with")
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

// until leaves out the entries before the sequence number from.
func until(entries iter.Seq2[audit.Entry, error], from uint64) iter.Seq2[audit.Entry, error] {
	return func(yield func(audit.Entry, error) bool) {
		for e, err := range entries {
			if (err != nil || e.Position.Sequence >= from) && !yield(e, err) {
				return
			}
		}
	}
}

func printEntries(w io.Writer, entries iter.Seq2[audit.Entry, error], output string) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for e, err := range entries {
		if err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		if output == "json" {
			err = encoder.Encode(e)
		} else {
			_, err = fmt.Fprintln(w, audit.Line(e))
		}
		if err != nil {
			return fmt.Errorf("print a record: %w", err)
		}
	}
	return nil
}

func newAuditVerify(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Checks the log's chain of hashes and names the first bad record",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := audit.Verify(*dir)
			var damage *audit.Damage
			if errors.As(err, &damage) {
				_, _ = fmt.Fprintln(cmd.OutOrStdout(), "DAMAGED:", damage)
				return exit(exitDenied)
			}
			if err != nil {
				return fmt.Errorf("verify the audit log in %s: %w", *dir, err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "ok: log %s, %d records, head %s\n", report.Log, report.Records, report.Head)
			return err
		},
	}
}

func oneOf(flag, value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return fmt.Errorf("--%s %q is not one of %v", flag, value, allowed)
}
