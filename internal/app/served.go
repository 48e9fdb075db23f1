package app

import (
	"context"
	"fmt"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"moorgate.dev/internal/source/chart"
)

// servedBy asks the API server what it serves, in the words in which Helm tells charts.
func servedBy(config *rest.Config) func(context.Context) (chart.Served, error) {
	return func(context.Context) (chart.Served, error) {
		c, err := discovery.NewDiscoveryClientForConfig(config)
		if err != nil {
			return chart.Served{}, fmt.Errorf("prepare to ask what the API server serves: %w", err)
		}
		version, err := c.ServerVersion()
		if err != nil {
			return chart.Served{}, fmt.Errorf("ask the API server for its version: %w", err)
		}
		_, lists, err := c.ServerGroupsAndResources()
		if err != nil {
			return chart.Served{}, fmt.Errorf("ask the API server what it serves: %w", err) // of a group that does not answer a chart could learn the wrong thing
		}
		s := chart.Served{Version: version.GitVersion, Major: version.Major, Minor: version.Minor}
		for _, list := range lists {
			s.APIs = append(s.APIs, list.GroupVersion)
			for _, r := range list.APIResources {
				s.APIs = append(s.APIs, list.GroupVersion+"/"+r.Kind)
			}
		}
		return s, nil
	}
}
