package policies

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"moorgate.dev/internal/advise"
	"moorgate.dev/internal/advise/prompts"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

// asking is what comes of a question that is open under a policy: which models are asked, through the real Panel, and whether a call
// that may cost exactly a thousand tokens is let through the real budgets.
func asking(t *testing.T, p gate.Policy) string {
	t.Helper()
	door, err := redact.New(redact.Options{Key: bytes.Repeat([]byte{7}, redact.KeyBytes)})
	if err != nil {
		t.Fatal(err)
	}
	asked := ""
	says := func(who, confidence string) advise.Model {
		return advise.ModelFunc(func(context.Context, advise.Prompt) (advise.Answer, error) {
			asked += who + " "
			return advise.Answer{Text: `{"cause":"other","findings":[{"text":"a","points":1,"evidence":["log"],"quote":"connection refused","claim":null}],"choice":["escalate"],"score":90,"confidence":` + confidence + `,"unsure":false,"why":""}`}, nil
		})
	}
	panel := advise.Panel{Triage: advise.Bench{Model: says("triage", "90"), Samples: 1, TokensIn: 8000, TokensOut: 500}, Expert: advise.Bench{Model: says("expert", "90"), Samples: 1, TokensIn: 8000, TokensOut: 500},
		Terms: map[gate.Face]prompts.Terms{gate.FaceRemediate: {Causes: []prompts.Cause{{ID: "other"}}}}, Door: door, Now: func() time.Time { return thursday }}
	q := flow.Question{Case: "shop/case", Signal: gate.Signal{Face: gate.FaceRemediate, Subject: gate.Ref{Kind: "Deployment", Namespace: "shop", Name: "web"}, At: thursday}, Asking: p.Asking(),
		Facts: gate.Facts{At: thursday, Menu: []gate.Action{{ID: "escalate", Verb: "escalate", Reach: gate.ReachNothing}}}, Evidence: []gate.Evidence{{ID: "log", Source: "log", At: thursday, Trust: gate.FromLog, Text: "connection refused"}}}
	panel.Beside(flow.AdvisorFunc(func(context.Context, flow.Question) gate.Assessment {
		return gate.Assessment{Advisor: "causes", Cause: "other", Open: "all of it", Score: gate.Known(90), Confidence: gate.Known(90)}
	})).Advise(t.Context(), q)
	prompt := advise.Prompt{Case: "shop/case", Namespace: "shop", Asking: p.Asking()}
	prompt.MaxTokens = 1000 - advise.Bound(prompt).Total()
	limit := advise.Limit{Spend: advise.NewSpend(advise.Limits{}), Now: func() time.Time { return thursday }, Model: advise.ModelFunc(func(context.Context, advise.Prompt) (advise.Answer, error) {
		return advise.Answer{Usage: advise.Usage{In: 1}}, nil
	})}
	_, refused := limit.Ask(t.Context(), prompt)
	return fmt.Sprintf("%s, a call of 1000 tokens: refused %t", asked, refused != nil)
}
