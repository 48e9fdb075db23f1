package remediate_test

import (
	"bytes"
	"context"

	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/advise"
	"moorgate.dev/internal/advise/prompts"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/remediate"
	"moorgate.dev/remediate/causes"
)

// scripted is a model that always says the same, and keeps what it was asked.
type scripted struct {
	opinion string
	hangs   bool

	lock  sync.Mutex
	asked []advise.Prompt
}

func (s *scripted) Ask(ctx context.Context, p advise.Prompt) (advise.Answer, error) {
	s.lock.Lock()
	s.asked = append(s.asked, p)
	s.lock.Unlock()
	if s.hangs {
		<-ctx.Done()
		return advise.Answer{}, &advise.Failure{Kind: advise.FailedTime, Text: "no answer came in time"}
	}
	return advise.Answer{Text: s.opinion, Usage: advise.Usage{In: 1, Out: 1}}, nil
}

func (s *scripted) prompts() []advise.Prompt {
	s.lock.Lock()
	defer s.lock.Unlock()
	return slices.Clone(s.asked)
}

const evicts = `{"cause":"other","findings":[{"text":"the disk of this node is full","points":5,"evidence":["log"],"quote":"no space left on device","claim":null}],
"choice":["evict"],"score":80,"confidence":90,"unsure":false,"why":"another node may do better"}`

// counselled runs a Watcher beside which a model is asked.
func (h *house) counselled(m *scripted, patience time.Duration) {
	h.t.Helper()
	door, err := redact.New(redact.Options{Key: bytes.Repeat([]byte{7}, redact.KeyBytes)})
	if err != nil {
		h.t.Fatal(err)
	}
	terms := prompts.Terms{Claims: remediate.Claims()}
	for _, c := range causes.All() {
		terms.Causes = append(terms.Causes, prompts.Cause{ID: c.ID, Title: c.Title, Text: c.Text})
	}
	panel := &advise.Panel{Triage: advise.Bench{Model: m, Samples: 2, TokensIn: 8000, TokensOut: 500}, Terms: map[gate.Face]prompts.Terms{gate.FaceRemediate: terms}, Door: door,
		Now: time.Now, Memory: advise.NewMemory(time.Now), Patience: patience}
	h.watchWith(func(w *remediate.Watcher) {
		w.Circumstances, w.Settle, w.Beside, w.Door = h.circumstances(), time.Second, panel.Beside, door
		w.Logs = func(context.Context, gate.Ref, string, bool, int64) ([]byte, error) {
			return []byte("starting\nDB_PASSWORD=hunter2trombone\nwrite /data/index: no space left on device\n"), nil
		}
	})
}

// killed writes the status of a container that is killed by a signal over and over, and nobody says whose: no rule knows why.
func (h *house) killed(pod *corev1.Pod) {
	ended := &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "Error", FinishedAt: metav1.Now()}
	h.status(pod, corev1.ContainerStatus{Name: "app", RestartCount: 4, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		LastTerminationState: corev1.ContainerState{Terminated: ended}}, corev1.ConditionFalse)
}

// TestAModelsChoiceWaitsForAHuman shows the whole way of a cause that no rule knows: the model picks from the menu, whoever acts finds
// the same on a menu of its own and waits, also in mode Automatic, until a human says so; and no secret was on the way.
func TestAModelsChoiceWaitsForAHuman(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail(func(g *v1alpha1.GuardrailSpec) {
		g.Thresholds = v1alpha1.Thresholds{WarnBelow: number(60), DenyBelow: number(40)}
	})
	ana := h.approver("ana")
	h.deployment("web", 3, "")
	pod := h.pods("web", 3, ready)[0]
	h.sicken(&pod)
	h.killed(&pod)
	m := &scripted{opinion: evicts}
	h.counselled(m, 20*time.Second)
	c := h.judged("web", func(c v1alpha1.Case) error {
		if !slices.Equal(c.Status.Chosen, []string{causes.Evict}) || c.Status.Alone != "" || c.Status.Cause != gate.CauseOther {
			return fmt.Errorf("chosen %v, cause %q, alone %q", c.Status.Chosen, c.Status.Cause, c.Status.Alone)
		}
		return nil
	})
	if !slices.ContainsFunc(c.Status.Findings, func(f v1alpha1.Finding) bool { return f.Nature == string(gate.Advised) }) {
		t.Errorf("findings %+v", c.Status.Findings)
	}
	h.acting()
	name, a := h.held("web", "history", "never tried for this cause")
	if !h.stands(pod) {
		t.Fatal("nobody was waited for")
	}
	if err := ana.Create(t.Context(), approval(h.namespace, name, "ana", a.Plan)); err != nil {
		t.Fatal(err)
	}
	h.acted("web", v1alpha1.PhaseHealed)
	if n := len(h.spent()); n != 1 {
		t.Errorf("%d evictions", n)
	}
	for _, p := range m.prompts() {
		if whole := p.System + p.User; strings.Contains(whole, "hunter2") || !strings.Contains(whole, "no space left on device") {
			t.Errorf("the model was asked\n%s", p.User)
		}
	}
}

