package app

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"moorgate.dev/webhook"
	"moorgate.dev/webhook/probe"
)

const (
	probesLook  = 10 * time.Second // how often the list of probes is looked at
	outsideTime = 30 * time.Second // for all probes of a review
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

// followProbes follows the file of the list until ctx ends.
func (p *process) followProbes(ctx context.Context) error {
	ticker := time.NewTicker(probesLook)
	defer ticker.Stop()
	p.probes.Follow(ctx, p.options.probes, ticker.C)
	return nil
}

// hostsFor asks the hosts outside of the cluster that workloads of these namespaces may depend on, once. Nil: there is no list.
func hostsFor(ctx context.Context, path string, objects []*unstructured.Unstructured) (webhook.Outside, error) {
	if path == "" {
		return nil, nil
	}
	list, err := probe.ReadList(path)
	if err != nil {
		return nil, err
	}
	var namespaces []string
	for _, u := range objects {
		namespaces = append(namespaces, u.GetNamespace())
	}
	p := probe.New(list.Of(namespaces), time.Now, rand.Float64, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(ctx, outsideTime)
	defer cancel()
	p.Once(ctx)
	return p, nil
}
