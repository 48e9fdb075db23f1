package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/trace/noop"

	"moorgate.dev/internal/advise"
)

func newModel() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "Tries the models that --model names",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newModelCheck())
	return cmd
}

// modelCheckOptions are what model check is told.
type modelCheckOptions struct {
	file    string
	output  string
	timeout time.Duration
	noTest  bool
}

func newModelCheck() *cobra.Command {
	var o modelCheckOptions
	cmd := &cobra.Command{
		Use:   "check --model FILE",
		Short: "Connects to the models, finds out what they can do, and gives them a short test",
		Long: `Reads the file, connects to the endpoint, and asks each of the two models a handful of small questions: whether it answers, whether it
is held to a strict schema, what it says about tokens and its prompt cache, and whether a question as large as they may get fits.
Then the two together are given three built-in incidents with answers that nobody can miss, one of which holds an order that must not
be followed. It says what Moorgate will do without, and what to mend. It costs some fifteen thousand tokens a model, which it tells.

Nothing of a cluster is read or sent. Without a model every command works: checks, causes and drift rules decide alone.

Exit codes: 0 all is well, 1 something is degraded, 3 something failed.

The file, with what is assumed where a line is left out:
  url: https://api.openai.com/v1      # needed; Azure: https://NAME.openai.azure.com/openai/deployments/DEPLOYMENT; Ollama: http://127.0.0.1:11434/v1
  keyFile: model.key                  # read at each call; relative to this file
  auth: bearer                        # or api-key (Azure)
  apiVersion: ""                      # Azure's api-version
  caFile: ""                          # roots in place of the system's
  proxy: ""                           # no environment variable sets one
  timeout: 30s                        # of one call
  patience: 60s                       # of one question, with samples, expert and retries
  triage: {model: NAME, samples: 3, tokensIn: 8000, tokensOut: 2000, price: {in: 0.25, cached: 0.025, out: 2}}  # USD for a million tokens
  expert: {model: NAME, samples: 1}   # asked where triage is unsure
  limits: {tokensPerDay: 5000000, usdPerDay: 0, usdPerMonth: 0, concurrent: 4, callsPerMinute: 60}             # 0 in USD: no bound`,
		Example: "  moorgate model check --model model.yaml\n  moorgate model check --model model.yaml -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("output", o.output, "text", "json"); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), o.timeout)
			defer cancel()
			return modelCheck(ctx, cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.file, "model", "", "the file that says where the models are")
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "how long the whole check may take")
	f.BoolVar(&o.noTest, "no-self-test", false, "leave out the built-in incidents")
	return cmd
}

// modelChecked is what came of it, as -o json prints it.
type modelChecked struct {
	URL      string                        `json:"url"`
	Tiers    map[advise.Tier]advise.Report `json:"tiers"`
	SelfTest []advise.Check                `json:"selfTest,omitempty"`
	Tokens   int64                         `json:"selfTestTokens"`
}

func modelCheck(ctx context.Context, cmd *cobra.Command, o modelCheckOptions) error {
	if o.file == "" {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), "no model is configured (--model FILE): checks, causes and drift rules decide alone. moorgate model check --help shows such a file.")
		return err
	}
	c, err := readModelConfig(o.file)
	if err != nil {
		return err
	}
	out := modelChecked{URL: c.URL, Tiers: map[advise.Tier]advise.Report{}}
	worst := advise.StateOK
	for _, tier := range []advise.Tier{advise.Triage, advise.Expert} {
		t := c.Triage
		if tier == advise.Expert {
			t = c.Expert
		}
		if t == nil {
			continue
		}
		announce(cmd, "asking %s (%s) …", t.Model, tier)
		e, err := c.endpoint(t)
		if err != nil {
			return err
		}
		report := advise.Probe(ctx, e, t.TokensIn)
		out.Tiers[tier], worst = report, worse(worst, report.Worst())
	}
	if worst != advise.StateFailed && !o.noTest {
		announce(cmd, "giving them the built-in incidents …")
		door, err := openDoor("")
		if err != nil {
			return err
		}
		m, err := newModels(c, nil, door, noop.NewTracerProvider().Tracer(""))
		if err != nil {
			return err
		}
		out.SelfTest = advise.SelfTest(ctx, m.panel, time.Now())
		out.Tokens = m.spend.Figures(time.Now()).DayTokens
		worst = worse(worst, advise.Report{Checks: out.SelfTest}.Worst())
	}
	if err := printModelCheck(cmd.OutOrStdout(), o.output, out); err != nil {
		return err
	}
	switch worst {
	case advise.StateFailed:
		return exit(exitFailed)
	case advise.StateDegraded:
		return exit(exitWarned)
	}
	return nil
}

// announce tells what is going on, to whoever watches; never into what is printed.
func announce(cmd *cobra.Command, format string, args ...any) {
	if terminal(cmd.ErrOrStderr()) {
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...)
	}
}

func worse(a, b advise.State) advise.State {
	if a == advise.StateFailed || b == advise.StateOK || b == advise.StateUnknown {
		return a
	}
	return b
}

func printModelCheck(w io.Writer, output string, out modelChecked) error {
	if output == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(out)
	}
	paint := painter(w)
	var b strings.Builder
	fmt.Fprintf(&b, "endpoint  %s\n", shown(out.URL))
	for _, tier := range []advise.Tier{advise.Triage, advise.Expert} {
		r, ok := out.Tiers[tier]
		if !ok {
			continue
		}
		fmt.Fprintf(&b, "\n%s  %s\n", paint("1", string(tier)), shown(r.Model))
		writeChecks(&b, paint, r.Checks)
		fmt.Fprintf(&b, "  %s\n", cost(r.Usage, r.MicroUSD))
	}
	if len(out.SelfTest) > 0 {
		fmt.Fprintf(&b, "\n%s\n", paint("1", "both together"))
		writeChecks(&b, paint, out.SelfTest)
		fmt.Fprintf(&b, "  cost %d tokens\n", out.Tokens)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeChecks(b *strings.Builder, paint func(code, text string) string, list []advise.Check) {
	colours := map[advise.State]string{advise.StateOK: "32", advise.StateDegraded: "33", advise.StateFailed: "31", advise.StateUnknown: "2"}
	for _, c := range list {
		fmt.Fprintf(b, "  %s  %s: %s\n", paint(colours[c.State], fmt.Sprintf("%-8s", c.State)), shown(c.Name), shown(c.Text))
	}
}

// cost tells what something cost, in tokens and, where prices are known, in USD.
func cost(u advise.Usage, micro int64) string {
	text := fmt.Sprintf("cost %d tokens in (%d cached) and %d out", u.In, u.Cached, u.Out)
	if micro > 0 {
		text += fmt.Sprintf(", $%.4f", float64(micro)/1e6)
	}
	return text
}
