package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// noServer is the kubeconfig of an API server that is not there.
const noServer = `{"clusters":[{"name":"c","cluster":{"server":"https://127.0.0.1:1"}}],"contexts":[{"name":"c","context":{"cluster":"c"}}],"current-context":"c"}`

// openLike opens a Case of the workload web that is like a change has it.
func (a approving) openLike(t *testing.T, name string, change func(*v1alpha1.Case)) {
	t.Helper()
	c := someCase("remediate", change)
	c.Namespace, c.Name = a.namespace, name
	c.Labels = map[string]string{v1alpha1.LabelFace: c.Spec.Signal.Face, v1alpha1.LabelWorkload: cluster.WorkloadLabel(gate.Ref{Group: "apps", Kind: "Deployment", Name: c.Spec.Subject.Name})}
	c.Spec.Signal.FirstSeen = metav1.Now()
	status := c.Status
	if err := a.admin.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	c.Status = status
	if err := a.admin.Status().Update(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func acted(phase string) *v1alpha1.Acting {
	return &v1alpha1.Acting{Phase: phase, Verb: "evict", At: metav1.NewTime(time.Now().Add(-time.Hour).Truncate(time.Second)), Reasons: heldBy("approval")}
}

func TestCasesAreListed(t *testing.T) {
	a := newApproving(t)
	admin := a.cluster.Kubeconfig()
	a.openLike(t, "remediate-healed-000000000000", func(c *v1alpha1.Case) { c.Status.Acting = acted("Healed") })
	a.openLike(t, "remediate-unclear-000000000000", func(c *v1alpha1.Case) {
		c.Status.Acting, c.Status.Cause, c.Status.Score, c.Status.Summary = acted("Unclear"), "OOMKilled", new(int32(55)), "it was killed\x1b[31m"
	})
	code, out, errs := run("cases", "-n", a.namespace, "--kubeconfig", admin)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if code != exitOK || errs != "" || len(lines) != 6 {
		t.Fatalf("exit code %d, %d lines\n%s%s", code, len(lines), out, errs)
	}
	for i, want := range []string{"CASE VERDICT SCORE AGE WAITS", "remediate-unclear remediate Deployment/web OOMKilled Hold 55 nobody knows how evict ended"} {
		for _, part := range strings.Fields(want) {
			if !strings.Contains(lines[i], part) {
				t.Errorf("line %d lacks %q: %s", i, part, lines[i])
			}
		}
	}
	if !strings.Contains(lines[2], "human: approve evict") || !strings.Contains(lines[5], "- (healed)") || strings.Contains(out, "\x1b") {
		t.Errorf("what needs a human comes first, without colours:\n%s", out)
	}
	if _, out, _ = run("cases", "-n", a.namespace, "--kubeconfig", admin, "-o", "wide"); !strings.Contains(out, "WHY") || !strings.Contains(out, "it was killed [31m") {
		t.Errorf("wide:\n%s", out)
	}
	if _, out, _ = run("cases", "-A", "--kubeconfig", admin, "-o", "name"); !strings.Contains(out, a.namespace+"/"+askedAbout+"\n") {
		t.Errorf("names of every namespace:\n%s", out)
	}
	if _, out, _ = run("cases", "-n", a.namespace, "--kubeconfig", admin, "-o", "name", "--waiting"); !strings.HasPrefix(out, "case/remediate-unclear-000000000000\n") || strings.Contains(out, "healed") {
		t.Errorf("those that wait:\n%s", out)
	}
	var list []caseLine
	_, out, _ = run("cases", "-n", a.namespace, "--kubeconfig", admin, "-o", "json")
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 5 || list[0].Waits.For != forHuman || *list[0].Score != 55 {
		t.Errorf("%v: %s", err, out)
	}
}

func TestCasesSayHowItIs(t *testing.T) {
	a := newApproving(t)
	admin := a.cluster.Kubeconfig()
	nobody := a.kubeconfig(t, "nobody", "")
	empty := a.cluster.Namespace(t, nil)
	for name, x := range map[string]struct {
		args      []string
		code      int
		out, errs string
	}{
		"something waits":                  {[]string{"-n", a.namespace, "--kubeconfig", admin, "--fail-on-waiting"}, exitWarned, askedAbout, ""},
		"nothing of that face waits":       {[]string{"-n", a.namespace, "--kubeconfig", admin, "--fail-on-waiting", "--face", "drift"}, exitOK, "", "none of the 3 Cases in namespace"},
		"there are none":                   {[]string{"-n", empty, "--kubeconfig", admin}, exitOK, "", "there are no Cases in namespace " + empty},
		"none as JSON":                     {[]string{"-n", empty, "--kubeconfig", admin, "-o", "json"}, exitOK, "[]", ""},
		"a namespace that one may not see": {[]string{"-n", a.namespace, "--kubeconfig", nobody}, exitFailed, "", "kubectl create rolebinding"},
		"all of which one may see none":    {[]string{"-A", "--kubeconfig", nobody}, exitFailed, "", "you may not in every namespace"},
		"no API server":                    {[]string{"--kubeconfig", write(t, "kubeconfig", noServer)}, exitFailed, "", "connect to the API server"},
		"both kinds of namespace":          {[]string{"-A", "-n", "x"}, exitFailed, "", "exclude each other"},
		"an output that does not exist":    {[]string{"-o", "yaml"}, exitFailed, "", "yaml"},
		"a face that does not exist":       {[]string{"--face", "nose"}, exitFailed, "", "nose"},
		"watching for an end":              {[]string{"-w", "--fail-on-waiting"}, exitFailed, "", "give one of them"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := run(append([]string{"cases"}, x.args...)...)
			if code != x.code || !strings.Contains(out, x.out) || !strings.Contains(errs, x.errs) || x.out == "" && out != "" {
				t.Errorf("exit code %d, want %d\n%s%s", code, x.code, out, errs)
			}
		})
	}
}

// lines collects what a command prints while it runs.
type lines struct {
	lock sync.Mutex
	b    bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.b.Write(p)
}

func (l *lines) all() []string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return strings.Split(strings.TrimSuffix(l.b.String(), "\n"), "\n")
}

