package app

import (
	"context"
	"math/rand/v2"
	"time"

	"moorgate.dev/webhook/probe"
)

// probesLook is how often the list of probes is looked at.
const probesLook = 10 * time.Second

// prepareProbes reads which hosts outside of the cluster are asked. One Prober serves all parts of the process.
func (p *process) prepareProbes() error {
	if p.options.probes == "" {
		return nil
	}
	list, err := probe.ReadList(p.options.probes)
	if err != nil {
		return err
	}
	p.probes = probe.New(list, time.Now, rand.Float64, p.logger.With("face", "probe"))
	return nil
}

// followProbes follows the file of the list until ctx ends.
func (p *process) followProbes(ctx context.Context) error {
	ticker := time.NewTicker(probesLook)
	defer ticker.Stop()
	p.probes.Follow(ctx, p.options.probes, ticker.C)
	return nil
}
