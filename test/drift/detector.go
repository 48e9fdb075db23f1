package main

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

func gitSource(namespace string) *v1alpha1.GitSource {
	return &v1alpha1.GitSource{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "shop"},
		Spec: v1alpha1.GitSourceSpec{URL: "https://git.invalid/shop", Branch: "main"}}
}

// detector is one for which Git is the same in all namespaces.
func detector(k client.Client, tree drift.Tree) *drift.Detector {
	return &drift.Detector{Client: k, Log: &memoryLog{}, Now: time.Now, Cases: cluster.Cases{Client: k, Now: time.Now}, Guardrails: cluster.Guardrails{Reader: k, Now: time.Now},
		Circumstances: cluster.Circumstances{Ledger: func(context.Context) (gate.Ledger, []gate.Tally, error) { return gate.Ledger{}, nil, nil }},
		Git: func(_ context.Context, _ drift.Repository, known string) (drift.Tree, error) {
			if known == tree.Commit {
				return drift.Tree{Commit: tree.Commit, Time: tree.Time}, nil
			}
			return tree, nil
		}}
}

// memoryLog counts records.
type memoryLog struct {
	sync.Mutex
	n uint64
}

func (l *memoryLog) Append(context.Context, gate.Record) (gate.Position, error) {
	l.Lock()
	defer l.Unlock()
	l.n++
	return gate.Position{Log: "measured", Sequence: l.n}, nil
}
