package webhook

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"moorgate.dev/internal/gate"
)

func TestSecretsAreAskedAboutInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		asked, there := 0, false
		s := &SecretProber{Now: time.Now, Ask: func(context.Context, string, string) gate.Fact[bool] {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return gate.Known(there)
		}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = s.Start(ctx) }()
		is := func(step, want string, questions int) {
			t.Helper()
			f := s.Exists("shop", "token")
			synctest.Wait()
			got, known := f.Get()
			said := "unknown"
			if known {
				said = strconv.FormatBool(got)
			}
			mu.Lock()
			defer mu.Unlock()
			if said != want || asked != questions {
				t.Errorf("%s: %s after %d questions, want %s after %d", step, said, asked, want, questions)
			}
		}
		is("a new name is unknown, and asked about", "unknown", 1)
		is("the answer is remembered", "false", 1)
		time.Sleep(absentFor)
		mu.Lock()
		there = true
		mu.Unlock()
		is("absence is asked about again after a while, and still given", "false", 2)
		is("it has come", "true", 2)
		time.Sleep(presentFor - time.Second)
		is("presence lasts longer", "true", 2)
		time.Sleep(3 * presentFor)
		is("an answer that nobody asked about for long is not given", "unknown", 3)
		s.Again("shop", "token")
		synctest.Wait()
		is("somebody may insist", "true", 4)
		cancel()
		<-done
	})
}

func TestSecretNamesAreBounded(t *testing.T) {
	s := &SecretProber{Now: at(noon), Ask: func(context.Context, string, string) gate.Fact[bool] { return gate.Known(true) }}
	for n := range 20 {
		for i := range namesMax / 4 {
			s.Exists("shop"+strconv.Itoa(n), strconv.Itoa(i)) // nobody answers: the queue is full after a while, and that blocks nobody
		}
	}
	kept := 0
	for ns, names := range s.names {
		kept += len(names)
		if len(names) > namesShare || s.asked[ns] > pendingShare {
			t.Errorf("%d names of %s are kept, and %d asked about", len(names), ns, s.asked[ns])
		}
	}
	if kept > namesMax || kept != s.kept || len(s.names) > 20 {
		t.Errorf("%d names of %d namespaces are kept, and %d counted", kept, len(s.names), s.kept)
	}
}

func TestOneNamespaceNeverPushesOutAnother(t *testing.T) {
	s := &SecretProber{Now: at(noon), Ask: func(context.Context, string, string) gate.Fact[bool] { return gate.Known(true) }}
	s.Exists("shop", "token")
	s.probe(t.Context(), <-s.line())
	for i := range 10 * namesMax {
		s.Exists("crowd", strconv.Itoa(i))
	}
	if n := len(s.names["crowd"]); n > namesShare {
		t.Errorf("%d names of one namespace are kept", n)
	}
	if there, known := s.Exists("shop", "token").Get(); !there || !known {
		t.Error("another namespace's names pushed out what is known of this one's")
	}
	s.Exists("shop", "late")
	for range pendingShare {
		<-s.line()
	}
	if key := <-s.line(); key.Name != "late" {
		t.Errorf("%s is asked about, want the other namespace's name", key)
	}
}
