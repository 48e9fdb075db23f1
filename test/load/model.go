package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/test/openai"
	"moorgate.dev/test/process"
)

const (
	sound = `{"cause":"sound","findings":[],"choice":["admit"],"score":95,"confidence":90,"unsure":false,"why":"nothing speaks against it"}`
	terms = "url: %s\npatience: 60s\ntriage: {model: small, samples: 1, price: {}}\nlimits: {concurrent: 1000, callsPerMinute: 1000000, tokensPerDay: 2000000000}\n"
)

// startModel starts a server that stands in for a model, and the judge, which asks it. It returns once the judge is at rest.
func (b *bench) startModel(ctx context.Context) (stop func(), err error) {
	b.say("starting moorgate judge, and what stands in for a model")
	model := openai.Start(openai.Options{Answer: func(openai.Request) openai.Reply { return openai.Reply{Content: sound, After: b.o.model} }})
	folder, err := b.folder("judge")
	config := filepath.Join(folder, "model.yaml")
	if err == nil {
		err = os.WriteFile(config, fmt.Appendf(nil, terms, model.Base()), 0o600)
	}
	var judge *process.Moorgate
	if err == nil {
		judge, err = process.StartPart(ctx, b.c, "judge", process.Options{Binary: b.o.binary, Dir: folder, Args: []string{"--model", config}})
	}
	stop = func() {
		if judge != nil {
			judge.Stop()
		}
		model.Close()
	}
	if err == nil {
		_, err = b.rest(ctx, judge.PID())
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("start the judge: %w", err)
	}
	return stop, nil
}

// heard notes on the row of Moorgate what became of the applies that waited for the model.
func (b *bench) heard(ctx context.Context) error {
	var list v1alpha1.CaseList
	if err := b.objects.List(ctx, &list, client.InNamespace(modelNamespace)); err != nil {
		return fmt.Errorf("list the Cases of those that waited: %w", err)
	}
	with := 0
	for _, c := range list.Items {
		if c.Status.Answer != "" && c.Status.Opinion.Alone == "" {
			with++
		}
	}
	for i := range b.report.Seats {
		if r := &b.report.Seats[i]; r.Webhook == scenes(b.o)[1].name {
			r.Note = fmt.Sprintf("%d Cases, %d with the model's word in time %s", len(list.Items), with, r.Note)
		}
	}
	return nil
}
