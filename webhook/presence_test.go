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
	for i := range namesMax + 100 {
		s.Exists("shop", strconv.Itoa(i)) // nobody answers: the queue is full after a while, and that blocks nobody
	}
	if len(s.names) > namesMax {
		t.Errorf("%d names are kept", len(s.names))
	}
}
