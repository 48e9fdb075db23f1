package main

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// pool is how many Deployments are changed in turn.
const pool = 50

// through sends requests through the API server: the same to namespaces that are under different webhooks.
func (b *bench) through(ctx context.Context) error {
	if err := b.register(ctx, nothingNamespace, "/"); err != nil {
		return err
	}
	for _, ns := range []string{noNamespace, nothingNamespace, shop(0)} {
		for i := range pool {
			d := deployment(ns, fmt.Sprintf("pool-%d", i), "1.0.0")
			if _, err := b.admin.AppsV1().Deployments(ns).Create(ctx, d, metav1.CreateOptions{}); err != nil {
				return fmt.Errorf("create a Deployment to change: %w", err)
			}
		}
	}
	for _, kind := range []struct {
		what string
		send func(ns string) func(context.Context, int) error
	}{{"dry-run create, a new template each", b.rehearse}, {"change of an image", b.change}} {
		b.say("through the API server, %d/s for %s: %s", b.o.applies, b.o.window(), kind.what)
		sides := []*side{
			{name: "none", send: kind.send(noNamespace)},
			{name: "does nothing", pid: b.nothing.cmd.Process.Pid, send: kind.send(nothingNamespace)},
			{name: "Moorgate", pid: b.gate.PID(), idle: b.idle, send: kind.send(shop(0))},
		}
		if err := b.takeTurns(ctx, b.o.applies, sides); err != nil {
			return err
		}
		b.report.Through = append(b.report.Through, rowsOf(kind.what, b.o.applies, 10, sides, sides[1])...)
	}
	return nil
}

// rehearse sends dry-run creates.
func (b *bench) rehearse(ns string) func(context.Context, int) error {
	return func(ctx context.Context, n int) error {
		d := deployment(ns, fmt.Sprintf("fresh-%d", n), fmt.Sprintf("1.0.%d", n))
		_, err := b.admin.AppsV1().Deployments(ns).Create(ctx, d, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
}

// change gives Deployments new images.
func (b *bench) change(ns string) func(context.Context, int) error {
	return func(ctx context.Context, n int) error {
		patch := fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"registry.example/shop/app:2.0.%d"}]}}}}`, n)
		_, err := b.admin.AppsV1().Deployments(ns).Patch(ctx, fmt.Sprintf("pool-%d", n%pool), types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
		return err
	}
}
