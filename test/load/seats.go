package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"moorgate.dev/webhook"
)

const (
	othersRate = 20 // requests a second of each kind, of those who use the API server meanwhile
	configs    = 20 // ConfigMaps that they list

	othersPatience = 10 * time.Second // after the last was sent
)

// scene is one of the ways to have a model asked about applies.
type scene struct {
	name, namespace string
	grace           time.Duration // for which applies are still waited for once the last is sent
}

func scenes(o options) []scene {
	return []scene{
		{"none", noNamespace, o.model},
		{"Moorgate, which has the client come again", modelNamespace, 35 * time.Second},
		{"one that asks while the request waits", holdNamespace, o.model},
	}
}

// seats applies Deployments at a fixed rate while a model takes its time, and asks what others feel of it.
func (b *bench) seats(ctx context.Context) error {
	if err := b.admit(ctx); err != nil {
		return err
	}
	if err := b.register(ctx, holdNamespace, "/hold/"+b.o.model.String()); err != nil {
		return err
	}
	stop, err := b.startModel(ctx)
	if err != nil {
		return err
	}
	defer func() { stop() }()
	known, err := b.known(ctx)
	if err != nil {
		return err
	}
	for _, s := range scenes(b.o) {
		b.say("applies, %d/s for %s with a model that takes %s: %s", b.o.applies, b.o.window(), b.o.model, s.name)
		r, err := b.play(ctx, s)
		if err != nil {
			return err
		}
		b.report.Seats = append(b.report.Seats, r)
	}
	if err := b.heard(ctx); err != nil {
		return err
	}
	stop() // it catches up with all of those applies, and has no part in what is measured next
	stop = func() {}
	return b.compare(ctx, known)
}

// known has a model asked about a change, and is the question about it, once the model's word is on its Case.
func (b *bench) known(ctx context.Context) (question, error) {
	body, err := reviewOf(nil, deployment(modelNamespace, "known", "1.0.0"), false)
	if err != nil {
		return question{}, err
	}
	q := question{what: "create, the model's word known", body: body, rate: b.o.rate, target: 3, scored: true}
	send := sender("https://"+b.gate.Address()+webhook.Path, b.trusted, q, true)
	deadline := time.Now().Add(readyIn)
	for asked := false; ; {
		err := send(ctx, 0)
		if asked && err == nil {
			return q, nil
		}
		asked = asked || err != nil // to come again
		if time.Now().After(deadline) || !until(ctx, time.Now().Add(time.Second)) {
			return question{}, fmt.Errorf("wait until a model was asked (%v): %w", asked, err)
		}
	}
}

// play has applies sent and, while they are, others at work.
func (b *bench) play(ctx context.Context, s scene) (seatsRow, error) {
	applier, err := b.person("applier")
	if err != nil {
		return seatsRow{}, err
	}
	o, err := b.others(ctx, s)
	if err != nil {
		return seatsRow{}, err
	}
	var applies tally
	var level seatsLevel
	var meanwhile sync.WaitGroup
	meanwhile.Go(func() {
		patient, release := context.WithTimeout(ctx, b.o.window()+othersPatience)
		defer release()
		o.work(patient, b.o.window())
	})
	meanwhile.Go(func() {
		watching, cancel := context.WithTimeout(ctx, b.o.window())
		defer cancel()
		level.watch(watching, b.c.Config())
	})
	patient, release := context.WithTimeout(ctx, b.o.window()+s.grace)
	defer release()
	applies.pour(patient, b.o.applies, b.o.window(), func(ctx context.Context, n int) error {
		return apply(ctx, applier, deployment(s.namespace, fmt.Sprintf("applied-%d", n), "1.0.0"))
	})
	meanwhile.Wait()
	return rowOfSeats(s.name, &applies, o, &level), ctx.Err()
}

// apply is a server-side apply by a client that comes again by itself where it is told to.
func apply(ctx context.Context, c kubernetes.Interface, d *appsv1.Deployment) error {
	text, err := yaml.Marshal(d)
	if err != nil {
		return err
	}
	_, err = c.AppsV1().Deployments(d.Namespace).Patch(ctx, d.Name, types.ApplyPatchType, text, metav1.PatchOptions{FieldManager: "load"})
	return err
}

// others are those who use the API server for something else.
type others struct {
	client          kubernetes.Interface
	prefix          string
	get, list, post tally
}

func (b *bench) others(ctx context.Context, s scene) (*others, error) {
	c, err := b.person("other")
	if err != nil {
		return nil, err
	}
	for i := range configs {
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("config-%d", i)}, Data: map[string]string{"key": "value"}}
		if err := ignore(b.admin.CoreV1().ConfigMaps(othersNamespace).Create(ctx, cm, metav1.CreateOptions{})); err != nil {
			return nil, fmt.Errorf("create a ConfigMap: %w", err)
		}
	}
	return &others{client: c, prefix: s.namespace}, nil
}

// work sends each kind of request at its rate until the window is over.
func (o *others) work(ctx context.Context, window time.Duration) {
	maps := o.client.CoreV1().ConfigMaps(othersNamespace)
	posted := o.client.CoreV1().ConfigMaps(postsNamespace)
	kinds := []func(){
		func() {
			o.get.pour(ctx, othersRate, window, func(ctx context.Context, n int) error {
				_, err := maps.Get(ctx, fmt.Sprintf("config-%d", n%configs), metav1.GetOptions{})
				return err
			})
		},
		func() {
			o.list.pour(ctx, othersRate, window, func(ctx context.Context, _ int) error {
				_, err := maps.List(ctx, metav1.ListOptions{})
				return err
			})
		},
		func() {
			o.post.pour(ctx, othersRate, window, func(ctx context.Context, n int) error {
				cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", o.prefix, n)}, Data: map[string]string{"key": "value"}}
				_, err := posted.Create(ctx, cm, metav1.CreateOptions{})
				return err
			})
		},
	}
	var side sync.WaitGroup
	for _, kind := range kinds {
		side.Go(kind)
	}
	side.Wait()
}
