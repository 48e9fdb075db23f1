package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/test/cluster"
	"moorgate.dev/test/process"
)

const (
	readyIn  = time.Minute
	patience = 30 * time.Second // with one request to the API server
)

// bench is a cluster with all that is measured in it.
type bench struct {
	o        options
	progress io.Writer
	c        *cluster.Cluster
	admin    kubernetes.Interface
	objects  client.Client // of Moorgate's own kinds too
	gate     *process.Moorgate
	nothing  *nothing
	trusted  []byte        // the roots of the gate's certificate
	idle     time.Duration // of a processor, that the gate uses in a second without requests
	report   report
}

// measure does everything, and prints what came of it.
func measure(ctx context.Context, o options, out, progress io.Writer) (err error) {
	ctrl.SetLogger(logr.Discard()) // nobody's progress
	b := &bench{o: o, progress: progress, report: newReport(ctx, o)}
	defer b.close()
	if err := b.open(ctx); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{{"straight", b.straight}, {"through", b.through}, {"seats", b.seats}} {
		if o.wants(part.name) {
			if err := part.run(ctx); err != nil {
				return fmt.Errorf("measure %s: %w", part.name, err)
			}
		}
	}
	if err := b.remember("after all requests"); err != nil {
		return err
	}
	b.report.LoadAfter = loadAverage()
	if o.output == "json" {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(b.report)
	}
	return b.report.markdown(out)
}

func (b *bench) say(format string, args ...any) {
	_, _ = fmt.Fprintf(b.progress, "load: "+format+"\n", args...)
}

// open starts the cluster and what is measured in it. The caller closes it, also after an error.
func (b *bench) open(ctx context.Context) error {
	b.say("starting an API server")
	var err error
	if b.c, err = cluster.Start(ctx, cluster.Options{Still: true, Progress: b.progress}); err != nil {
		return err
	}
	if err := b.clients(); err != nil {
		return err
	}
	if b.o.binary == "" {
		b.say("building moorgate")
		if b.o.binary, err = process.Build(ctx, b.c.Dir()); err != nil {
			return err
		}
	}
	if err := process.Install(ctx, b.o.binary, b.c, io.Discard); err != nil {
		return err
	}
	b.say("writing %d nodes and %d pods", b.o.nodes, b.o.pods)
	began := time.Now()
	if err := (&filler{client: b.admin, o: b.o, each: perShop}).fill(ctx); err != nil {
		return err
	}
	b.say("written in %s", time.Since(began).Round(time.Second/10))
	if err := b.guardrails(ctx); err != nil {
		return err
	}
	folder, err := b.folder("nothing")
	if err != nil {
		return err
	}
	if b.nothing, err = startNothing(folder); err != nil {
		return err
	}
	return b.startGate(ctx)
}

func (b *bench) clients() error {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return err
	}
	var err error
	if b.objects, err = client.New(b.c.Config(), client.Options{Scheme: scheme}); err == nil {
		b.admin, err = b.person("")
	}
	return err
}

// person is a client of somebody in the group people, who may do everything, but whose requests take seats as everybody's do. The
// empty name is the cluster's admin, whose requests take none.
func (b *bench) person(name string) (kubernetes.Interface, error) {
	config := b.c.Config()
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeProtobuf, runtime.ContentTypeProtobuf+","+runtime.ContentTypeJSON
	config.Timeout = patience
	config.WarningHandler = rest.NoWarnings{} // there are thousands; what became of requests is counted
	if name != "" {
		config.Impersonate = rest.ImpersonationConfig{UserName: name, Groups: []string{people, "system:authenticated"}}
	}
	return kubernetes.NewForConfig(config)
}

// folder makes a folder that is removed with the cluster.
func (b *bench) folder(name string) (string, error) {
	path := filepath.Join(b.c.Dir(), "load-"+name)
	if err := os.Mkdir(path, 0o700); err != nil {
		return "", fmt.Errorf("make a folder for %s: %w", name, err)
	}
	return path, nil
}

// guardrails has rollouts refused in the namespaces that are judged, and, in that of the model, has its word waited for.
func (b *bench) guardrails(ctx context.Context) error {
	for _, text := range []string{
		`{metadata: {name: load}, spec: {namespaceSelector: {matchLabels: {` + judged + `: judged}}, thresholds: {warnBelow: 80, denyBelow: 50}, admission: {mode: Enforce}}}`,
		`{metadata: {name: load-model}, spec: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ` + modelNamespace + `}}, thresholds: {warnBelow: 80, denyBelow: 50, confidenceBelow: 0},
		  admission: {mode: Enforce, onAdvice: Deny, onPending: Retry, pendingFor: 30s}, model: {tokensPerNamespaceDay: 1000000000}}}`,
	} {
		var g v1alpha1.Guardrail
		if err := yaml.UnmarshalStrict([]byte(text), &g); err != nil {
			return fmt.Errorf("read a Guardrail: %w", err)
		}
		if err := b.objects.Create(ctx, &g); err != nil {
			return fmt.Errorf("create Guardrail %s: %w", g.Name, err)
		}
	}
	return nil
}

// startGate starts Moorgate's webhook, and waits until it is warm and at rest.
func (b *bench) startGate(ctx context.Context) error {
	b.say("starting moorgate webhook")
	folder, err := b.folder("gate")
	if err != nil {
		return err
	}
	if b.gate, err = process.StartPart(ctx, b.c, "webhook", process.Options{Binary: b.o.binary, Dir: folder}); err != nil {
		return err
	}
	if b.trusted, err = b.roots(ctx); err != nil {
		return err
	}
	if b.idle, err = b.rest(ctx, b.gate.PID()); err != nil {
		return err
	}
	return b.remember("warm, before requests")
}

// rest waits until a process uses next to nothing of the processors for a second, and returns what it used.
func (b *bench) rest(ctx context.Context, pid int) (idle time.Duration, err error) {
	deadline := time.Now().Add(readyIn)
	for {
		before, err := used(pid)
		if err != nil {
			return 0, err
		}
		if !until(ctx, time.Now().Add(time.Second)) {
			return 0, ctx.Err()
		}
		after, err := used(pid)
		if err != nil {
			return 0, err
		}
		if idle = after - before; idle <= 2*tick || time.Now().After(deadline) {
			return idle, nil
		}
	}
}

func (b *bench) remember(when string) error {
	now, program, peak, err := memory(b.gate.PID())
	if err != nil {
		return err
	}
	b.say("moorgate, %s: %.0f MiB, %.0f MiB of them pages of its program; at most %.0f MiB so far", when, now, program, peak)
	b.report.Memory = append(b.report.Memory, memoryRow{When: when, MiB: round(now), ProgramMiB: round(program), PeakMiB: round(peak)})
	return nil
}

func (b *bench) close() {
	if b.gate != nil {
		b.gate.Stop()
	}
	if b.nothing != nil {
		b.nothing.stop()
	}
	if b.c != nil {
		b.c.Stop()
	}
}

// gateEnded is why the gate ended, where it did.
func (b *bench) gateEnded() error {
	select {
	case <-b.gate.Exited():
		return errors.New("moorgate ended; the end of its log:\n" + b.gate.LogTail())
	default:
		return nil
	}
}
