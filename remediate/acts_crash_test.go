package remediate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
	"moorgate.dev/test/cluster"
)

// What makes the test binary a process that acts.
const (
	actVar        = "MOORGATE_TEST_ACT" // where it dies, or "on" for a process that does not
	actKubeconfig = "MOORGATE_TEST_ACT_KUBECONFIG"
	actNamespace  = "MOORGATE_TEST_ACT_NAMESPACE"
	actDir        = "MOORGATE_TEST_ACT_DIR"
	lives         = "on"
)

// actUntilKilled is the process: everything as it ships, and a point at which it kills itself with SIGKILL.
func actUntilKilled(point string) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv(actKubeconfig))
	if err != nil {
		return err
	}
	config.QPS = -1
	a := assembly{config: config, namespace: os.Getenv(actNamespace), dir: os.Getenv(actDir), clock: ahead, logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		at: func(reached string) {
			if reached == point {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}}
	c, err := a.make()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return c.run(ctx)
}

// process starts a process that acts, under its own identity.
func (h *house) process(point, dir string) *exec.Cmd {
	h.t.Helper()
	h.mayAct()
	kubeconfig, err := cluster.Shared(h.t).ServiceAccountKubeconfig(h.t.Context(), "moorgate-system", "moorgate-act")
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), actVar+"="+point, actKubeconfig+"="+kubeconfig, actNamespace+"="+h.namespace, actDir+"="+dir)
	cmd.Stdout, cmd.Stderr = h.t.Output(), h.t.Output()
	if err := cluster.StartBound(cmd); err != nil {
		h.t.Fatal(err)
	}
	return cmd
}

// TestKilledAtEveryPoint is the crash matrix: a process that acts is killed (-9) at one point, another begins on the same disk,
// and afterwards nothing was lost, nothing was done twice, and nothing was done that is not in the log.
func TestKilledAtEveryPoint(t *testing.T) {
	for _, c := range []struct {
		point   string
		evicted bool
		phase   string
		ledger  gate.Result
		outcome []gate.Outcome // of the one intent
	}{
		{beforeIntent, false, v1alpha1.PhaseHeld, gate.ResultPending, nil},
		{afterIntent, false, v1alpha1.PhaseHeld, gate.ResultRefused, []gate.Outcome{gate.OutcomeRefused}},
		{afterClaim, false, v1alpha1.PhaseRefused, gate.ResultRefused, []gate.Outcome{gate.OutcomeRefused}},
		{afterRequest, true, v1alpha1.PhaseHealed, gate.ResultHealed, []gate.Outcome{gate.OutcomeDone}},
		{afterReply, true, v1alpha1.PhaseHealed, gate.ResultHealed, []gate.Outcome{gate.OutcomeDone}},
		{afterOutcome, true, v1alpha1.PhaseHealed, gate.ResultHealed, []gate.Outcome{gate.OutcomeDone}},
		{afterSettled, true, v1alpha1.PhaseHealed, gate.ResultHealed, []gate.Outcome{gate.OutcomeDone}},
		{afterVerified, true, v1alpha1.PhaseHealed, gate.ResultHealed, []gate.Outcome{gate.OutcomeDone}},
	} {
		t.Run(c.point, func(t *testing.T) {
			h := newHouse(t)
			h.trusted()
			h.guardrail()
			pod := h.ill("web", 3)
			before := uids(h.pods("web", 3, every))
			h.judging()
			dir := filepath.Join(t.TempDir(), "audit")
			if err := h.process(c.point, dir).Wait(); !killed(err) {
				t.Fatalf("the process was not killed: %v", err)
			}
			second := h.process(lives, dir)
			a := h.acted("web", c.phase)
			h.eventually("every intent to have an outcome", func() error { return h.paired(dir, c.outcome) })
			h.overTwoSweeps()
			_ = second.Process.Signal(os.Interrupt)
			if err := second.Wait(); err != nil {
				t.Errorf("the second process ended with %v", err)
			}
			if evictions := gone(before, uids(h.pods("web", 3, every))); evictions != map[bool]int{true: 1}[c.evicted] || h.stands(pod) == c.evicted {
				t.Errorf("%d pods were evicted; the ill one stands: %t", evictions, h.stands(pod))
			}
			if s := h.spent(); len(s) != 1 || s[0].Result != c.ledger {
				t.Errorf("the ledger has %+v", s)
			}
			if now := h.acted("web", c.phase); now.Attempts != a.Attempts || now.Plan != a.Plan {
				t.Errorf("the Case says %+v and then %+v", a, now)
			}
			if err := h.paired(dir, c.outcome); err != nil {
				t.Error(err)
			}
			if report, err := audit.Verify(dir); err != nil || len(report.Open) > 0 || len(report.Findings) > 0 {
				t.Errorf("the log has open intents %v and findings %v: %v", report.Open, report.Findings, err)
			}
		})
	}
}

