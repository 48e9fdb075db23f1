package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

func TestOptionsAreCheckedAllAtOnce(t *testing.T) {
	err := (&options{listen: "nine", health: ":8081", url: "http://host", logFormat: "xml", driftEvery: time.Millisecond, paused: []string{" "}, fluxEvents: "http://events.example.com/"}).check()
	if err == nil {
		t.Fatal("no error")
	}
	for _, flag := range []string{"--listen", "--url", "--log-format", "--drift-every", "--paused", "--flux-events"} {
		if !strings.Contains(err.Error(), flag) {
			t.Errorf("the error does not name %s: %v", flag, err)
		}
	}
	if err := (&options{listen: ":9443", health: "", url: "https://127.0.0.1:9443", logFormat: "json", auditMode: "strict", driftEvery: time.Second,
		fluxEvents: "http://notification-controller.flux-system.svc.cluster.local./"}).check(); err != nil {
		t.Errorf("sound options: %v", err)
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	var visit func(path []string)
	visit = func(path []string) {
		code, out, errs := run(append(path, "--help")...)
		if code != 0 || !strings.Contains(out, "Usage:") {
			t.Errorf("moorgate %s --help: exit code %d\n%s", strings.Join(path, " "), code, errs)
		}
		cmd, _, err := newRoot().Find(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, sub := range cmd.Commands() {
			if sub.Name() != "help" && sub.Name() != "completion" {
				visit(append(append([]string{}, path...), sub.Name()))
			}
		}
	}
	visit(nil)
}

func TestAnUnknownCommandSaysSo(t *testing.T) {
	if code, _, errs := run("reviews"); code != exitFailed || !strings.Contains(errs, "unknown command") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func TestReadiness(t *testing.T) {
	var r readiness
	r.add("one", func(context.Context) error { return nil })
	if text, ok := r.report(t.Context()); !ok || !strings.Contains(text, "[+] one") {
		t.Errorf("%t %q", ok, text)
	}
	r.add("two", func(context.Context) error { return errStill })
	if text, ok := r.report(t.Context()); ok || !strings.Contains(text, "[-] two: still filling") {
		t.Errorf("%t %q", ok, text)
	}
}

// --paused is one more reason to pause, for whatever reaches a workload or Git, and for nothing else.
func TestAProcessThatIsPausedTouchesNothing(t *testing.T) {
	o := options{paused: []string{"ana: upgrade"}}
	for reach, want := range map[gate.Reach]bool{gate.ReachLive: true, gate.ReachGit: true, gate.ReachMark: true, gate.ReachAnswer: false, gate.ReachNothing: false} {
		v := gate.Decide(cluster.Default(), gate.Assessment{Choice: []string{"it"}}, gate.Facts{Menu: []gate.Action{{ID: "it", Reach: reach}}, Paused: o.whyPaused(t.Context())})
		if got := says(v, "pause", "ana: upgrade"); got != want {
			t.Errorf("%s is paused: %t, want %t", reach, got, want)
		}
	}
	if reasons, known := (&options{}).whyPaused(t.Context()).Get(); !known || len(reasons) != 0 {
		t.Errorf("without the flag it is paused for %v (known: %t)", reasons, known)
	}
}
