package cluster

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// startComponents starts each component as soon as what it needs is ready.
func (c *Cluster) startComponents(ctx context.Context, bin string, p ports, opts Options) error {
	if err := c.run(bin, "etcd", etcdArgs(c.dir, p)); err != nil {
		return err
	}
	if err := c.await(ctx, "etcd", listening(p.etcd)); err != nil {
		return err
	}
	if err := c.run(bin, "kube-apiserver", apiserverArgs(c.dir, p)); err != nil {
		return err
	}
	if err := c.await(ctx, "kube-apiserver", c.healthy(p.apiserver, "/readyz")); err != nil {
		return err
	}
	if opts.Still {
		return c.addStorageClass(ctx)
	}
	if err := errors.Join(
		c.run(bin, "kube-controller-manager", controllersArgs(c.dir, p)),
		c.run(bin, "kube-scheduler", schedulerArgs(c.dir, p)),
		c.run(bin, "kwok", kwokArgs(c.dir, p)),
		c.addStorageClass(ctx),
	); err != nil {
		return err
	}
	names, err := c.createNodes(ctx, opts.Nodes)
	if err != nil {
		return err
	}
	for _, wait := range []struct {
		on    string
		probe func(context.Context) error
	}{
		{"kube-controller-manager", c.healthy(p.controllers, "/healthz")},
		{"kube-controller-manager", c.defaultAccount("default")},
		{"kube-scheduler", c.healthy(p.scheduler, "/readyz")},
		{"kwok", c.healthy(p.kwok, "/healthz")},
		{"kwok", c.nodesReady(names)},
	} {
		if err := c.await(ctx, wait.on, wait.probe); err != nil {
			return err
		}
	}
	return nil
}

// run starts a component. Stop ends it, even if this fails halfway.
func (c *Cluster) run(bin, name string, args []string) error {
	p, err := startProcess(c.dir, c.line, name, exec.Command(filepath.Join(bin, name), args...))
	if p != nil {
		c.processes = append(c.processes, p)
	}
	return err
}

// await polls probe, by which component name is judged, until it succeeds. It fails with the tail of a log when any component or ctx
// ends first.
func (c *Cluster) await(ctx context.Context, name string, probe func(context.Context) error) error {
	for {
		answer := probe(ctx)
		for _, p := range c.processes {
			select {
			case <-p.done:
				return p.failure(fmt.Errorf("wait for %s: %s ended: %w", name, p.name, p.err))
			default:
			}
			if p.name == name && ctx.Err() != nil && answer != nil {
				return p.failure(fmt.Errorf("wait for %s: %w; the last answer: %w", name, ctx.Err(), answer))
			}
		}
		if answer == nil {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(pollEvery):
		}
	}
}
