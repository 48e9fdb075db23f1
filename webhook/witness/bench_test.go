package witness

import (
	"fmt"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
)

// BenchmarkWitnessHandle is what a request of a person costs while it is held up: a Deployment of 20 kB before and after.
func BenchmarkWitnessHandle(b *testing.B) {
	p := newPlace(b)
	req := request(b, "alice", admissionv1.Update, large(1, "a"), large(1, "b"))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		req.Name = fmt.Sprint("web-", i%4096)
		if !p.handler.Handle(b.Context(), req).Allowed {
			b.Fatal("refused")
		}
		if i%64 == 63 {
			p.pass(waitMost + 1)
		}
	}
}

// BenchmarkWitnessSeen is what it costs afterwards to hold a write against what was stored, until it is told.
func BenchmarkWitnessSeen(b *testing.B) {
	p := newPlace(b)
	req := request(b, "alice", admissionv1.Update, large(1, "a"), large(1, "b"))
	seen := stored(large(1, "b"), 2)
	b.ReportAllocs()
	for b.Loop() {
		p.handler.Handle(b.Context(), req)
		p.see(seen)
		p.book.caps.told = nil
		p.pass(standsFor)
	}
	if len(p.told) == 0 {
		b.Fatal("nothing was told")
	}
}

// BenchmarkWitnessPassing is what an object costs that the watch shows and nobody was asked about: nearly all of them.
func BenchmarkWitnessPassing(b *testing.B) {
	p := newPlace(b)
	o := large(1, "a")
	b.ReportAllocs()
	for b.Loop() {
		p.see(o)
	}
}

func large(version int, value string) *corev1.ConfigMap {
	data := map[string]string{}
	for i := range 100 {
		data[fmt.Sprint("key-", i)] = strings.Repeat(value, 200)
	}
	return configMap(version, data)
}
