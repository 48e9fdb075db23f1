package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/test/cluster"
	"moorgate.dev/test/process"
)

const (
	judgeWait  = 5 * time.Second // that the judge lets a pod wait, so that a burst is one look
	burst      = 10 * time.Second
	settleIn   = time.Minute // for the last Cases of a rate
	crashing   = 10          // pods of a Deployment that begin to crash, at most
	remediates = "remediate"
)

// rates are how many Warning events come in a second, one rate after the other. The last is a burst.
var rates = []int{30, 100, 300, 1000}

// flood is a cluster in which events rain on a judge.
type flood struct {
	bench
	next int // the Deployment that is the next to fail

	mu     sync.Mutex
	rang   map[string]time.Time // by Deployment: when the event about its first crash was stored
	judged map[string]time.Time // when its Case had a verdict
	cases  int
}

// measureEvents measures one rate after the other, and prints what came of it.
func measureEvents(ctx context.Context, o options, out, progress io.Writer) error {
	ctrl.SetLogger(logr.Discard())
	f := &flood{bench: bench{o: o, progress: progress, report: newReport(ctx, o)}, rang: map[string]time.Time{}, judged: map[string]time.Time{}}
	defer f.close()
	if err := f.open(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := f.follow(ctx); err != nil {
		return err
	}
	var rows []eventsRow
	for i, rate := range rates {
		window := time.Duration(o.minutes * float64(time.Minute))
		if i == len(rates)-1 {
			window = min(window, burst)
		}
		row, err := f.rain(ctx, rate, window, (o.owners-f.next)/(len(rates)-i))
		if err != nil {
			return fmt.Errorf("measure %d events a second: %w", rate, err)
		}
		rows = append(rows, row)
	}
	f.report.LoadAfter = loadAverage()
	return f.report.events(out, o, rows)
}

// open starts the cluster and the judge. The caller closes it, also after an error.
func (f *flood) open(ctx context.Context) error {
	f.say("starting an API server")
	var err error
	if f.c, err = cluster.Start(ctx, cluster.Options{Still: true, Progress: f.progress}); err != nil {
		return err
	}
	if err := f.clients(); err != nil {
		return err
	}
	if f.o.binary == "" {
		f.say("building moorgate")
		if f.o.binary, err = process.Build(ctx, f.c.Dir()); err != nil {
			return err
		}
	}
	if err := process.Install(ctx, f.o.binary, f.c, io.Discard); err != nil {
		return err
	}
	f.say("writing %d nodes, and %d pods of %d Deployments", f.o.nodes, f.o.pods, f.o.owners)
	began := time.Now()
	if err := (&filler{client: f.admin, o: f.o, each: f.each()}).fill(ctx); err != nil {
		return err
	}
	f.say("written in %s; starting moorgate judge", time.Since(began).Round(time.Second/10))
	folder, err := f.folder("judge")
	if err != nil {
		return err
	}
	if f.gate, err = process.StartPart(ctx, f.c, "judge", process.Options{Binary: f.o.binary, Dir: folder}); err != nil {
		return err
	}
	if f.idle, err = f.rest(ctx, f.gate.PID()); err != nil {
		return err
	}
	return f.remember("warm, before events")
}

// each is how many pods a Deployment has.
func (f *flood) each() int { return f.o.pods / f.o.owners }

// follow notes when each Case has a verdict.
func (f *flood) follow(ctx context.Context) error {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return err
	}
	c, err := client.NewWithWatch(f.c.Config(), client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	stream, err := c.Watch(ctx, &v1alpha1.CaseList{})
	if err != nil {
		return fmt.Errorf("watch Cases: %w", err)
	}
	go func() {
		defer stream.Stop()
		seen := map[string]bool{}
		for {
			select {
			case <-ctx.Done():
				return
			case e, open := <-stream.ResultChan():
				if !open {
					return // what is not seen is told as missing
				}
				if k, ok := e.Object.(*v1alpha1.Case); ok && k.Spec.Signal.Face == remediates {
					f.note(k, seen)
				}
			}
		}
	}()
	return nil
}

func (f *flood) note(k *v1alpha1.Case, seen map[string]bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if key := k.Namespace + "/" + k.Name; !seen[key] {
		seen[key] = true
		f.cases++
	}
	if _, known := f.judged[k.Spec.Subject.Name]; !known && meta.IsStatusConditionTrue(k.Status.Conditions, v1alpha1.CaseJudged) {
		f.judged[k.Spec.Subject.Name] = time.Now()
	}
}

// rain has events come in at a rate about pods that are well, and meanwhile has some Deployments begin to fail, evenly spread.
func (f *flood) rain(ctx context.Context, rate int, window time.Duration, fail int) (eventsRow, error) {
	f.say("%d events a second for %s, while %d Deployments begin to fail", rate, window.Round(time.Second/10), fail)
	before, err := used(f.gate.PID())
	if err != nil {
		return eventsRow{}, err
	}
	began := time.Now()
	var noise tally
	var pouring sync.WaitGroup
	pouring.Go(func() { noise.pour(ctx, rate, window, f.chatter) })
	var names []string
	for i := range fail {
		if !until(ctx, began.Add(window*time.Duration(i)/time.Duration(fail))) {
			break
		}
		name, failed := f.fail(ctx)
		err = errors.Join(err, failed)
		names = append(names, name)
	}
	pouring.Wait()
	took := time.Since(began)
	f.settle(ctx, names)
	after, usedErr := used(f.gate.PID())
	if err := errors.Join(err, usedErr, ctx.Err(), f.gateEnded()); err != nil {
		return eventsRow{}, err
	}
	row := f.row(rate, names, &noise)
	row.CPU = round2(100 * float64(after-before) / float64(took))
	return row, f.remember(fmt.Sprintf("after %d events a second", rate))
}

// chatter is one event about a pod that is well.
func (f *flood) chatter(ctx context.Context, _ int) error {
	i := rand.N(f.o.owners * f.each())
	return f.event(ctx, i/f.each(), i, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
}

func (f *flood) event(ctx context.Context, app, pod int, reason, text string) error {
	ns, name, now := shop(app), podName(fmt.Sprintf("app-%d-%s", app, templateHash), pod), metav1.Now()
	e := &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: ns, GenerateName: name + "."}, Type: corev1.EventTypeWarning, Reason: reason, Message: text, Count: 1,
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", APIVersion: "v1", Namespace: ns, Name: name, FieldPath: "spec.containers{app}"},
		FirstTimestamp: now, LastTimestamp: now, Source: corev1.EventSource{Component: "kubelet"}}
	_, err := f.admin.CoreV1().Events(ns).Create(ctx, e, metav1.CreateOptions{})
	return err
}

