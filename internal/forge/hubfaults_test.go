package forge

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"moorgate.dev/test/github"
)

// TestL10OneDriftIsOnePullRequest has two processes propose the same drift a thousand times, while GitHub fails in every way that it is
// known for. Elsewhere one cause became 36 merged pull requests.
func TestL10OneDriftIsOnePullRequest(t *testing.T) {
	s := onHub(t)
	p := s.proposal()
	faults := []github.Fault{github.Abuse, github.TooMany, github.Broken, github.Unavailable, github.BadGateway, {Lost: true}, {Cut: true},
		{Status: 200, Body: `{"message":`}, {Status: 429, Header: map[string]string{"Retry-After": "7200"}}}
	var lock sync.Mutex
	dice := rand.New(rand.NewPCG(1, 2))
	happened := 0
	s.server.Script(func(github.Request) github.Fault {
		lock.Lock()
		defer lock.Unlock()
		if dice.IntN(3) > 0 {
			return github.Fault{}
		}
		happened++
		return faults[dice.IntN(len(faults))]
	})
	counts := map[State]int{}
	failures := 0
	var both sync.WaitGroup
	for range 2 {
		h := s.hub()
		both.Go(func() {
			for range 500 {
				o, err := h.Propose(t.Context(), p)
				lock.Lock()
				counts[o.State]++
				if err != nil {
					failures++
				}
				if err != nil && (strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "planted")) {
					t.Errorf("an error says %v", err)
				}
				lock.Unlock()
			}
		})
	}
	both.Wait()
	s.server.Script(nil)
	s.propose(s.hub(), p, Unchanged)
	branch := branchOf(p.Key)
	c := s.repo.Commit(s.repo.Head(branch))
	if len(s.repo.Pulls()) != 1 || len(s.open()) != 1 || len(s.repo.Branches()) != 2 || len(c.ParentHashes) != 1 || c.ParentHashes[0].String() != p.BaseCommit {
		t.Errorf("%d pull requests, branches %v, and the commit %s", len(s.repo.Pulls()), s.repo.Branches(), c)
	}
	s.fsck()
	t.Logf("1,000 proposals, %d faults: %v, of which %d could not be said", happened, counts, failures)
	if happened < 100 || counts[Unchanged] < 100 {
		t.Error("too little happened to show anything")
	}
}