// TestAnotherNodeTakesOver shows a process that is killed when its eviction was sent, and another with a disk of its own that finds
// out what became of it; and later the first again, whose log is then closed too.
func TestAnotherNodeTakesOver(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail()
	before := h.ill("web", 3)
	h.judging()
	first, second := filepath.Join(t.TempDir(), "audit"), filepath.Join(t.TempDir(), "audit")
	if err := h.process(afterRequest, first).Wait(); !killed(err) {
		t.Fatalf("the process was not killed: %v", err)
	}
	standIn := h.process(lives, second)
	h.acted("web", v1alpha1.PhaseHealed)
	_ = standIn.Process.Signal(os.Interrupt)
	if err := standIn.Wait(); err != nil {
		t.Errorf("the stand-in ended with %v", err)
	}
	back := h.process(lives, first)
	h.eventually("the first log to be closed", func() error { return h.paired(first, []gate.Outcome{gate.OutcomeDone}) })
	_ = back.Process.Signal(os.Interrupt)
	if err := back.Wait(); err != nil {
		t.Errorf("the first ended with %v", err)
	}
	for _, dir := range []string{first, second} {
		if report, err := audit.Verify(dir); err != nil || len(report.Open) > 0 {
			t.Errorf("log %s has open intents %v: %v", report.Log, report.Open, err)
		}
	}
	if s := h.spent(); len(s) != 1 || s[0].Result != gate.ResultHealed || h.stands(before) {
		t.Errorf("the ledger has %+v, the ill pod stands: %t", s, h.stands(before))
	}
}

// TestACaseThatIsDeletedTakesItsStoryAlong shows an eviction whose process and whose Case are gone: the log is closed and says that
// nobody knows, and what was spent stays spent.
func TestACaseThatIsDeletedTakesItsStoryAlong(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail()
	h.ill("web", 3)
	h.judging()
	dir := filepath.Join(t.TempDir(), "audit")
	if err := h.process(afterRequest, dir).Wait(); !killed(err) {
		t.Fatalf("the process was not killed: %v", err)
	}
	for _, c := range h.cases() {
		if err := h.admin.Delete(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
	}
	_, stop := h.acting(func(a *assembly) { a.dir = dir })
	h.eventually("the log to be closed", func() error { return h.paired(dir, []gate.Outcome{gate.OutcomeUnknown}) })
	stop()
	if s := h.spent(); len(s) != 1 || s[0].Result != gate.ResultPending {
		t.Errorf("the ledger has %+v", s)
	}
}

// sightless cannot read a single pod.
type sightless struct{ client.Reader }

func (s sightless) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if _, pod := o.(*corev1.Pod); pod {
		return errors.New("etcdserver: request timed out")
	}
	return s.Reader.Get(ctx, key, o, opts...)
}

// TestWhatCannotBeFoundOutIsLeftToAHuman shows an intent without an outcome whose target cannot be read for as long as anybody tries.
func TestWhatCannotBeFoundOutIsLeftToAHuman(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail()
	pod := h.ill("web", 3)
	h.judging()
	dir := filepath.Join(t.TempDir(), "audit")
	if err := h.process(afterClaim, dir).Wait(); !killed(err) {
		t.Fatalf("the process was not killed: %v", err)
	}
	h.acting(func(a *assembly) {
		a.dir = dir
		a.change = func(acts *acting.Acts, evictions *remediate.Hands) {
			evictions.Owners, evictions.Client = evictions.Client, sightless{evictions.Client}
			acts.Grace, acts.Within = 500*time.Millisecond, 100*time.Millisecond
		}
	})
	a := h.acted("web", v1alpha1.PhaseUnclear)
	if s := h.spent(); !strings.Contains(a.Text, "needs a human") || len(s) != 1 || s[0].Result != gate.ResultUnknown || !h.stands(pod) {
		t.Errorf("acting %+v, the ledger has %+v, the pod stands: %t", a, s, h.stands(pod))
	}
	if err := h.paired(dir, []gate.Outcome{gate.OutcomeUnknown}); err != nil {
		t.Error(err)
	}
	h.overTwoSweeps()
	if a := h.acted("web", v1alpha1.PhaseUnclear); a.Attempts != 1 || !h.stands(pod) {
		t.Errorf("it went on: %+v", a)
	}
}

// paired is what is wrong with the intents and outcomes in a log, where there should be one intent with these outcomes.
func (h *house) paired(dir string, want []gate.Outcome) error {
	records, err := read(dir)
	if err != nil {
		return err
	}
	var outcomes []gate.Outcome
	var intents []string
	for _, r := range records {
		switch r.Kind {
		case gate.RecordIntent:
			intents = append(intents, r.Reservation)
		case gate.RecordOutcome:
			outcomes = append(outcomes, *r.Outcome)
			if !slices.Contains(intents, r.Reservation) {
				return fmt.Errorf("an outcome has no intent before it: %+v", r)
			}
		}
	}
	if len(intents) != min(1, len(want)) || !slices.Equal(outcomes, want) {
		return fmt.Errorf("there are %d intents with the outcomes %v, want %v", len(intents), outcomes, want)
	}
	return nil
}

func uids(pods []corev1.Pod) map[types.UID]bool {
	all := map[types.UID]bool{}
	for _, p := range pods {
		if p.DeletionTimestamp == nil {
			all[p.UID] = true
		}
	}
	return all
}

func gone(before, now map[types.UID]bool) int {
	n := 0
	for uid := range before {
		if !now[uid] {
			n++
		}
	}
	return n
}

func killed(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// playActor makes the test binary a process that acts, where it was started as one.
func playActor() {
	point := os.Getenv(actVar)
	if point == "" {
		return
	}
	if err := actUntilKilled(point); err != nil && !strings.Contains(err.Error(), context.Canceled.Error()) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
