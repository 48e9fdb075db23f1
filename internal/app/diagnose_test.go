package app

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
	testcluster "moorgate.dev/test/cluster"
)

// failing is a Deployment whose containers crash, with an environment variable that nobody may show.
func failing(t *testing.T, name string) string {
	t.Helper()
	d := deployment(t, "image: ghcr.io/acme/web:1.4.2", "image: ghcr.io/acme/web:1.4.2\n          env: [{name: TOKEN, value: planted-live}]")
	d = strings.NewReplacer(", namespace: shop", "", "name: web", "name: "+name, "app: web", "app: "+name).Replace(d)
	return strings.Replace(d, "labels: {app: "+name, "labels: {"+testcluster.FaultLabel+": "+string(testcluster.CrashLoop)+", app: "+name, 1)
}

// diagnose runs moorgate diagnose until it ends as it should, and wants words in what it prints.
func (m *moored) diagnose(code int, wants []string, args ...string) string {
	m.t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for {
		got, out, errs := run(append([]string{"diagnose", "--kubeconfig", m.c.Kubeconfig(), "-n", m.ns}, args...)...)
		missing := ""
		for _, want := range wants {
			if !strings.Contains(out+errs, want) {
				missing = want
			}
		}
		if strings.Contains(out+errs, "planted") {
			m.t.Fatalf("diagnose %v shows the value of an environment variable:\n%s%s", args, out, errs)
		}
		if got == code && missing == "" {
			return out
		}
		if time.Now().After(deadline) {
			m.t.Fatalf("diagnose %v: exit code %d, want %d; it does not say %q:\n%s%s", args, got, code, missing, out, errs)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func TestDiagnoseSaysWhatFaresBadlyAndWritesNothing(t *testing.T) {
	m := newMoored(t, mooredWeb(t))
	m.kubectl(failing(t, "web"), "apply", "-f", "-")
	text := m.diagnose(exitWarned, []string{"container app of Deployment/web crash-loops: 2 of 2 pods", "application-error", "evidence", "advice     tell the people who own the workload", "1 thing found wrong"})
	if strings.Contains(text, "\x1b") {
		t.Error("it is coloured, and this is no terminal")
	}
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > pageWide {
			t.Errorf("a line has %d columns: %q", n, line)
		}
	}
	m.diagnose(exitWarned, []string{"\x1b[1;31m"}, "--color", "always", "deploy/web")
	m.diagnose(exitOK, []string{"1 thing found wrong"}, "--fail-on", "none")
	var got jsonDiagnosis
	m.ok(json.Unmarshal([]byte(m.diagnose(exitWarned, nil, "-o", "json")), &got))
	if got.Findings != 1 || len(got.Happenings) != 1 || got.Happenings[0].Cause != "application-error" || len(got.Happenings[0].Failing) != 2 || len(got.Happenings[0].Menu) == 0 || got.Happenings[0].Case != "" {
		t.Errorf("got %+v", got)
	}
	var cases v1alpha1.CaseList
	m.ok(m.admin.List(t.Context(), &cases, client.InNamespace(m.ns)))
	if len(cases.Items) > 0 {
		t.Errorf("a look left %d Cases", len(cases.Items))
	}
	m.diagnose(exitFailed, []string{"there is no deployment/other in namespace " + m.ns}, "deployment/other")
	m.diagnose(exitFailed, []string{`this cluster knows no kind "widget"`}, "widget/web")
	if code, out, errs := run("diagnose", "--kubeconfig", m.c.Kubeconfig(), "-A"); code != exitWarned || !strings.Contains(out, m.ns) {
		t.Errorf("over all namespaces: exit code %d\n%s%s", code, out, errs)
	}
}

// TestWhatTheGuardrailsWouldSay tells an item that nothing known holds from one that is held, and from one that is allowed.
func TestWhatTheGuardrailsWouldSay(t *testing.T) {
	hidden := gate.Reason{Rule: "pause", Decision: gate.Hold, Text: "it is not known whether Moorgate is paused: " + remediate.OnlyTheJudgeKnows}
	mode, never := gate.Reason{Rule: "mode", Decision: gate.Hold, Text: "the mode is Observe"}, gate.Reason{Rule: "never", Decision: gate.Deny, Text: "never"}
	for want, v := range map[string]gate.Verdict{"allowed": {Decision: gate.Allow}, "open": {Decision: gate.Hold, Reasons: []gate.Reason{hidden}},
		"held": {Decision: gate.Hold, Reasons: []gate.Reason{hidden, mode}}, "no": {Decision: gate.Deny, Reasons: []gate.Reason{hidden, never}}} {
		if got := answerTo(remediate.Considered{Verdict: v}); got != want {
			t.Errorf("%+v: %s, want %s", v, got, want)
		}
	}
}

func TestDiagnoseNamesWhatItMayNotRead(t *testing.T) {
	m := newMoored(t, mooredWeb(t))
	m.diagnose(exitFailed, []string{"pods: reading it is not permitted", "not everything could be read"}, "--kubeconfig", m.person("nobody", nil))
	few := m.person("few", []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "list"}}})
	m.kubectl(failing(t, "web"), "apply", "-f", "-")
	m.diagnose(exitWarned, []string{"crash-loops", "not read", "Guardrails of namespace " + m.ns}, "--kubeconfig", few)
	m.diagnose(exitFailed, []string{"goes with neither -n nor names"}, "-A")
}
