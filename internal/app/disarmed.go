package app

import (
	"context"
	"time"

	"moorgate.dev/webhook"
)

// disarmedLook is how often a gateway looks whether it may register again. A human who arms it waits for that.
const disarmedLook = 10 * time.Second

// keptEmpty reports whether somebody keeps the registration empty, and tells of it once: in the log, and as a note among the
// records. Where it was only said, as by kubectl annotate, the registration is emptied here.
func (g *gateway) keptEmpty(ctx context.Context) (bool, error) {
	s, err := webhook.StandingOf(ctx, g.reader, "")
	if err != nil {
		return false, err
	}
	if s.Disarmed != "" && s.Asked {
		if err := webhook.Deregister(ctx, g.client); err != nil {
			return true, err
		}
	}
	if before, _ := g.disarmed.Swap(s.Disarmed).(string); before != s.Disarmed {
		g.tellDisarmed(ctx, s.Disarmed)
	}
	return s.Disarmed != "", nil
}

func (g *gateway) tellDisarmed(ctx context.Context, why string) {
	text, every := "the registration was armed again", certificateLook
	if why != "" {
		text, every = "the registration is disarmed, nobody is asked about rollouts: "+why, disarmedLook
	}
	g.ticker.Reset(every)
	g.logger.WarnContext(ctx, text, "registration", webhook.RegistrationName)
	if err := g.note(ctx, text); err != nil {
		g.logger.WarnContext(ctx, "that could not be recorded", "error", err)
	}
}

// told is what stands in the answer to who asks whether this process is ready. It is: it would answer. Anybody may ask, so
// who disarmed it and why is not told here.
func (g *gateway) told() string {
	if why, _ := g.disarmed.Load().(string); why != "" {
		return "disarmed, nobody is asked about rollouts (the annotation " + webhook.AnnotationDisarmed + " of the registration says why; moorgate arm undoes it)"
	}
	return ""
}