// TestL12AModelThatHangsHoldsNothingUp: elsewhere a model that was down blocked everything. The Case says at once what the causes found.
func TestL12AModelThatHangsHoldsNothingUp(t *testing.T) {
	h := newHouse(t)
	h.guardrail()
	m := &scripted{hangs: true}
	h.counselled(m, 5*time.Second)
	h.deployment("one", 2, "")
	h.deployment("two", 2, "")
	for _, name := range []string{"one", "two"} {
		pod := h.pods(name, 2, ready)[0]
		h.sicken(&pod)
		h.killed(&pod)
	}
	for _, name := range []string{"one", "two"} {
		h.judged(name, func(c v1alpha1.Case) error {
			if c.Status.Cause != gate.CauseOther || c.Status.Alone == "" {
				return fmt.Errorf("cause %q, alone %q", c.Status.Cause, c.Status.Alone)
			}
			return nil
		})
	}
	h.judged("two", func(c v1alpha1.Case) error {
		if !strings.Contains(c.Status.Alone, "in time") && !strings.Contains(c.Status.Alone, "within 5s") {
			return fmt.Errorf("alone %q", c.Status.Alone)
		}
		return nil
	})
}

// TestNobodyReadsLogsWhereNoModelIsAsked shows a Guardrail that asks no model.
func TestNobodyReadsLogsWhereNoModelIsAsked(t *testing.T) {
	h := newHouse(t)
	h.guardrail(func(g *v1alpha1.GuardrailSpec) { g.Model.Ask = "Never" })
	m := &scripted{opinion: evicts}
	h.counselled(m, 5*time.Second)
	h.deployment("web", 2, "")
	pod := h.pods("web", 2, ready)[0]
	h.sicken(&pod)
	h.killed(&pod)
	h.judged("web", func(c v1alpha1.Case) error {
		if c.Status.Alone == "" || strings.Contains(c.Status.Alone, "being asked") {
			return fmt.Errorf("alone %q", c.Status.Alone)
		}
		return nil
	})
	h.overTwoSweeps()
	if n := len(m.prompts()); n != 0 {
		t.Errorf("the model was asked %d times", n)
	}
}

// TestManyWorkloadsOfOneCauseAreOneQuestion shows that what fails alike is asked about once, whoever fails.
func TestManyWorkloadsOfOneCauseAreOneQuestion(t *testing.T) {
	h := newHouse(t)
	h.guardrail()
	m := &scripted{opinion: strings.Replace(evicts, `["evict"]`, `["escalate"]`, 1)}
	const n = 12
	for i := range n {
		name := fmt.Sprintf("web-%d", i)
		h.deployment(name, 1, written)
		pod := h.pods(name, 1, every)[0]
		h.killed(&pod)
	}
	h.counselled(m, 20*time.Second)
	for i := range n {
		h.judged(fmt.Sprintf("web-%d", i), func(c v1alpha1.Case) error {
			if c.Status.Alone != "" {
				return fmt.Errorf("alone %q", c.Status.Alone)
			}
			return nil
		})
	}
	if asked := len(m.prompts()); asked != 2 { // of one question two samples
		t.Errorf("the model was asked %d times", asked)
	}
}
