package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

const (
	ledgerRef   = cluster.LedgerNamespace + "/" + cluster.LedgerName
	ledgerShown = 20 // newest entries, without --all
)

func newLedger() *cobra.Command {
	var kubeconfig, output string
	var all bool
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "Shows what was done lately, and what is left of every budget",
		Long: `Shows the permit ledger: what is left of the budgets of every Guardrail, which breakers are open, what was reserved in the last
24 hours and what came of it, and how often what was done before healed.

What was reserved counts, whatever came of it: a process that died before it acted has spent its permit. A window is counted by
both the API server's clock and the acting process's own, and up to a minute longer than it says.

It needs the right to get the ConfigMap ` + ledgerRef + `, and to list guardrails for the budgets.`,
		Example: "  moorgate ledger\n  moorgate ledger -o json | jq '.entries[] | select(.result == \"worsened\")'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("output", output, "text", "json"); err != nil {
				return err
			}
			return withLedger(cmd, kubeconfig, func(ctx context.Context, l *cluster.Ledger) error {
				ledger, tallies, err := l.Read(ctx)
				if err != nil {
					return readable(err, "read the ledger", "get")
				}
				p := ledgerPage{Ledger: ledger, Tallies: tallies, at: time.Now(), all: all}
				p.Budgets, p.Note = budgets(ctx, kubeconfig, ledger, p.at)
				if output == "json" {
					return printJSON(cmd.OutOrStdout(), "ledger", p)
				}
				return p.print(cmd.OutOrStdout())
			})
		},
	}
	kubeconfigFlag(cmd, &kubeconfig)
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	cmd.Flags().BoolVar(&all, "all", false, fmt.Sprintf("show every entry, not only the newest %d", ledgerShown))
	return cmd
}

// withLedger runs a command on the ledger of a cluster.
func withLedger(cmd *cobra.Command, kubeconfig string, run func(context.Context, *cluster.Ledger) error) error {
	config, err := restConfig(kubeconfig)
	if err != nil {
		return err
	}
	if err := reach(cmd.Context(), config); err != nil {
		return err
	}
	l, err := cluster.NewLedger(config, time.Now)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), ledgerTime)
	defer cancel()
	return run(ctx, l)
}

// ledgerPage is what -o json prints.
type ledgerPage struct {
	gate.Ledger
	Tallies []gate.Tally `json:"tallies,omitempty"`
	Budgets []leftOver   `json:"budgets,omitempty"`
	Note    string       `json:"note,omitempty"` // why budgets are missing
	at      time.Time
	all     bool
}

// leftOver is how much of one budget is spent.
type leftOver struct {
	Guardrail string `json:"guardrail"`
	Of        string `json:"of"` // all, or a namespace, or a workload
	Spent     int    `json:"spent"`
	Actions   int    `json:"actions"`
	Window    string `json:"window"`
}

// budgets are those of every Guardrail: the total, and those of the namespaces and workloads on which something was spent.
func budgets(ctx context.Context, kubeconfig string, l gate.Ledger, at time.Time) ([]leftOver, string) {
	config, err := restConfig(kubeconfig)
	if err != nil {
		return nil, err.Error()
	}
	guardrails, err := listGuardrails(ctx, config)
	if err != nil {
		return nil, "the budgets are not shown: " + shown(err.Error())
	}
	var all []leftOver
	var notes []string
	for _, g := range guardrails {
		r, err := cluster.Rail(g, at)
		if err != nil {
			notes = append(notes, fmt.Sprintf("Guardrail %s cannot be read, and lets nothing be done: %s", shown(g.Name), shown(err.Error())))
			continue
		}
		all = append(all, spentUnder(r, l, at)...)
	}
	return all, strings.Join(notes, "; ")
}

func listGuardrails(ctx context.Context, config *rest.Config) ([]v1alpha1.Guardrail, error) {
	s, err := scheme()
	if err != nil {
		return nil, err
	}
	c, err := client.New(config, client.Options{Scheme: s})
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	var list v1alpha1.GuardrailList
	if err := c.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("list Guardrails: %w", err)
	}
	return list.Items, nil
}

