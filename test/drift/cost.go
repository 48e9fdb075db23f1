package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

// calls counts requests by method where they leave.
type calls struct {
	sync.Mutex
	next http.RoundTripper
	n    map[string]int
}

func (c *calls) RoundTrip(r *http.Request) (*http.Response, error) {
	c.Lock()
	c.n[r.Method]++
	c.Unlock()
	return c.next.RoundTrip(r)
}

// take answers what was counted since the last time.
func (c *calls) take() map[string]int {
	c.Lock()
	defer c.Unlock()
	n := c.n
	c.n = map[string]int{}
	return n
}

func sum(n map[string]int) int {
	all := 0
	for _, one := range n {
		all += one
	}
	return all
}

// counting is a config whose requests are counted, and which nothing slows down.
func counting(config *rest.Config) (*rest.Config, *calls) {
	config, c := rest.CopyConfig(config), &calls{n: map[string]int{}}
	config.QPS = -1
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		c.next = next
		return c
	})
	return config, c
}

func clientOf(config *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	return client.New(config, client.Options{Scheme: scheme})
}

// serverUsed is the processor time that the API server has used since it began, by its own word.
func serverUsed(ctx context.Context, kube kubernetes.Interface) (time.Duration, error) {
	text, err := kube.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask what the API server used: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "process_cpu_seconds_total "); ok {
			seconds, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			return time.Duration(seconds * float64(time.Second)), err
		}
	}
	return 0, errors.New("the API server does not say what it used")
}

// selfUsed is the processor time of this process, and the most memory that it ever had.
func selfUsed() (time.Duration, float64, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0, fmt.Errorf("ask what this process used: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), float64(u.Maxrss) / 1024, nil
}
