package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook"
)

const (
	warmTime = 2 * time.Minute
	warmLook = time.Second // how often Moorgate is asked whether the model has spoken
)

// aheadOf is what came of having a model asked ahead about one rollout.
type aheadOf struct {
	State   string `json:"state"` // as Moorgate says, or Failed
	Because string `json:"because,omitempty"`
	Case    string `json:"case,omitempty"`
}

// aheadFailed is that Moorgate gave no answer, or none in time.
const aheadFailed = "Failed"

// failed is whether a model was to be asked, and its word does not wait.
func (a *aheadOf) failed() bool {
	return a != nil && a.State != webhook.AheadHeard && a.State != webhook.AheadNeedless
}

// sentence tells it to people; empty where nobody was to be asked.
func (a *aheadOf) sentence() string {
	switch {
	case a == nil:
		return ""
	case a.State == webhook.AheadHeard:
		return "asked ahead: the model's word waits on case " + a.Case + ", for an hour"
	case a.State == webhook.AheadNeedless:
		return "not asked ahead, for nothing depends on it: " + a.Because
	}
	return "NOT asked ahead: " + a.Because
}

func (o *reviewOptions) addWarm(f *pflag.FlagSet) {
	f.BoolVar(&o.warm, "warm", false, "have Moorgate ask its model now, so that the gate answers at once when this is applied")
	f.StringArrayVar(&o.moorgate.servers, "server", nil, "with --warm: URL of a running judge (its --audit-listen)")
	f.StringVar(&o.moorgate.ca, "server-ca", "", "with --warm: file with the roots to trust (default: those that the cluster remembers)")
	f.StringVar(&o.moorgate.tokenFile, "token-file", "", "with --warm: file with the bearer token (default: the kubeconfig's)")
}

// checkWarm looks whether what is given goes together.
func (o *reviewOptions) checkWarm(timed bool) error {
	o.moorgate.kubeconfig = o.kubeconfig
	if !o.warm {
		return o.moorgate.onlyFolders("only --warm asks a running Moorgate")
	}
	if o.offline || o.model != "" {
		return errors.New("--warm has a running Moorgate ask its own model about what the cluster would store: it goes with neither --offline nor --model")
	}
	if len(o.moorgate.servers) != 1 {
		return errors.New("give --server with --warm: the URL at which a judge serves (its --audit-listen; kubectl -n " + ownNamespace + " port-forward reaches it from outside)")
	}
	if !timed {
		o.timeout = warmTime
	}
	return checkURL("server", o.moorgate.servers[0])
}

// warm has a model asked about all that was reviewed, waits for its word, and takes it in.
func (r *reviewer) warm(ctx context.Context, at *logFlags, progress io.Writer, results []reviewed) error {
	c, err := at.client(ctx)
	if err != nil {
		return err
	}
	say := func(out *reviewed, text string) {
		_, _ = fmt.Fprintf(progress, "%s  %s\n", shown(out.ref.String()), shown(text))
	}
	for open := true; open; {
		open = false
		for i := range results {
			out := &results[i]
			if out.err != nil || out.ahead != nil && out.ahead.State != webhook.AheadAsked {
				continue
			}
			told := out.ahead == nil
			r.warmOne(ctx, c, at.servers[0], out)
			switch waits := out.ahead.State == webhook.AheadAsked; {
			case waits && told:
				say(out, out.ahead.Because+"; waiting for the model's word")
				fallthrough
			case waits:
				open = true
			default:
				say(out, out.ahead.sentence())
			}
		}
		if open && !pause(ctx, warmLook) {
			break
		}
	}
	for i := range results {
		if a := results[i].ahead; a != nil && a.State == webhook.AheadAsked {
			*a = aheadOf{State: aheadFailed, Case: a.Case, Because: "the model had no word in time (--timeout); it may yet come onto the Case"}
			say(&results[i], a.sentence())
		}
	}
	return nil
}

// pause waits, and reports whether there is time left.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// warmOne asks about one rollout, and takes in what the model has found.
func (r *reviewer) warmOne(ctx context.Context, c *auditClient, server string, out *reviewed) {
	tried := r.tried[out.ref.String()]
	if tried == nil {
		out.ahead = &aheadOf{State: aheadFailed, Because: "it is not known what the cluster would store"}
		return
	}
	said, err := c.askAhead(ctx, server, out.ref, tried)
	switch {
	case ctx.Err() != nil && out.ahead != nil:
		return // it is told of below
	case err != nil:
		out.ahead = &aheadOf{State: aheadFailed, Because: err.Error()}
		return
	}
	out.ahead = &aheadOf{State: said.State, Because: said.Because, Case: said.Case}
	if said.State == webhook.AheadHeard && said.Opinion != nil {
		j := &out.judgement
		j.Assessment = webhook.Advised(j.Assessment, *said.Opinion)
		j.Verdict = gate.Decide(j.Policy, j.Assessment, j.Question.Facts)
	}
}

// askAhead sends a workload to a judge. That it has too much to do is no failure: it is asked again.
func (c *auditClient) askAhead(ctx context.Context, server string, ref gate.Ref, obj client.Object) (webhook.Asked, error) {
	body, err := json.Marshal(obj)
	if err != nil {
		return webhook.Asked{}, fmt.Errorf("write %s: %w", ref, err)
	}
	at := strings.TrimSuffix(server, "/") + readinessPath + ref.Namespace + "/" + strings.ToLower(ref.Kind) + "/" + ref.Name
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(body))
	if err != nil {
		return webhook.Asked{}, fmt.Errorf("ask %s: %w", server, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return webhook.Asked{}, fmt.Errorf("ask %s: %w", server, err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	var said webhook.Asked
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		return webhook.Asked{State: webhook.AheadAsked, Because: "Moorgate has too much to ask already"}, nil
	case resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusAccepted:
		return said, fmt.Errorf("ask %s: %s: %s", server, resp.Status, gate.OneLine(string(content), 300))
	case err == nil:
		err = json.Unmarshal(content, &said)
	}
	if err != nil {
		return said, fmt.Errorf("read what %s says: %w", server, err)
	}
	return said, nil
}