// spentUnder counts the entries in the windows of one Guardrail as the rule on budgets does, for the namespaces and workloads
// to which it applied.
func spentUnder(r gate.Rail, l gate.Ledger, at time.Time) []leftOver {
	row := func(of string, b gate.Budget, counts func(gate.Spent) bool) leftOver {
		n := 0
		for _, s := range l.Entries {
			if at.Sub(s.At) < b.Window && counts(s) {
				n++
			}
		}
		return leftOver{Guardrail: r.Name, Of: of, Spent: n, Actions: b.Actions, Window: b.Window.String()}
	}
	under := func(s gate.Spent) bool { return slices.Contains(s.Guardrails, r.Name) }
	rows := []leftOver{row("all", r.Budgets.Total, under)}
	namespaces, workloads := map[string]bool{}, map[string]bool{}
	for _, s := range l.Entries {
		if under(s) {
			namespaces[s.Namespace], workloads[s.Workload] = true, true
		}
	}
	for _, of := range slices.Sorted(maps.Keys(namespaces)) {
		rows = append(rows, row("namespace "+of, r.Budgets.Namespace, func(s gate.Spent) bool { return s.Namespace == of }))
	}
	for _, of := range slices.Sorted(maps.Keys(workloads)) {
		rows = append(rows, row(plainKey(of), r.Budgets.Workload, func(s gate.Spent) bool { return s.Workload == of }))
	}
	return slices.DeleteFunc(rows, func(b leftOver) bool { return b.Spent == 0 && b.Of != "all" })
}

// print writes the page for people.
func (p ledgerPage) print(w io.Writer) error {
	if err := printBreakers(w, p.Open, p.at); err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	if len(p.Budgets) > 0 {
		fmt.Fprintln(table, "\nGUARDRAIL\tBUDGET OF\tSPENT")
	}
	for _, b := range p.Budgets {
		fmt.Fprintf(table, "%s\t%s\t%d of %d in %s\n", shown(b.Guardrail), shown(b.Of), b.Spent, b.Actions, b.Window)
	}
	entries := p.Entries
	if !p.all {
		entries = entries[max(0, len(entries)-ledgerShown):]
	}
	if len(entries) > 0 {
		fmt.Fprintf(table, "\nRESERVED\tVERB\tTARGET\tCAUSE\tCAME TO\n")
	}
	for _, s := range slices.Backward(entries) {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", ago(p.at, s.At), shown(s.Verb), shown(plainKey(s.Target)), shown(s.Cause), cameTo(s))
	}
	if len(p.Tallies) > 0 {
		fmt.Fprintf(table, "\nCAUSE\tVERB\tHEALED\tSURE OF\n")
	}
	for _, t := range p.Tallies {
		fmt.Fprintf(table, "%s\t%s\t%d of %d\t%d %%\n", shown(t.Cause), shown(t.Verb), t.Healed, t.Tried, gate.Sure(t.Healed, t.Tried))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the ledger: %w", err)
	}
	return p.foot(w, len(entries))
}

func (p ledgerPage) foot(w io.Writer, entries int) error {
	var b strings.Builder
	switch {
	case len(p.Entries) == 0:
		b.WriteString("\nnothing was reserved in the last 24 hours\n")
	case entries < len(p.Entries):
		fmt.Fprintf(&b, "\nand %d more entries (--all)\n", len(p.Entries)-entries)
	}
	if p.Note != "" {
		fmt.Fprintf(&b, "\n%s\n", p.Note)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print the ledger: %w", err)
	}
	return nil
}

// plainKey writes a gate.WorkloadKey as people write it.
func plainKey(key string) string {
	parts := strings.Split(key, "/")
	if len(parts) != 4 {
		return key
	}
	return gate.Ref{Group: parts[0], Kind: parts[1], Namespace: parts[2], Name: parts[3]}.String()
}

func cameTo(s gate.Spent) string {
	switch {
	case s.Result == gate.ResultPending:
		return "nobody said yet"
	case s.Forgiven:
		return string(s.Result) + " (looked at)"
	}
	return string(s.Result)
}

// ago is a time, and how long ago it is.
func ago(now, t time.Time) string {
	d := now.Sub(t).Truncate(time.Second)
	if d < 0 {
		return fmt.Sprintf("%s (in the future)", stamp(t))
	}
	return fmt.Sprintf("%s (%s ago)", stamp(t), d)
}

func kubeconfigFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "kubeconfig", "", "kubeconfig of the cluster (default: $KUBECONFIG or ~/.kube/config)")
}

func printJSON(w io.Writer, what string, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("print the %s: %w", what, err)
	}
	return nil
}
