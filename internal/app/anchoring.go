package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/cluster"
)

const (
	anchorEvery = time.Minute
	anchorTime  = 10 * time.Second

	keysSuffix = ".keys" // after the id of a log: its verifier keys
	caPrefix   = "ca."   // before the role of whoever serves a log: the roots to trust
)

// anchoring has the cluster remember how far this process's log goes, outside of the files that hold it.
type anchoring struct {
	log     *auditLog
	anchors cluster.Anchors
	logger  *slog.Logger
	last    string // the checkpoint that was remembered last
}

// hold checks the log against what is remembered of it. A log that holds less, or something else, was set back or rewritten:
// whoever starts with it would act as if what was done had not been. A log that nobody remembers is new.
func (a *anchoring) hold(ctx context.Context) error {
	remembered, err := a.anchors.Read(ctx)
	if err != nil {
		return err
	}
	anchors := anchorsOf(remembered, a.log.id())
	if len(anchors) == 0 {
		return nil
	}
	_, err = audit.Verify(a.log.dir, anchors...)
	var damage *audit.Damage
	if errors.As(err, &damage) {
		return fmt.Errorf("the audit log in %s is not what the cluster remembers of it: %w. Keep the folder as evidence, and start with the true log or an empty folder", absolute(a.log.dir), damage)
	}
	return err
}

// anchorsOf are the anchors that a ConfigMap holds for a log.
func anchorsOf(remembered map[string]string, log string) []audit.Anchor {
	signed, ok := remembered[log]
	if !ok {
		return nil
	}
	return []audit.Anchor{{Checkpoint: []byte(signed), Keys: strings.Fields(remembered[log+keysSuffix])}}
}

// run remembers the newest checkpoint now and then, until ctx ends, and once more then. That it cannot is said and tried again:
// what was remembered before still counts.
func (a *anchoring) run(ctx context.Context) error {
	ticker := time.NewTicker(anchorEvery)
	defer ticker.Stop()
	for {
		if err := a.remember(ctx); err != nil && ctx.Err() == nil {
			a.logger.WarnContext(ctx, "the newest checkpoint of the audit log could not be remembered outside of it", "error", err)
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), anchorTime)
			defer cancel()
			if err := a.remember(last); err != nil {
				a.logger.WarnContext(last, "the last checkpoint of the audit log could not be remembered outside of it", "error", err)
			}
			return nil
		case <-ticker.C:
		}
	}
}

func (a *anchoring) remember(ctx context.Context) error {
	signed, key := a.log.checkpoint()
	if signed == "" || signed == a.last {
		return nil
	}
	id := a.log.id()
	remembered, err := a.anchors.Read(ctx)
	if err != nil {
		return err
	}
	if keys := strings.Fields(remembered[id+keysSuffix]); len(keys) == 0 || keys[len(keys)-1] != key {
		if err := a.anchors.Set(ctx, id+keysSuffix, remembered[id+keysSuffix]+key+"\n"); err != nil {
			return err
		}
	}
	if err := a.anchors.Set(ctx, id, signed); err != nil {
		return err
	}
	a.last = signed
	return nil
}