// fail makes pods of the next Deployment crash-loop, and tells of it as the kubelet would.
func (f *flood) fail(ctx context.Context) (string, error) {
	app := f.next
	f.next++
	ns, name := shop(app), fmt.Sprintf("app-%d", app)
	first := app * f.each()
	var pods []func(context.Context) error
	for i := range min(f.each(), crashing) {
		pods = append(pods, func(ctx context.Context) error { return f.crash(ctx, ns, podName(name+"-"+templateHash, first+i)) })
	}
	if err := all(ctx, pods); err != nil {
		return name, err
	}
	err := f.event(ctx, app, first, "BackOff", "Back-off restarting failed container app in pod")
	f.mu.Lock()
	f.rang[name] = time.Now()
	f.mu.Unlock()
	return name, err
}

func (f *flood) crash(ctx context.Context, ns, name string) error {
	pods := f.admin.CoreV1().Pods(ns)
	p, err := pods.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	s := &p.Status.ContainerStatuses[0]
	ended := metav1.NewTime(time.Now().Add(-20 * time.Second))
	s.Ready, s.Started, s.RestartCount = false, new(false), 4
	s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 1m20s restarting failed container"}}
	s.LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", StartedAt: ended, FinishedAt: ended}}
	_, err = pods.UpdateStatus(ctx, p, metav1.UpdateOptions{})
	return err
}

// settle waits until all that failed have a verdict, or for as long as they may take.
func (f *flood) settle(ctx context.Context, names []string) {
	for deadline := time.Now().Add(settleIn); time.Now().Before(deadline) && until(ctx, time.Now().Add(time.Second/10)); {
		missing := 0
		f.mu.Lock()
		for _, name := range names {
			if _, known := f.judged[name]; !known {
				missing++
			}
		}
		f.mu.Unlock()
		if missing == 0 {
			return
		}
	}
}
