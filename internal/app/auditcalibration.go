package app

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"moorgate.dev/internal/advise"
	"moorgate.dev/internal/gate"
)

// calibrationOptions are what audit calibration is told.
type calibrationOptions struct {
	logs   *logFlags
	face   string
	since  string
	output string
}

func newAuditCalibration(logs *logFlags) *cobra.Command {
	o := calibrationOptions{logs: logs}
	cmd := &cobra.Command{
		Use:   "calibration",
		Short: "Compares how sure Moorgate was with what came of it",
		Long: `Compares the confidence of what was judged with what came of it: after an action, whether the workload was verified to have
healed; where nothing was done, whether a human approved or rejected the plan. What was neither verified nor answered by a
human counts nowhere.

The reliability table shows for each range of confidence how many proved right, with the 95 % Wilson interval: where the mean
confidence lies within it, confidence means what it says. The Brier score sums it up (0 is perfect, 0.25 is a coin), and the
curve says what share would have been wrong had only the most confident been done. Fewer than 30 cases prove nothing.

For rollouts it compares the verdict at the gate with what became of them: how many failed by verdict and by score, and how
well a warning foretells a failure. What was superseded, or of which nobody can say what became, is counted apart.

Name the logs of judge and act both, or what came of it is missing.

Exit codes: 0 it is printed; 3 the logs hold nothing to compare, or some record could not be trusted and is left out.`,
		Example: `  moorgate audit calibration --dir judge/audit --dir act/audit --since 30d
  moorgate audit calibration --face remediate -o json | jq '.groups[] | select(.by == "cause") | {name, n, brier}'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("output", o.output, "table", "json"); err != nil {
				return err
			}
			if o.face != "" {
				if err := oneOf("face", o.face, string(gate.FaceWebhook), string(gate.FaceDrift), string(gate.FaceRemediate)); err != nil {
					return err
				}
			}
			return o.run(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.face, "face", "", "only what this face judged: webhook, drift, remediate")
	f.StringVar(&o.since, "since", "", "only what was recorded since then: 30d, 36h, 2026-11-20, 2026-11-20T08:00:00Z")
	f.StringVarP(&o.output, "output", "o", "table", "table or json")
	return cmd
}

func (o calibrationOptions) run(cmd *cobra.Command) error {
	since, err := parseSince(o.since, time.Now())
	if err != nil {
		return err
	}
	from, err := o.logs.entries(cmd.Context())
	if err != nil {
		return err
	}
	s := &sieve{since: since}
	foretold, let := outcomes{}, letIn{}
	for e, err := range s.of(cmd.Context(), from) {
		if err != nil {
			return fmt.Errorf("compare confidence with outcomes: %w", err)
		}
		foretold.add(e.Record)
		let.add(e.Record)
	}
	pairs := foretold.pairs(gate.Face(o.face))
	table := calibration{Table: advise.Calibration(pairs), Gate: let.table(gate.Face(o.face))}
	if len(pairs) == 0 && table.Gate == nil && s.damaged == 0 {
		return fmt.Errorf("%s hold nothing to compare since %s: no verdict whose outcome was verified or that a human answered (name the logs of judge and act both)", o.logs.names(), orBeginning(since))
	}
	if err := printCalibration(cmd.OutOrStdout(), table, o.output); err != nil {
		return err
	}
	if s.damaged > 0 {
		return fmt.Errorf("left out %s that cannot be trusted; the first: %w. moorgate audit verify checks the log", count(s.damaged, "record"), s.damage)
	}
	return nil
}

// calibration is what is printed.
type calibration struct {
	advise.Table
	Gate *advise.Gate `json:"gate,omitempty"` // nil: no rollout was followed
}

func printCalibration(w io.Writer, t calibration, output string) error {
	if output == "json" {
		return printJSON(w, "calibration", t)
	}
	text := ""
	if t.N > 0 || t.Gate == nil {
		text = calibrationText(t.Table)
	}
	if t.Gate != nil {
		text += gateText(*t.Gate)
	}
	if _, err := io.WriteString(w, text); err != nil {
		return errors.Join(errors.New("print the calibration"), err)
	}
	return nil
}
