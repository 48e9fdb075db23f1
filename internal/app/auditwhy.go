package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"moorgate.dev/internal/audit"
)

const (
	namesMax    = 50000 // names of Cases that are remembered to suggest from
	suggestions = 3
)

func newAuditWhy(logs *logFlags) *cobra.Command {
	var namespace, output string
	cmd := &cobra.Command{
		Use:   "why CASE",
		Short: "Tells the whole story of a Case in plain sentences",
		Long: `Tells what was seen, what was offered, what was thought of it, which rule under which Guardrail decided, who approved, what
was set out to be done, and what came of it. CASE is NAME or NAMESPACE/NAME as kubectl get cases -A lists it.

judge and act keep a log each: name both with --dir, or half of the story is missing. Cases expire in the cluster; what
happened stays in the logs.

Exit codes: 0 it is told; 3 the logs know nothing of it, or some record could not be trusted.`,
		Example: `  moorgate audit why shop/remediate-web-1a2b3c4d5e6f
  moorgate audit why remediate-web-1a2b3c4d5e6f -n shop --dir judge/audit --dir act/audit
  moorgate audit why webhook-cart-0f1e2d3c4b5a -o json | jq .record.verdict`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("output", output, "text", "json"); err != nil {
				return err
			}
			name, err := caseNamed(args[0], namespace)
			if err != nil {
				return err
			}
			from, err := logs.entries(cmd.Context())
			if err != nil {
				return err
			}
			s, err := search(cmd.Context(), from, name)
			if err != nil {
				return err
			}
			found, err := s.only(name)
			if err != nil {
				return err
			}
			if err := tell(cmd, found, output); err != nil {
				return err
			}
			return s.damageTold()
		},
	}
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "namespace of the Case (default: whichever has one of that name)")
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json (the records, a line each)")
	return cmd
}

// caseNamed joins what was said about which Case is meant.
func caseNamed(arg, namespace string) (string, error) {
	arg = strings.TrimPrefix(arg, "case/")
	in, _, both := strings.Cut(arg, "/")
	switch {
	case both && namespace != "" && in != namespace:
		return "", fmt.Errorf("%s is in namespace %s, and -n says %s", shown(arg), shown(in), shown(namespace))
	case !both && namespace != "":
		return namespace + "/" + arg, nil
	}
	return arg, nil
}

// found is what a search for a Case came upon.
type found struct {
	entries  map[string][]audit.Entry // by correlation
	names    map[string]bool          // of all Cases that the logs know
	records  int
	from, to time.Time
	damaged  int
	damage   error // the first
}

// search reads the logs once.
func search(ctx context.Context, of entries, name string) (*found, error) {
	s := &found{entries: map[string][]audit.Entry{}, names: map[string]bool{}}
	for e, err := range of {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("interrupted after %s", count(s.records, "record"))
		}
		if final(err) {
			return nil, err
		}
		s.records++
		if err != nil {
			if s.damaged++; s.damage == nil {
				s.damage = err
			}
			continue
		}
		at, correlation := e.Record.At, e.Record.Correlation
		if s.from.IsZero() || at.Before(s.from) {
			s.from = at
		}
		if at.After(s.to) {
			s.to = at
		}
		if correlation != "" && len(s.names) < namesMax {
			s.names[correlation] = true
		}
		if about(correlation, name) {
			s.entries[correlation] = append(s.entries[correlation], e)
		}
	}
	return s, nil
}

// only returns the entries of the one Case of that name, in the order in which its story is told.
func (s *found) only(name string) ([]audit.Entry, error) {
	switch len(s.entries) {
	case 0:
		return nil, s.unknown(name)
	case 1:
	default:
		return nil, fmt.Errorf("there is a Case %s in several namespaces: say which of %s", shown(name), shown(strings.Join(slices.Sorted(maps.Keys(s.entries)), ", ")))
	}
	for correlation, list := range s.entries {
		return audit.ByCase(func(yield func(audit.Entry, error) bool) {
			for _, e := range list {
				if !yield(e, nil) {
					return
				}
			}
		}, correlation)
	}
	return nil, nil
}

// unknown says what the logs know instead.
func (s *found) unknown(name string) error {
	if s.records == 0 {
		return fmt.Errorf("nothing is known of Case %s: these logs are empty; name the folders of judge's and act's logs with --dir", shown(name))
	}
	why := fmt.Sprintf("nothing is known of Case %s: these logs hold %s from %s to %s, and none is about it", shown(name), count(s.records, "record"), stamp(s.from), stamp(s.to))
	if near := nearest(name, slices.Sorted(maps.Keys(s.names))); len(near) > 0 {
		why += "; the nearest names: " + shown(strings.Join(near, ", "))
	}
	if s.damaged > 0 {
		why += fmt.Sprintf("; left out %s that cannot be trusted, see moorgate audit verify", count(s.damaged, "record"))
	}
	return fmt.Errorf("%s", why)
}

func (s *found) damageTold() error {
	if s.damaged == 0 {
		return nil
	}
	return fmt.Errorf("left out %s that cannot be trusted; the first: %w. moorgate audit verify checks the log", count(s.damaged, "record"), s.damage)
}

func tell(cmd *cobra.Command, entries []audit.Entry, output string) error {
	w := cmd.OutOrStdout()
	if output == "json" {
		return audit.ExportLines(w, func(yield func(audit.Entry, error) bool) {
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
		})
	}
	for _, line := range audit.Story(entries) {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return fmt.Errorf("print the story: %w", err)
		}
	}
	return nil
}
