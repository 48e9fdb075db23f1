package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"moorgate.dev/test/cluster"
)

// partVar makes the test binary stand in for a process that is started, which is all that these tests are about.
const partVar = "MOORGATE_TEST_PROCESS_PART"

func TestMain(m *testing.M) {
	if part := os.Getenv(partVar); part != "" {
		fmt.Fprintln(os.Stderr, play(part, os.Args[slices.Index(os.Args, "--health")+1]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// play listens on address ("lucky"), finds it taken ("unlucky", "unlucky once"), or has another process listen there ("robbed").
func play(part, address string) error {
	taken := fmt.Errorf("listen tcp %s: bind: address already in use", address)
	switch part {
	case "unlucky":
		return taken
	case "unlucky once":
		if os.Mkdir(os.Getenv(partVar+"_MET"), 0o700) == nil {
			return taken
		}
	case "robbed":
		robber := exec.Command(os.Args[0], "--health", address)
		robber.Env = append(robber.Environ(), partVar+"=lucky")
		if err := cluster.StartBound(robber); err != nil {
			return err
		}
		select {}
	}
	return http.ListenAndServe(address, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

func TestLaunch(t *testing.T) {
	for part, want := range map[string]error{"lucky": nil, "unlucky once": nil, "unlucky": errPortTaken, "robbed": context.DeadlineExceeded} {
		t.Run(part, func(t *testing.T) {
			t.Setenv(partVar, part)
			t.Setenv(partVar+"_MET", filepath.Join(t.TempDir(), "met"))
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			m, err := launch(ctx, Options{Binary: os.Args[0], Dir: t.TempDir()})
			if err == nil {
				m.Kill()
			}
			if !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
}

func TestAddressesDiffer(t *testing.T) {
	all, err := freeAddresses(50)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, a := range all {
		if _, _, err := net.SplitHostPort(a); err != nil || seen[a] {
			t.Errorf("address %q, %v; or it was given twice", a, err)
		}
		seen[a] = true
	}
}

// Go's threads come and go; what a thread started must not end with it.
func TestTheProcessOutlivesTheThreadThatAskedForIt(t *testing.T) {
	var all [4]*Moorgate // only one can have been asked for by the first thread, which never ends
	for i := range all {
		m := &Moorgate{LogFile: filepath.Join(t.TempDir(), "log"), exited: make(chan struct{})}
		all[i] = m
		started := make(chan error)
		go func() {
			runtime.LockOSThread() // and ends without unlocking, so the thread ends too
			started <- m.start("sleep", []string{"60"})
		}()
		if err := <-started; err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Kill)
	}
	time.Sleep(500 * time.Millisecond)
	for _, m := range all {
		select {
		case <-m.exited:
			t.Errorf("ended with the thread: %v", m.exit)
		default:
		}
	}
}
