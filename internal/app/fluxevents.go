package app

import (
	"fmt"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"moorgate.dev/drift"
	"moorgate.dev/internal/notify"
)

const fluxEventsUsage = "address of Flux's notification-controller, which is told when an object drifts and when that is gone, about the Kustomization or HelmRelease that delivers it: http://notification-controller.flux-system.svc.cluster.local./ ; without TLS only a Service of the cluster or this machine; empty: nobody is told"

func (o *options) checkFluxEvents() error {
	if o.fluxEvents == "" {
		return nil
	}
	if _, err := notify.Address(o.fluxEvents); err != nil {
		return fmt.Errorf("--flux-events: %w", err)
	}
	return nil
}

// addFluxEvents has drifts told to Flux, where it is asked for; what tells it is nil otherwise.
func (p *process) addFluxEvents(mgr ctrl.Manager) (func(drift.Notice), error) {
	if p.fluxEvents == "" {
		return nil, nil
	}
	address, err := notify.Address(p.fluxEvents)
	if err != nil {
		return nil, fmt.Errorf("--flux-events: %w", err)
	}
	flux := notify.NewFlux(notify.Options{Address: address, Door: p.door(), Now: time.Now,
		Counted: func(result string) { p.metrics.fluxEvents.WithLabelValues(result).Inc() },
		Troubled: func(err error) {
			p.logger.Warn("an event of a drift did not get to Flux; this is said again only after another got there", "error", err)
		}})
	if err := mgr.Add(manager.RunnableFunc(flux.Run)); err != nil {
		return nil, fmt.Errorf("prepare to tell Flux of drifts: %w", err)
	}
	return func(n drift.Notice) { flux.Tell(notify.Notice(n)) }, nil
}
