//go:build unix

package audit

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// childEnv makes the test binary play a part in a process of its own.
const childEnv = "MOORGATE_AUDIT_TEST_CHILD"

func TestMain(m *testing.M) {
	if part := os.Getenv(childEnv); part != "" {
		os.Exit(playChild(part, os.Getenv(childEnv+"_DIR")))
	}
	os.Exit(m.Run())
}

// playChild appends intents until it is killed ("crash") or until the disk is full ("full"), and prints the sequence of
// every intent whose Append returned.
func playChild(part, dir string) int {
	if part == "full" {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 10000, Max: 10000}); err != nil {
			fmt.Println("error", err)
			return 1
		}
	}
	l, err := Open(dir, Options{Now: noon})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				pos, err := l.Append(context.Background(), intent(w*100000+i))
				if err != nil {
					fmt.Println("error", err)
					return
				}
				fmt.Println(pos.Sequence)
			}
		})
	}
	wg.Wait()
	if _, err := l.Append(context.Background(), verdict("v")); err == nil {
		fmt.Println("pretended")
	}
	l.Close()
	return 0
}

// child runs the part, killing it after it has reported so many intents (0: never), and returns what it reported.
func child(t *testing.T, part, dir string, kill int) (sequences []uint64, rest []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childEnv+"="+part, childEnv+"_DIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		if n, perr := strconv.ParseUint(strings.TrimSpace(line), 10, 64); perr == nil && err == nil {
			sequences = append(sequences, n)
		} else if err == nil {
			rest = append(rest, line)
		}
		if len(sequences) == kill && kill > 0 {
			cmd.Process.Kill()
		}
		if err != nil {
			break
		}
	}
	io.Copy(io.Discard, r)
	cmd.Wait() // killed, in one of the parts
	return sequences, rest
}

// The process is killed, not the machine: what the operating system has taken survives here even without an fsync. That the
// fsync comes before Append returns is TestIntentIsOnStableStorageWhenAppendReturns; what a power cut leaves is in
// powercut_test.go.
func TestEveryIntentOutlivesKill(t *testing.T) {
	dir := logDir(t)
	var want []uint64
	for round := range 5 {
		sequences, rest := child(t, "crash", dir, 10+7*round)
		if len(rest) > 0 {
			t.Fatal(rest)
		}
		want = append(want, sequences...)
	}
	l := mustOpen(t, dir, Options{})
	there := map[uint64]bool{}
	for _, e := range l.Unresolved() {
		there[e.Position.Sequence] = true
	}
	for _, s := range want {
		if !there[s] {
			t.Errorf("intent %d is lost", s)
		}
	}
	if _, err := Verify(dir); err != nil {
		t.Error(err)
	}
}

func TestFullDiskBreaksTheLogAndLeavesItReadable(t *testing.T) {
	dir := logDir(t)
	sequences, rest := child(t, "full", dir, 0)
	if len(sequences) == 0 || len(rest) != 4 {
		t.Fatalf("%d intents before the disk was full, then %q", len(sequences), rest)
	}
	for _, r := range rest {
		if !strings.Contains(r, syscall.EFBIG.Error()) {
			t.Errorf("the first cause is not told: %s", r)
		}
	}
	there := map[uint64]bool{}
	for _, e := range mustRead(t, dir) {
		there[e.Position.Sequence] = true
	}
	for _, s := range sequences {
		if !there[s] {
			t.Errorf("intent %d is lost", s)
		}
	}
	l := mustOpen(t, dir, Options{})
	mustAppend(t, l, intent(1))
	if _, err := Verify(dir); err != nil {
		t.Error(err)
	}
}
