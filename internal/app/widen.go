package app

import (
	"fmt"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/openapi3"
	"k8s.io/client-go/rest"

	"moorgate.dev/drift"
)

const (
	secretsUsage = "compare Secrets too, by a keyed hash of each value that no other process can make: what is told is which key differs. It takes the right to get the Secrets of " +
		"the namespaces that are compared"
	moreKindsUsage = "kinds of custom resources to compare too, as a GitSource names those that it does not compare: Certificate.cert-manager.io. It takes the right to get them, " +
		"and none to write: how they are merged is what the API server publishes of them"
)

// widen has a Detector compare what has to be asked for.
func widen(d *drift.Detector, config *rest.Config, secrets bool, more []string) error {
	var err error
	if secrets {
		if d.Secrets, err = drift.NewSealer(); err != nil {
			return err
		}
	}
	kinds, err := drift.ParseKinds(more)
	if err != nil {
		return fmt.Errorf("read --more-kinds: %w", err)
	}
	if len(kinds) == 0 {
		return nil
	}
	discoverer, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return fmt.Errorf("prepare to ask what the API server publishes of its kinds: %w", err)
	}
	d.More = &drift.More{Kinds: kinds, Published: openapi3.NewRoot(discoverer.OpenAPIV3()), Now: time.Now}
	return nil
}
