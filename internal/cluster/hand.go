package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// handTime is how long an answer is waited for. What has not answered by then may or may not have been done.
const handTime = 15 * time.Second

// Hand carries out Actions in the cluster: it sends exactly the Request of an Action, once, through a guarded transport, and says
// what came of it. It has no way to send anything that is not permitted, and nothing below it sends anything twice: between it
// and the wire there is no client of client-go's, which would try again by itself.
type Hand struct {
	client *http.Client
	base   *url.URL
	time   time.Duration
}

var _ flow.Actor = (*Hand)(nil)

// NewHand makes a Hand of a config that came from Guarded; any other is an error.
func NewHand(guarded *rest.Config) (*Hand, error) {
	base, _, err := rest.DefaultServerUrlFor(guarded)
	if err != nil {
		return nil, fmt.Errorf("find the API server to act on: %w", err)
	}
	client, err := rest.HTTPClientFor(guarded)
	if err != nil {
		return nil, fmt.Errorf("connect to the API server to act on: %w", err)
	}
	if !isGuarded(client.Transport) {
		return nil, errors.New("connect to the API server to act on: the transport is not guarded")
	}
	return &Hand{base: base, time: handTime, client: &http.Client{Transport: client.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

func isGuarded(rt http.RoundTripper) bool {
	for rt != nil {
		if _, ok := rt.(*guard); ok {
			return true
		}
		wraps, ok := rt.(utilnet.RoundTripperWrapper)
		if !ok {
			return false
		}
		rt = wraps.WrappedRoundTripper()
	}
	return false
}

// Act sends the plan's Request under the Permit, which is spent by that. What changes a template is tried in a dry run first. What the API server refused is Refused; an answer that
// did not come or cannot be read is Unknown, and is never asked for again. Once sent, the answer is waited for even when ctx ends:
// otherwise every shutdown would leave something that nobody knows.
func (h *Hand) Act(ctx context.Context, permit gate.Permit, plan gate.Action) (gate.Outcome, error) {
	outcome, err := h.act(ctx, permit, plan)
	if err != nil {
		return outcome, fmt.Errorf("%s %s: %w", gate.OneLine(plan.Verb, 64), plan.Target, err)
	}
	return outcome, nil
}

func (h *Hand) act(ctx context.Context, permit gate.Permit, plan gate.Action) (gate.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return gate.OutcomeRefused, fmt.Errorf("nothing was sent: %w", err)
	}
	if err := belongs(plan); err != nil {
		return gate.OutcomeRefused, fmt.Errorf("nothing was sent: %w", err)
	}
	ctx, cancel := context.WithTimeout(carrying(context.WithoutCancel(ctx), permit, plan), h.time)
	defer cancel()
	if Amends(plan.Verb) {
		if outcome, err := h.send(ctx, plan, plan.Request.Path+dryRun); outcome != gate.OutcomeDone {
			return gate.OutcomeRefused, fmt.Errorf("it was only tried, and that was not taken: %w", err)
		}
	}
	return h.send(ctx, plan, plan.Request.Path)
}

// dryRun is what makes an amendment one that is only tried.
const dryRun = "&dryRun=All"

// send sends a plan's Request to a path, once.
func (h *Hand) send(ctx context.Context, plan gate.Action, path string) (gate.Outcome, error) {
	req, err := http.NewRequestWithContext(ctx, plan.Request.Method, h.url(path), bytes.NewReader(plan.Request.Body))
	if err != nil {
		return gate.OutcomeRefused, fmt.Errorf("nothing was sent: %w", err)
	}
	req.Header.Set("Content-Type", plan.Request.ContentType)
	req.Header.Set("Accept", "application/json")
	resp, err := h.client.Do(req)
	var dial *net.OpError
	switch {
	case errors.Is(err, ErrNoPermit):
		return gate.OutcomeRefused, err
	case errors.As(err, &dial) && dial.Op == "dial":
		return gate.OutcomeRefused, fmt.Errorf("nothing was sent, and the permit is spent: %w", err)
	case err != nil:
		return gate.OutcomeUnknown, fmt.Errorf("it may or may not have been done: %w", err)
	}
	return outcomeOf(resp, plan)
}

func (h *Hand) url(path string) string { return strings.TrimSuffix(h.base.String(), "/") + path }

// belongs is what is wrong with the Request of a plan: it must be the one that carries this plan out, on this target, and no
// other. A Permit binds a plan and its bytes to each other; that the bytes mean the plan is seen to here.
func belongs(plan gate.Action) error {
	want, err := wanted(plan)
	if err != nil {
		return err
	}
	is := plan.Request
	if is == nil || is.Method != want.Method || is.Path != want.Path || is.ContentType != want.ContentType || !bytes.Equal(is.Body, want.Body) {
		return errors.New("its request is not the one that carries it out")
	}
	return nil
}

// wanted is the Request that carries a plan out: made of nothing but the plan, or, where that hides what a template holds, made anew
// of what the request says of it.
func wanted(plan gate.Action) (gate.Request, error) {
	if !Amends(plan.Verb) {
		return RequestOf(plan)
	}
	m, err := amendmentIn(plan.Request)
	if err != nil {
		return gate.Request{}, err
	}
	return Amend(plan, m)
}