func TestCasesAreWatched(t *testing.T) {
	for name, role := range map[string]string{"with every right": "", "with the right to list alone": "moorgate-readiness"} {
		t.Run(name, func(t *testing.T) {
			a := newApproving(t)
			config := a.cluster.Kubeconfig()
			if role != "" {
				config = a.kubeconfig(t, "reader", role)
			}
			watchCases(t, a, config)
		})
	}
}

func watchCases(t *testing.T, a approving, config string) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out lines
	root := newRoot()
	root.SetArgs([]string{"cases", "-n", a.namespace, "--kubeconfig", config, "-w", "--face", "remediate"})
	root.SetOut(&out)
	root.SetErr(io.Discard)
	done := make(chan error, 1)
	go func() { done <- root.ExecuteContext(ctx) }()
	await := func(what string, n int, parts ...string) {
		t.Helper()
		err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
			all := out.all()
			if len(all) < n {
				return false, nil
			}
			for _, part := range parts {
				if !strings.Contains(all[len(all)-1], part) {
					return false, nil
				}
			}
			return true, nil
		})
		if err != nil {
			t.Fatalf("%s: %v\n%s", what, err, strings.Join(out.all(), "\n"))
		}
	}
	await("the list", 4)
	a.openLike(t, "remediate-new-000000000000", func(c *v1alpha1.Case) { c.Status.Acting = acted("Held") })
	await("one that comes", 5, "remediate-new-000000000000", "human: approve evict")
	a.openLike(t, "drift-new-000000000000", func(c *v1alpha1.Case) { c.Spec.Signal.Face = "drift" })
	a.change(t, "remediate-new-000000000000", func(s *v1alpha1.CaseStatus) { s.ObservedGeneration = 7 })
	a.change(t, "remediate-new-000000000000", func(s *v1alpha1.CaseStatus) { s.Acting.Phase = "Healed" })
	await("one that changes", 6, "remediate-new-000000000000", "- (healed)")
	cancel()
	if err := <-done; err != nil {
		t.Errorf("ended with %v", err)
	}
	told := strings.Join(out.all(), "\n")
	if n := strings.Count(told, "remediate-new"); n > 3 { // opened, given a status, healed: what changes nothing that is listed is not told
		t.Errorf("told %d times:\n%s", n, told)
	}
	if strings.Contains(told, "drift-new") {
		t.Errorf("one of another face is told:\n%s", told)
	}
}

func (a approving) change(t *testing.T, name string, change func(*v1alpha1.CaseStatus)) {
	t.Helper()
	var c v1alpha1.Case
	if err := a.admin.Get(t.Context(), client.ObjectKey{Namespace: a.namespace, Name: name}, &c); err != nil {
		t.Fatal(err)
	}
	change(&c.Status)
	if err := a.admin.Status().Update(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
}

func TestACaseIsToldInFull(t *testing.T) {
	a := newApproving(t)
	admin := a.cluster.Kubeconfig()
	a.openLike(t, "remediate-one-000000000000", func(c *v1alpha1.Case) {
		c.Status.Acting, c.Status.Menu[0].Digest = acted("Held"), evictPlan
	})
	a.openLike(t, "drift-two-000000000000", func(c *v1alpha1.Case) { c.Spec.Signal.Face, c.Status.Cause = "drift", "changed-by-person" })
	if code, _, errs := run("approve", a.namespace+"/remediate-one-000000000000", "--yes", "--reason", "seen on the dashboard", "--kubeconfig", admin); code != exitOK {
		t.Fatal(errs)
	}
	code, out, errs := run("case", "remediate-one-000000000000", "-n", a.namespace, "--kubeconfig", admin)
	if code != exitOK || errs != "" {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	for _, want := range []string{a.namespace + "/remediate-one-000000000000", "human: approve evict", "What happened", "CrashLoop", "chosen", "kubernetes-admin approved", "seen on the dashboard",
		"Other Cases of the same workload", "drift-two-000000000000: changed-by-person"} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	var story caseStory
	_, out, _ = run("case", a.namespace+"/remediate-one-000000000000", "-o", "json", "--kubeconfig", admin)
	if err := json.Unmarshal([]byte(out), &story); err != nil || story.Case.Kind != "Case" || story.Case.Name != "remediate-one-000000000000" || len(story.Approvals) != 1 || len(story.Related) != 1 || story.Waits.For != forHuman {
		t.Errorf("%v: %s", err, out)
	}
	code, _, errs = run("case", "remediate-oen-000000000000", "-n", a.namespace, "--kubeconfig", admin)
	if code != exitFailed || !strings.Contains(errs, "did you mean remediate-one-000000000000") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	if code, _, errs = run("case", askedAbout, "-n", a.namespace, "--kubeconfig", a.kubeconfig(t, "nobody", "")); code != exitFailed || !strings.Contains(errs, "get on cases") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