// Each fault by itself, at each request of a proposal: the next call makes it good.
func TestAnyFaultAnywhereIsMadeGood(t *testing.T) {
	count := onHub(t)
	count.propose(count.hub(), count.proposal(), Opened)
	steps := len(count.server.Requests())
	faults := map[string]github.Fault{"a lost answer": {Lost: true}, "a cut answer": {Cut: true}, "500": github.Broken, "abuse": github.Abuse,
		"a long wait": {Status: 403, Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4000000000"}}}
	for name, fault := range faults {
		for at := 1; at <= steps; at++ {
			s := onHub(t)
			s.server.Script(func(r github.Request) github.Fault {
				if r.Number == at {
					return fault
				}
				return github.Fault{}
			})
			if _, err := s.hub().Propose(t.Context(), s.proposal()); err != nil && strings.Contains(err.Error(), token) {
				t.Errorf("%s at %d: %v", name, at, err)
			}
			s.server.Script(nil)
			if o, err := s.hub().Propose(t.Context(), s.proposal()); err != nil || len(s.repo.Pulls()) != 1 || s.repo.Files(branchOf(s.proposal().Key))["deploy/web.yaml"] != after {
				t.Errorf("%s at request %d: got %+v (%v), and %d pull requests", name, at, o, err, len(s.repo.Pulls()))
			}
		}
	}
}

// storm is a bad apply over 300 objects.
func (s *hubStage) storm() []Proposal {
	var all []Proposal
	if _, there := s.repo.Files("main")["apps/0.yaml"]; !there {
		files := map[string]string{}
		for i := range 300 {
			files[fmt.Sprintf("apps/%d.yaml", i)] = before
		}
		s.repo.Push("main", files)
	}
	base := s.proposal()
	for i := range 300 {
		p := base
		p.Key, p.Files = digits(1000+i), map[string][]byte{fmt.Sprintf("apps/%d.yaml", i): []byte(after)}
		p.Labels = nil
		all = append(all, p)
	}
	return all
}

func TestAStormBecomesAFewPullRequestsAndOneDigest(t *testing.T) {
	s := onHub(t)
	counts := map[State]int{}
	round := func() {
		var waiting []Item
		hubs := []*Hub{s.hub(), s.hub()} // one process takes over from another, in the middle of it
		for i, p := range s.storm() {
			o, err := hubs[i/150].Propose(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			counts[o.State]++
			if o.State == Held {
				waiting = append(waiting, Item{Object: fmt.Sprintf("Deployment shop/app-%d", i), Case: fmt.Sprintf("shop/drift-%d", i)})
			}
		}
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if o, err := s.hub().Digest(t.Context(), "acme/shop", waiting); err != nil || o.Number == 0 {
					t.Errorf("got %+v (%v)", o, err)
				}
			})
		}
		both.Wait()
	}
	openDigests := func() (open []github.Issue) {
		for _, i := range s.repo.Issues() {
			if i.State == "open" {
				open = append(open, i)
			}
		}
		return open
	}
	round()
	if counts[Opened] != 5 || counts[Held] != 295 || len(s.open()) != 5 || len(openDigests()) != 1 || !strings.Contains(openDigests()[0].Body, "and 195 more") {
		t.Fatalf("%v, and the digests are %d", counts, len(openDigests()))
	}
	for _, p := range s.open() {
		s.repo.Merge(p.Number) // people make room: no more than ten in an hour all the same
	}
	round()
	for _, p := range s.open() {
		s.repo.Close(p.Number)
	}
	round()
	if len(s.repo.Pulls()) != 10 || len(s.open()) != 0 {
		t.Errorf("%d pull requests in an hour", len(s.repo.Pulls()))
	}
	s.pass(time.Hour)
	round()
	if len(s.open()) != 5 || len(openDigests()) != 1 {
		t.Errorf("%d open, and %d digests", len(s.open()), len(openDigests()))
	}
	number := openDigests()[0].Number
	if o, err := s.hub().Digest(t.Context(), "acme/shop", nil); err != nil || o.State != Withdrawn || o.Number != number || len(openDigests()) != 0 {
		t.Errorf("got %+v (%v)", o, err)
	}
}

func TestADigestThatAPersonClosedStaysClosed(t *testing.T) {
	s := onHub(t)
	items := []Item{{"Deployment shop/b", "shop/drift-b"}, {"Deployment shop/@a | x", "shop/drift-a"}}
	digest := func(items []Item, want State) {
		t.Helper()
		if o, err := s.hub().Digest(t.Context(), "acme/shop", items); err != nil || o.State != want {
			t.Fatalf("got %+v (%v), want %s", o, err, want)
		}
	}
	digest(nil, Nothing)
	digest(items, Opened)
	digest([]Item{items[1], items[0]}, Unchanged)
	s.repo.Close(1)
	digest(items, Rejected)
	digest(items[:1], Opened)
	digest(items, Updated)
}

func TestLongWaitsAreSaidAndShortOnesWaited(t *testing.T) {
	s := onHub(t)
	s.server.Script(func(r github.Request) github.Fault {
		if r.Number == 1 {
			return github.Fault{Status: 429, Header: map[string]string{"Retry-After": "40"}}
		}
		return github.Fault{}
	})
	began := s.now()
	s.propose(s.hub(), s.proposal(), Opened)
	if waited := s.now().Sub(began); waited < 40*time.Second || waited > time.Minute {
		t.Errorf("it waited %s", waited)
	}
	s.server.Script(func(github.Request) github.Fault {
		return github.Fault{Status: 429, Header: map[string]string{"Retry-After": "3600"}}
	})
	_, err := s.hub().Propose(t.Context(), s.proposal())
	if limited := (*Limited)(nil); !errors.As(err, &limited) || !limited.Until.Equal(s.now().Add(time.Hour)) {
		t.Errorf("got %v, want to wait an hour", err)
	}
}

func TestWritesAreASecondApart(t *testing.T) {
	s := onHub(t)
	began := s.now()
	s.propose(s.hub(), s.proposal(), Opened)
	writes := 0
	for _, r := range s.server.Requests() {
		if r.Method != http.MethodGet {
			writes++
		}
	}
	if waited := s.now().Sub(began); waited != time.Duration(writes-1)*time.Second {
		t.Errorf("%d writes took %s", writes, waited)
	}
}
