package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/advise"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

func newCasesSimilar() *cobra.Command {
	var kubeconfig, namespace, output string
	cmd := &cobra.Command{
		Use:   "similar CASE",
		Short: "Tells of past Cases like this one, and what became of them",
		Long: `Tells of Cases of remediation in the same namespace that are like this one: what was found then, what was done, and what was verified to
have come of it. They are those that a model would be reminded of, by the same rules: the cause is the same, or none is known and what
the other rested on is seen now; what was done is on this menu too; it is at most 30 days old. At most three, the most alike first.

What is not told is not known to be unlike: a past Case that was never acted on, or of which nobody knows what came, proves nothing.

Exit codes: 0 it is told, also where there are none; 3 the Cases could not be read.`,
		Example: "  moorgate cases similar remediate-web-1a2b3c4d5e6f -n shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("output", output, "text", "json"); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), casesTime)
			defer cancel()
			from, err := personsClient(ctx, kubeconfig)
			if err != nil {
				return err
			}
			key, err := caseKey(args[0], namespace, kubeconfig)
			if err != nil {
				return err
			}
			var c v1alpha1.Case
			if err := readCase(ctx, from, key, readerRole, &c); err != nil {
				return err
			}
			now := time.Now()
			s, err := similarTo(ctx, from, &c, now)
			if err != nil {
				return err
			}
			if output == "json" {
				return printJSON(cmd.OutOrStdout(), "similar Cases", s)
			}
			return s.print(cmd.OutOrStdout(), now)
		},
	}
	kubeconfigFlag(cmd, &kubeconfig)
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "namespace of the Case (default: the kubeconfig's)")
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

// similar are the past Cases like one.
type similar struct {
	Case    string        `json:"case"`
	Cause   string        `json:"cause,omitempty"`
	Known   int           `json:"known"` // past Cases here of which it is known what came
	Similar []similarCase `json:"similar"`
}

type similarCase struct {
	Case     string      `json:"case"`
	Subject  string      `json:"subject"`
	Happened string      `json:"happening"`
	Cause    string      `json:"cause"`
	Findings []string    `json:"findings,omitempty"`
	Verb     string      `json:"verb"`
	Result   gate.Result `json:"result"`
	At       time.Time   `json:"at"`
}

// similarTo looks a Case up among those that are past, as it is looked up for a model.
func similarTo(ctx context.Context, from client.Reader, c *v1alpha1.Case, now time.Time) (similar, error) {
	s := similar{Case: c.Namespace + "/" + c.Name, Cause: shown(c.Status.Cause), Similar: []similarCase{}}
	if c.Spec.Signal.Face != string(gate.FaceRemediate) {
		return s, fmt.Errorf("case %s is of %s: only what was done about hurt workloads is remembered with what came of it (moorgate case %s names other Cases of its workload)",
			s.Case, shown(c.Spec.Signal.Face), s.Case)
	}
	past, err := reminders(from)(ctx, c.Namespace)
	if err != nil {
		return s, fmt.Errorf("read past Cases: %w", unreadable(err, "list", c.Namespace, readerRole))
	}
	s.Known = len(past)
	for _, m := range advise.Alike(askedOf(c), past, now, advise.RecallAge) {
		x := similarCase{Case: shown(m.Case), Subject: shown(m.Kind + "/" + m.Workload), Happened: shown(m.Reason), Cause: shown(m.Cause), Verb: shown(m.Verb), Result: m.Result, At: m.At}
		for _, f := range m.Findings {
			x.Findings = append(x.Findings, shown(f))
		}
		s.Similar = append(s.Similar, x)
	}
	return s, nil
}

// reminders reads the past Cases of a namespace, as a model is reminded of them.
func reminders(from client.Reader) func(context.Context, string) ([]advise.Remembered, error) {
	return func(ctx context.Context, namespace string) ([]advise.Remembered, error) {
		past, err := cluster.PastCases(ctx, from, namespace)
		all := make([]advise.Remembered, len(past))
		for i := range past {
			all[i] = advise.Remembered(past[i])
		}
		return all, err
	}
}

// askedOf is the question that a Case is about, as far as it holds it.
func askedOf(c *v1alpha1.Case) flow.Question {
	signal := c.Spec.Signal
	q := flow.Question{Case: c.Namespace + "/" + c.Name, Checks: cluster.Assessment(c.Status.Opinion), Signal: gate.Signal{Face: gate.Face(signal.Face), Reason: signal.Reason,
		Key: signal.Key, Text: signal.Text, Subject: gate.Ref{Group: c.Spec.Subject.Group, Kind: c.Spec.Subject.Kind, Namespace: c.Namespace, Name: c.Spec.Subject.Name}}}
	for _, x := range c.Status.Menu {
		q.Facts.Menu = append(q.Facts.Menu, gate.Action{ID: x.ID, Verb: x.Verb})
	}
	return q
}

func (s similar) print(w io.Writer, now time.Time) error {
	p := &page{paint: painter(w)}
	if len(s.Similar) == 0 {
		p.line("none", "of the %s here of which it is known what came is like this one", count(s.Known, "past Case"))
	}
	for _, x := range s.Similar {
		fmt.Fprintf(p, "%s\n", p.paint("1", x.Case))
		p.line("what", "%s of %s, cause %s", x.Happened, x.Subject, x.Cause)
		for _, f := range x.Findings[:min(len(x.Findings), 3)] {
			p.line("found", "%s", f)
		}
		p.line("done", "%s", x.Verb)
		p.line(string(x.Result), "%s", ago(now, x.At))
	}
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("print the similar Cases: %w", err)
	}
	return nil
}
