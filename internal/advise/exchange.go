package advise

import (
	"context"
	"errors"
	"fmt"
	"time"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

// Recorded is a Model of which every call is in the audit log: what is going to be asked, durably, before anything is sent, and
// what came of it. The prompt and the answer are blobs. Where the first cannot be written, nothing is sent.
type Recorded struct {
	Next  Model
	Log   Log
	Door  *redact.Door
	Now   func() time.Time
	NewID func() string // unique; for joining the two records
	// Named is the name of the model that Next asks, for the record before the call.
	Named string
}

// Ask records, asks, and records.
func (r Recorded) Ask(ctx context.Context, p Prompt) (Answer, error) {
	p.User = r.Door.Text(p.User) // the last net: whoever rendered it should have left nothing for it
	x := gate.Exchange{ID: r.NewID(), Model: r.Named, Tier: string(p.Tier), Prompt: p.Name, Escalated: p.Escalated,
		Parameters: map[string]string{"sample": fmt.Sprint(p.Sample), "maxTokens": fmt.Sprint(p.MaxTokens)}, Reserved: Bound(p).Total()}
	var err error
	if x.Asked, err = r.Log.PutBlob(ctx, []byte(p.System+"\n\n"+p.User)); err == nil {
		err = r.write(ctx, p, x)
	}
	if err != nil {
		return Answer{}, &Failure{Kind: FailedRecord, Text: "what would be asked cannot be written down, so nothing was sent: " + gate.OneLine(err.Error(), 200)}
	}
	began := r.Now()
	a, failed := r.Next.Ask(ctx, p)
	a.Took = r.Now().Sub(began)
	return a, r.after(context.WithoutCancel(ctx), p, x, a, failed)
}

// after writes down what came of a call. An answer that cannot be written down is none: nobody could say later what it was.
func (r Recorded) after(ctx context.Context, p Prompt, x gate.Exchange, a Answer, failed error) error {
	x.Took, x.Degraded = a.Took, a.Degraded
	for name, value := range a.Parameters {
		x.Parameters[name] = value
	}
	if failed != nil {
		var f *Failure
		if !errors.As(failed, &f) {
			f = &Failure{Kind: FailedContent, Text: failed.Error()}
		}
		x.Failed = f.Error()
		x.TokensIn, x.TokensCached, x.TokensOut, x.MicroUSD = f.Usage.In, f.Usage.Cached, f.Usage.Out, f.MicroUSD
		if err := r.write(ctx, p, x); err != nil {
			return errors.Join(failed, err)
		}
		return failed
	}
	if a.Model != "" {
		x.Model = a.Model
	}
	x.TokensIn, x.TokensCached, x.TokensOut, x.MicroUSD = a.Usage.In, a.Usage.Cached, a.Usage.Out, a.MicroUSD
	var err error
	if x.Answered, err = r.Log.PutBlob(ctx, []byte(a.Text)); err == nil {
		err = r.write(ctx, p, x)
	}
	if err != nil {
		return &Failure{Kind: FailedRecord, Text: "the answer cannot be written down, so it does not count: " + gate.OneLine(err.Error(), 200), Usage: a.Usage, MicroUSD: a.MicroUSD}
	}
	return nil
}

func (r Recorded) write(ctx context.Context, p Prompt, x gate.Exchange) error {
	_, err := r.Log.Append(ctx, gate.Record{Kind: gate.RecordModel, Correlation: p.Case, Model: &x})
	return err
}
