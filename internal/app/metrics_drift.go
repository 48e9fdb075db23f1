package app

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"moorgate.dev/drift"
)

// driftMetrics are the numbers about what stands now: no happening of which there is a Record, but what came of the last comparison
// with each GitSource. A process that compares nothing has none of them.
type driftMetrics struct {
	lock       sync.Mutex
	of         func() []drift.Standing // nil: nothing is compared here
	delivered  func() map[string]int
	objects    *prometheus.Desc
	oldest     *prometheus.Desc
	deliveries *prometheus.Desc
	open       func(context.Context) (int, error) // nil: no pull requests are opened here
	pulls      *prometheus.Desc
}

func newDriftMetrics() *driftMetrics {
	return &driftMetrics{
		objects:    prometheus.NewDesc("moorgate_drift_objects", "Objects that differ from Git now, or could not be compared, by cause. Only the leading judge counts.", []string{"class"}, nil),
		oldest:     prometheus.NewDesc("moorgate_drift_oldest_seconds", "How long ago the oldest of them was first seen, 0 where there is none.", nil, nil),
		pulls:      prometheus.NewDesc("moorgate_drift_pull_requests", "Pull requests that people have not decided on yet. Only where pull requests are opened.", nil, nil),
		deliveries: prometheus.NewDesc("moorgate_drift_deliveries", "What Flux and Argo CD deliver, each to one namespace, by whether it can be compared with Git. An Event about what delivers says why not.", []string{"class"}, nil),
	}
}

// watch has what stands, and what is delivered, counted from now on.
func (m *driftMetrics) watch(of func() []drift.Standing, delivered func() map[string]int) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.of, m.delivered = of, delivered
}

// watchPulls has open pull requests counted from now on.
func (m *driftMetrics) watchPulls(open func(context.Context) (int, error)) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.open = open
}

// Describe is for the registry.
func (m *driftMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.objects
	ch <- m.oldest
	ch <- m.deliveries
	ch <- m.pulls
}

// Collect counts when it is asked.
func (m *driftMetrics) Collect(ch chan<- prometheus.Metric) {
	m.lock.Lock()
	of, delivered, open := m.of, m.delivered, m.open
	m.lock.Unlock()
	if open != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if n, err := open(ctx); err == nil { // else it is not known, and no number is
			ch <- prometheus.MustNewConstMetric(m.pulls, prometheus.GaugeValue, float64(n))
		}
	}
	if of == nil {
		return
	}
	count := map[string]int{}
	age := time.Duration(0)
	for _, s := range of() {
		count[closed(drift.Causes(), s.Cause)]++
		age = max(age, time.Since(s.Since))
	}
	for _, class := range append(drift.Causes(), otherLabel) {
		ch <- prometheus.MustNewConstMetric(m.objects, prometheus.GaugeValue, float64(count[class]), class)
	}
	ch <- prometheus.MustNewConstMetric(m.oldest, prometheus.GaugeValue, age.Seconds())
	classes := delivered()
	for _, class := range drift.DeliveryClasses() {
		ch <- prometheus.MustNewConstMetric(m.deliveries, prometheus.GaugeValue, float64(classes[class]), class)
	}
}
