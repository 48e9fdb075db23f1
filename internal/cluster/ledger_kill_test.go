package cluster_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
)

const (
	// actorVar has this test binary be an actor, whose acts are lines in the file it names, until it is killed.
	actorVar           = "MOORGATE_TEST_ACTOR"
	actorKubeconfigVar = "MOORGATE_TEST_ACTOR_KUBECONFIG"

	killsShort = 40
	killRound  = 20 // kills under one budget, after which the next begins with an empty ledger
	killActors = 3  // at a time

	killTotal  = 250 // in a day, which is longer than any round
	killOne    = 12  // on one workload in killWindow
	killWindow = time.Second
)

func killPolicy() gate.Policy {
	p := budgets(killTotal, killTotal, killOne, 24*time.Hour)
	p.Rails[0].Budgets.Workload.Window = killWindow
	return p
}

// act reserves and acts for ever. It is what a process that acts does, cut down to what may go wrong when it is killed.
func act(file string) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv(actorKubeconfigVar))
	if err != nil {
		return err
	}
	l, err := cluster.NewLedger(config, time.Now)
	if err != nil {
		return err
	}
	l.Grace = 2 * time.Second
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	for {
		id, refused, err := l.Reserve(context.Background(), killPolicy(), eviction("a", fmt.Sprint("w", rand.IntN(12))))
		if err != nil || refused != nil {
			continue // an actor that is refused may ask again; it may not act
		}
		time.Sleep(rand.N(120 * time.Millisecond)) // it logs and claims; here it is killed most often
		if _, err := fmt.Fprintln(f, id, time.Now().UnixNano()); err != nil {
			return err
		}
	}
}

// Rate limits in memory doubled after each restart. Ours are counted where they cannot be forgotten: processes that reserve and
// act are killed at any point, and started again, and however often that happens there are never more acts than there may be.
func TestL19KillBetweenReserveAndActNeverDoublesTheBudget(t *testing.T) {
	s := newLedgerStage(t)
	kills := killsShort
	if text := os.Getenv("MOORGATE_LEDGER_KILLS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		kills = n
	}
	kubeconfig := testcluster.Shared(t).Kubeconfig()
	total, spent := 0, 0
	for round := 0; round*killRound < kills; round++ {
		s.empty(t)
		file := filepath.Join(t.TempDir(), "acts")
		killAndRestart(t, kubeconfig, file)
		acts := actsIn(t, file)
		l, _, err := s.ledger(t, time.Now).Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		checkActs(t, acts, l)
		total, spent = total+len(acts), spent+len(l.Entries)
	}
	t.Logf("%d kills: %d permits were spent, and %d acts done", kills, spent, total)
	if total == 0 {
		t.Error("nothing was ever done")
	}
}

// killAndRestart runs actors beside each other and kills each after a moment, killRound times in all.
func killAndRestart(t *testing.T, kubeconfig, file string) {
	t.Helper()
	var running sync.WaitGroup
	left := make(chan struct{}, killRound)
	for range killRound {
		left <- struct{}{}
	}
	close(left)
	for range killActors {
		running.Go(func() {
			for range left {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), actorVar+"="+file, actorKubeconfigVar+"="+kubeconfig)
				var said strings.Builder
				cmd.Stderr = &said
				if err := cmd.Start(); err != nil {
					t.Error(err)
					return
				}
				time.Sleep(300*time.Millisecond + rand.N(700*time.Millisecond))
				if err := cmd.Process.Kill(); err != nil {
					t.Errorf("an actor ended by itself: %v\n%s", err, said.String())
				}
				_ = cmd.Wait() // killed
			}
		})
	}
	running.Wait()
}

type done struct {
	id string
	at time.Time
}

func actsIn(t *testing.T, file string) []done {
	t.Helper()
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var acts []done
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var d done
		var nanos int64
		if _, err := fmt.Sscan(lines.Text(), &d.id, &nanos); err != nil {
			t.Fatalf("line %q: %v", lines.Text(), err)
		}
		d.at = time.Unix(0, nanos)
		acts = append(acts, d)
	}
	slices.SortFunc(acts, func(a, b done) int { return a.at.Compare(b.at) })
	return acts
}

// checkActs compares what was done with what there may be, and with what the ledger says was spent.
func checkActs(t *testing.T, acts []done, l gate.Ledger) {
	t.Helper()
	workloads := map[string]string{}
	for _, e := range l.Entries {
		workloads[e.ID] = e.Workload
	}
	if len(acts) > killTotal || len(l.Entries) > killTotal {
		t.Errorf("%d acts and %d entries, and there may be %d in a day", len(acts), len(l.Entries), killTotal)
	}
	each, once := map[string][]time.Time{}, map[string]bool{}
	for _, a := range acts {
		workload, reserved := workloads[a.id]
		if !reserved || once[a.id] {
			t.Errorf("an act under the permit %s, which is not in the ledger or was used before", a.id)
		}
		once[a.id] = true
		if n := len(each[workload]); n >= killOne {
			if within := a.at.Sub(each[workload][n-killOne]); within < killWindow {
				t.Errorf("%d acts on %s within %s, and there may be %d in %s", killOne+1, workload, within, killOne, killWindow)
			}
		}
		each[workload] = append(each[workload], a.at)
	}
}
