package app

import (
	"math/rand/v2"
	"time"

	"moorgate.dev/webhook/probe"
)

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
