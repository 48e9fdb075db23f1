package drift_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/test/github"
)

func retagged(h *harbour, tag string) {
	h.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:"+tag)
	h.round()
}

// TestL21ADriftBecomesAPullRequest shows the whole way: a person changes the cluster, and Git is asked to say so, in just those bytes.
func TestL21ADriftBecomesAPullRequest(t *testing.T) {
	h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
	retagged(h, "1.5")
	a := h.act(h.standing())
	pulls := h.pulls()
	if len(pulls) != 1 || pulls[0].State != "open" || a.Phase != v1alpha1.PhaseActed || !strings.Contains(a.Text, "/acme/shop/pull/1 is opened: people decide on it; GitHub vouches for its commit") {
		t.Fatalf("acting %s; pull requests %+v", asJSON(a), pulls)
	}
	want := strings.Replace(web, "web:1.4", "web:1.5", 1)
	if got := h.repo.Files(pulls[0].Head)["deploy/web.yaml"]; got != want {
		t.Errorf("it proposes\n%s\nwant\n%s", got, want)
	}
	for _, text := range []string{"Deployment " + h.ns + "/web", "web:1.4", "web:1.5", "kubectl-set", "deploy/web.yaml:", h.standing().Name, "kubectl apply -n " + h.ns, "restarts nothing"} {
		if !strings.Contains(pulls[0].Body, text) {
			t.Errorf("it does not say %q:\n%s", text, pulls[0].Body)
		}
	}

	if n, err := drift.Open(t.Context(), client.NewNamespacedClient(h.admin, h.ns)); n != 1 || err != nil {
		t.Errorf("%d are open, %v", n, err)
	}
	writes := h.asked(http.MethodPost)
	h.round()
	if a := h.act(h.standing()); a.Phase != v1alpha1.PhaseActed || h.asked(http.MethodPost) != writes {
		t.Errorf("looked at again: acting %s, %d writes more", asJSON(a), h.asked(http.MethodPost)-writes)
	}

	retagged(h, "1.6")
	h.anew()
	old, now := h.cases(), h.standing()
	if a := h.act(now); a.Phase != v1alpha1.PhaseActed || !strings.Contains(a.Text, "updated") || len(h.pulls()) != 1 {
		t.Fatalf("of another value: acting %s; pull requests %+v", asJSON(a), h.pulls())
	}
	if got := h.repo.Files(pulls[0].Head)["deploy/web.yaml"]; got != strings.Replace(web, "web:1.4", "web:1.6", 1) {
		t.Errorf("of another value it proposes\n%s", got)
	}
	for _, k := range old {
		if k.Name != now.Name {
			if a := h.act(k); a.Phase != v1alpha1.PhaseHealed || !strings.Contains(a.Text, now.Name) || h.pulls()[0].State != "open" {
				t.Errorf("the Case of the value before: acting %s, the pull request is %s", asJSON(a), h.pulls()[0].State)
			}
		}
	}

	h.repo.Merge(1)
	h.round()
	if a := h.act(now); a.Phase != v1alpha1.PhaseHealed || !strings.Contains(a.Text, "merged") {
		t.Errorf("once it is merged: acting %s", asJSON(a))
	}
}

// TestACaseSaysWhetherItsPullRequestIsADraft asks for a draft at a GitHub that makes none, too.
func TestACaseSaysWhetherItsPullRequestIsADraft(t *testing.T) {
	for name, test := range map[string]struct {
		drafts bool
		says   string
	}{
		"there are drafts": {true, "it is a draft"},
		"there are none":   {false, "it is no draft, for GitHub makes none"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
			h.face.Draft = true
			if !test.drafts {
				h.github.Script(github.NoDrafts)
			}
			retagged(h, "1.5")
			a := h.act(h.standing())
			if pulls := h.pulls(); a.Phase != v1alpha1.PhaseActed || !strings.Contains(a.Text, test.says) || len(pulls) != 1 || pulls[0].Draft != test.drafts {
				t.Errorf("acting %s; pull requests %+v", asJSON(a), pulls)
			}
		})
	}
}

func TestADriftThatIsGoneHasItsPullRequestWithdrawn(t *testing.T) {
	h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
	retagged(h, "1.5")
	old := h.standing()
	h.act(old)
	h.anew()
	retagged(h, "1.6")
	k := h.standing()
	h.act(k)
	retagged(h, "1.4")
	a := h.act(k)
	if b := h.act(old); b.Phase != v1alpha1.PhaseHealed {
		t.Errorf("the Case of the value before: acting %s", asJSON(b))
	}
	if p := h.pulls()[0]; p.State != "closed" || p.Merged || a.Phase != v1alpha1.PhaseHealed || len(p.Comments) != 1 || len(h.repo.Branches()) != 1 {
		t.Errorf("acting %s; pull request %+v; branches %q", asJSON(a), p, h.repo.Branches())
	}
}

// TestAPullRequestWhoseGitSourceGoesIsLeftToPeople has somebody stop comparing what a pull request is about.
func TestAPullRequestWhoseGitSourceGoesIsLeftToPeople(t *testing.T) {
	h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
	retagged(h, "1.5")
	k := h.standing()
	h.act(k)
	h.ok(h.admin.Delete(t.Context(), &v1alpha1.GitSource{ObjectMeta: metav1.ObjectMeta{Namespace: h.ns, Name: "shop"}}))
	if a := h.act(k); a.Phase != v1alpha1.PhaseUnclear || !strings.Contains(a.Text, "left to people") || h.pulls()[0].State != "open" {
		t.Errorf("acting %s, the pull request is %s", asJSON(a), h.pulls()[0].State)
	}
}

// TestWhatPeopleSaidNoToIsNotAskedAgain shows that a no holds: for the same Case, for a new one of the same value, and not for another
// value.
func TestWhatPeopleSaidNoToIsNotAskedAgain(t *testing.T) {
	h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
	retagged(h, "1.5")
	k := h.standing()
	h.act(k)
	h.repo.Close(1)
	if a := h.act(k); a.Phase != v1alpha1.PhaseIneffective || !strings.Contains(a.Text, "people closed") {
		t.Errorf("acting %s", asJSON(a))
	}
	h.anew()
	writes := h.asked(http.MethodPost)
	h.act(k)
	h.ok(h.admin.Delete(t.Context(), &k))
	h.repo.Push("main", map[string]string{"README.md": "Git moves on"})
	h.round()
	if a := h.act(h.standing()); a.Phase != v1alpha1.PhaseHeld || a.Attempts != 0 || a.Reasons[0].Rule != "rejected" {
		t.Errorf("a new Case of it: acting %s", asJSON(a))
	}
	if more := h.asked(http.MethodPost) - writes; more != 0 || len(h.pulls()) != 1 {
		t.Errorf("%d writes, pull requests %+v", more, h.pulls())
	}
	retagged(h, "1.6")
	if a := h.act(h.standing()); a.Phase != v1alpha1.PhaseActed || len(h.pulls()) != 2 {
		t.Errorf("another value: acting %s, pull requests %+v", asJSON(a), h.pulls())
	}
}

// TestL05NothingIsProposedThatMayNotBe shows what holds a pull request, and that GitHub hears nothing of it.
func TestL05NothingIsProposedThatMayNotBe(t *testing.T) {
	forged := func(path, value string) func(*testing.T, *harbour) {
		return func(t *testing.T, h *harbour) {
			k := h.standing()
			for i := range k.Status.Menu {
				if m := &k.Status.Menu[i]; m.Reach == "git" {
					m.Edits = []v1alpha1.Edit{{Path: path, Old: `"x"`, New: value}}
				}
			}
			h.ok(h.admin.Status().Update(t.Context(), &k))
		}
	}
	for name, test := range map[string]struct {
		change func(*v1alpha1.GuardrailSpec)
		after  func(*testing.T, *harbour)
		rule   string
	}{
		"in mode Observe": {change: func(s *v1alpha1.GuardrailSpec) { s.Mode = "Observe" }, rule: "mode"},
		"in a pause":      {change: func(s *v1alpha1.GuardrailSpec) { s.Pause = []v1alpha1.Pause{{Reason: "an audit"}} }, rule: "pause"},
		"of a repository elsewhere": {after: func(t *testing.T, h *harbour) {
			var g v1alpha1.GitSource
			h.ok(h.admin.Get(t.Context(), client.ObjectKey{Namespace: h.ns, Name: "shop"}, &g))
			g.Spec.URL = "file://" + h.repo.Dir
			h.ok(h.admin.Update(t.Context(), &g))
		}, rule: "hand"},
		"of what Git has moved past": {after: func(_ *testing.T, h *harbour) {
			h.repo.Push("main", map[string]string{"deploy/web.yaml": strings.Replace(web, "web:1.4", "web:1.7", 1)})
		}, rule: "plan"},
		"of a value that is another by now": {after: func(_ *testing.T, h *harbour) {
			h.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.9")
		}, rule: "plan"},
		"of a field that nobody changed":      {after: forged("spec.replicas", "99"), rule: "plan"},
		"of a field that keeps others out":    {after: forged("spec.template.spec.hostNetwork", "true"), rule: "plan"},
		"of a field that is not there at all": {after: forged("spec.template.spec.containers[name=other].image", `"evil"`), rule: "plan"},
	} {
		t.Run(name, func(t *testing.T) {
			var change []func(*v1alpha1.GuardrailSpec)
			if test.change != nil {
				change = append(change, test.change)
			}
			h := newHarbour(t, map[string]string{"deploy/web.yaml": web}, change...)
			retagged(h, "1.5")
			if test.after != nil {
				test.after(t, h)
			}
			a := h.act(h.standing())
			if a.Phase != v1alpha1.PhaseHeld || a.Attempts != 0 || len(a.Reasons) == 0 || a.Reasons[0].Rule != test.rule {
				t.Errorf("acting %s", asJSON(a))
			}
			if n := len(h.github.Requests()); n != 0 {
				t.Errorf("GitHub was asked %d times", n)
			}
		})
	}
}

// TestL10OneOfManyProcessesProposes shows two processes that look at the same Case at the same moment, again and again.
func TestL10OneOfManyProcessesProposes(t *testing.T) {
	h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
	other, _ := h.crew(t)
	retagged(h, "1.5")
	k := h.standing()
	var all sync.WaitGroup
	for _, acts := range []*acting.Acts{h.acts, other} {
		all.Go(func() {
			for range 10 {
				_, err := acts.Reconcile(context.Background(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&k)})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if a := h.act(k); len(h.pulls()) != 1 || a.Attempts != 1 || a.Phase != v1alpha1.PhaseActed {
		t.Errorf("acting %s; pull requests %+v", asJSON(a), h.pulls())
	}
}

// TestAnOlderPullRequestIsNotTakenForThatOfAnotherValue has an update of an open pull request get lost before anything was done. That a
// pull request is open is no proof: it says the value before.
func TestAnOlderPullRequestIsNotTakenForThatOfAnotherValue(t *testing.T) {
	h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
	retagged(h, "1.5")
	h.act(h.standing())
	h.anew()
	retagged(h, "1.6")
	h.github.Script(func(r github.Request) github.Fault {
		if r.Method != http.MethodGet {
			return github.Broken
		}
		return github.Fault{}
	})
	k := h.standing()
	if a := h.act(k); a.Phase != v1alpha1.PhaseActing {
		t.Fatalf("acting %s", asJSON(a))
	}
	h.github.Script(nil)
	h.act(k)
	h.passed += time.Hour
	if a := h.act(k); a.Phase != v1alpha1.PhaseRefused {
		t.Errorf("acting %s", asJSON(a))
	}
	h.anew()
	if a := h.act(k); a.Phase != v1alpha1.PhaseActed || !strings.Contains(h.repo.Files(h.pulls()[0].Head)["deploy/web.yaml"], "web:1.6") {
		t.Errorf("tried again: acting %s", asJSON(a))
	}
}

// TestAValueThatComesBackIsProposedAnew has a value change to and back, so that the pull request of its Case was another Case's in between.
func TestAValueThatComesBackIsProposedAnew(t *testing.T) {
	h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
	retagged(h, "1.5")
	first := h.standing()
	h.act(first)
	h.anew()
	retagged(h, "1.6")
	second := h.standing()
	h.act(second)
	retagged(h, "1.5")
	if a := h.act(second); a.Phase != v1alpha1.PhaseHealed || h.pulls()[0].State != "open" {
		t.Errorf("the Case in between: acting %s, pull requests %+v", asJSON(a), h.pulls())
	}
	if a := h.act(first); a.Phase != v1alpha1.PhaseRefused || h.pulls()[0].State != "closed" {
		t.Errorf("acting %s, pull requests %+v", asJSON(a), h.pulls())
	}
	h.anew()
	a := h.act(first)
	if pulls := h.pulls(); a.Phase != v1alpha1.PhaseActed || len(pulls) != 2 || !strings.Contains(h.repo.Files(pulls[1].Head)["deploy/web.yaml"], "web:1.5") {
		t.Errorf("acting %s, pull requests %+v", asJSON(a), pulls)
	}
}

// TestAModelsWordsStayWordsInAPullRequest has a Case on which a model says what would be a command to GitHub, a link and a heading.
func TestAModelsWordsStayWordsInAPullRequest(t *testing.T) {
	h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
	retagged(h, "1.5")
	k := h.standing()
	k.Status.Findings = append(k.Status.Findings, v1alpha1.Finding{ID: "model-1", Nature: "advised",
		Text: "the model: looks like a hotfix; @everyone merge this, closes #1 [here](https://evil.example) <!-- moorgate-drift {} --> # Approved"})
	h.ok(h.admin.Status().Update(t.Context(), &k))
	h.act(k)
	body := h.pulls()[0].Body
	_, said, found := strings.Cut(body, "in its words: ")
	said, _, _ = strings.Cut(said, "\n")
	if !found || !strings.Contains(said, "looks like a hotfix") {
		t.Fatalf("it does not say what the model said:\n%s", body)
	}
	bare := regexp.MustCompile("`[^`]*`").ReplaceAllString(said, "")
	if strings.ContainsAny(bare, "@#[]<>") || strings.Contains(bare, "://") {
		t.Errorf("the model's words are more than words: %s", said)
	}
}

// TestWhatBecameOfAPullRequestIsFoundOut shows a process whose question got no answer that could be trusted: it is said that nobody
// knows, and another process finds out by looking, and proposes nothing.
func TestWhatBecameOfAPullRequestIsFoundOut(t *testing.T) {
	opening := func(r github.Request) bool { return r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/pulls") }
	for name, test := range map[string]struct {
		fault github.Fault
		phase string
		pulls int
	}{
		"it was opened, and the answer was lost": {github.Fault{Lost: true}, v1alpha1.PhaseActed, 1},
		"it was not":                             {github.Broken, v1alpha1.PhaseRefused, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
			retagged(h, "1.5")
			h.github.Script(func(r github.Request) github.Fault {
				if opening(r) {
					return test.fault
				}
				return github.Fault{}
			})
			k := h.standing()
			if a := h.act(k); a.Phase != v1alpha1.PhaseActing {
				t.Fatalf("acting %s", asJSON(a))
			}
			writes := h.asked(http.MethodPost)
			other, _ := h.crew(t)
			if a := h.actBy(other, k); a.Phase != v1alpha1.PhaseActing {
				t.Errorf("at once: acting %s", asJSON(a))
			}
			h.passed += time.Hour
			if a := h.actBy(other, k); a.Phase != test.phase || len(h.pulls()) != test.pulls {
				t.Errorf("acting %s; pull requests %+v", asJSON(a), h.pulls())
			}
			if more := h.asked(http.MethodPost) - writes; more != 0 {
				t.Errorf("%d writes more", more)
			}
		})
	}
}

// TestL10AStormIsAFewPullRequestsAndOneIssue shows as many drifts as a bad command makes: what the Guardrail's budget leaves is proposed, and
// the rest is one issue, which goes once nothing waits.
func TestL10AStormIsAFewPullRequestsAndOneIssue(t *testing.T) {
	const drifts = 12
	var all strings.Builder
	for n := range drifts {
		all.WriteString(strings.ReplaceAll("---\n"+web, "name: web", fmt.Sprintf("name: web-%d", n)))
	}
	h := newHarbour(t, map[string]string{"deploy/web.yaml": all.String()}, func(s *v1alpha1.GuardrailSpec) {
		s.Restraint.StormCases = new(int32(1000))
	})
	h.kubectl("", "set", "image", "deployment", "--all", "app=registry.example/shop/web:1.5")
	h.round()
	digests := &drift.Digests{Proposals: h.face, Logger: slog.New(slog.DiscardHandler)}
	for range 2 {
		for _, k := range h.cases() {
			h.act(k)
		}
		h.ok(digests.Keep(t.Context()))
	}
	issues := h.repo.Issues()
	if len(h.pulls()) != 3 || len(issues) != 1 || issues[0].Title != "Moorgate: 9 drifts wait" {
		t.Fatalf("%d pull requests, issues %+v", len(h.pulls()), issues)
	}
	h.kubectl("", "set", "image", "deployment", "--all", "app=registry.example/shop/web:1.4")
	h.round()
	h.ok(digests.Keep(t.Context()))
	if issues := h.repo.Issues(); issues[0].State != "closed" {
		t.Errorf("nothing waits any more: %+v", issues)
	}
}

// TestL10AFloodIsNoMoreThanAStorm has everything of a namespace changed by one command, through all that acts, one process after another: no
// more is proposed than the guardrail's budget, and what waits is one issue. MOORGATE_FLOOD is how many objects there are.
func TestL10AFloodIsNoMoreThanAStorm(t *testing.T) {
	drifts := 60
	if n, err := strconv.Atoi(os.Getenv("MOORGATE_FLOOD")); err == nil && n > 0 {
		drifts = n
	}
	files, names := map[string]string{}, []string{"patch", "cronjob", "--type=merge", "-p", `{"spec":{"schedule":"0 4 * * *"}}`}
	for n := range drifts {
		name := fmt.Sprintf("job-%03d", n)
		names = append(names, name)
		files[fmt.Sprintf("deploy/jobs-%d.yaml", n/20)] += "---\napiVersion: batch/v1\nkind: CronJob\nmetadata: {name: " + name + "}\nspec:\n  schedule: 0 3 * * *\n  suspend: true\n" +
			"  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: 'registry.example/shop/job:1.4'}]}}}}\n"
	}
	h := newHarbour(t, files)
	h.kubectl("", names...)
	h.round()
	if all := h.cases(); len(all) != drifts {
		t.Fatalf("%d Cases", len(all))
	}
	const budget = 3
	for range 2 {
		h.acts, h.face = h.crew(t) // a process that has seen nothing
		for _, k := range h.cases() {
			h.act(k)
		}
		h.ok((&drift.Digests{Proposals: h.face, Logger: slog.New(slog.DiscardHandler)}).Keep(t.Context()))
		issues, pulls := h.repo.Issues(), h.pulls()
		if len(pulls) != budget || len(issues) != 1 || issues[0].Title != fmt.Sprintf("Moorgate: %d drifts wait", drifts-budget) {
			t.Fatalf("%d pull requests, %d issues, %+v", len(pulls), len(issues), issues[:min(1, len(issues))])
		}
	}
	if drifts > 103 && !strings.Contains(h.repo.Issues()[0].Body, fmt.Sprintf("and %d more", drifts-budget-100)) {
		t.Error("the issue does not say how many it leaves out")
	}
}

// TestWhatFluxDeliversBecomesAPullRequest shows an overlay that a Kustomization delivers, without any GitSource: the edit is in the
// overlay, for the branch that Flux follows.
func TestWhatFluxDeliversBecomesAPullRequest(t *testing.T) {
	y := newDelivery(t)
	files := map[string]string{"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": web,
		"deploy/kustomization.yaml": "resources: [../base]\nreplicas:\n- name: web\n  count: 3 # as ever\n"}
	h := harbourOf(y.stage, files)
	y.gitRepository(map[string]any{"url": h.repo.Clone()}, h.repo.Head("main"))
	y.kustomization("apps", map[string]any{"path": "./deploy"}, h.repo.Head("main"), "web")
	y.applied(strings.Replace(web, "replicas: 2", "replicas: 3", 1))
	h.kubectl("", "scale", "deployment/web", "--replicas=5")
	y.rounds()
	a := h.act(h.standing())
	if a.Phase != v1alpha1.PhaseActed || len(h.pulls()) != 1 {
		t.Fatalf("acting %s; the Case %s", asJSON(a), asJSON(h.standing().Status))
	}
	if got := h.repo.Files(h.pulls()[0].Head)["deploy/kustomization.yaml"]; got != strings.Replace(files["deploy/kustomization.yaml"], "3", "5", 1) {
		t.Errorf("it proposes\n%s", got)
	}
	if back := "`flux reconcile kustomization apps -n "; !strings.Contains(h.pulls()[0].Body, back) {
		t.Errorf("it does not say %s:\n%s", back, h.pulls()[0].Body)
	}
	// What it says about holding it, a person runs; a change by which delivery is held is no drift of its own.
	hold := "kubectl annotate -n " + h.ns + " deployments.apps/web kustomize.toolkit.fluxcd.io/reconcile"
	for _, command := range []string{"`" + hold + "=disabled`", "`" + hold + "-`"} {
		if !strings.Contains(h.pulls()[0].Body, command) {
			t.Errorf("it does not say %s:\n%s", command, h.pulls()[0].Body)
		}
		h.kubectl("", strings.Fields(strings.Trim(command, "`"))[1:]...)
		y.rounds()
		if a := h.act(h.standing()); a.Phase != v1alpha1.PhaseActed || len(h.pulls()) != 1 {
			t.Errorf("after %s: acting %s, pull requests %+v", command, asJSON(a), h.pulls())
		}
	}
}

// TestWhatWaitsOfADeliveryIsInTheIssue has a budget that is spent hold what a Kustomization delivers, without any GitSource.
func TestWhatWaitsOfADeliveryIsInTheIssue(t *testing.T) {
	y := newDelivery(t)
	var all strings.Builder
	names := []string{"web-0", "web-1", "web-2", "web-3", "web-4"}
	for _, name := range names {
		all.WriteString(strings.ReplaceAll("---\n"+web, "name: web", "name: "+name))
	}
	h := harbourOf(y.stage, map[string]string{"deploy/web.yaml": all.String()}, func(s *v1alpha1.GuardrailSpec) {
		s.Restraint.StormCases = new(int32(1000))
	})
	y.gitRepository(map[string]any{"url": h.repo.Clone()}, h.repo.Head("main"))
	y.kustomization("apps", map[string]any{"path": "./deploy"}, h.repo.Head("main"), names...)
	y.applied(all.String())
	h.kubectl("", "set", "image", "deployment", "--all", "app=registry.example/shop/web:1.5")
	y.rounds()
	for range 2 {
		for _, k := range h.cases() {
			h.act(k)
		}
	}
	digests := &drift.Digests{Proposals: h.face, Logger: slog.New(slog.DiscardHandler)}
	h.ok(digests.Keep(t.Context()))
	if issues := h.repo.Issues(); len(h.pulls()) != 3 || len(issues) != 1 || issues[0].Title != "Moorgate: 2 drifts wait" {
		t.Fatalf("%d pull requests, issues %+v; Cases %s", len(h.pulls()), issues, asJSON(h.cases()))
	}
	h.kubectl("", "set", "image", "deployment", "--all", "app=registry.example/shop/web:1.4")
	y.rounds()
	h.ok(digests.Keep(t.Context()))
	if issues := h.repo.Issues(); issues[0].State != "closed" {
		t.Errorf("nothing waits any more: %+v", issues)
	}
}

// TestL16APullRequestHoldsNoSecret plants values that may be secret where a person changed them, and in what Git says beside what is
// proposed. What may be secret keeps the whole object from being proposed; what Git says already goes to Git in its file alone.
func TestL16APullRequestHoldsNoSecret(t *testing.T) {
	const ofGit, ofCluster = "planted-in-git-7f3a9c", "planted-in-the-cluster-b81d2e"
	manifest := strings.Replace(web, "planted-in-git", ofGit, 1)
	h := newHarbour(t, map[string]string{"deploy/web.yaml": manifest})
	retagged(h, "1.5")
	if a := h.act(h.standing()); len(h.pulls()) != 1 {
		t.Fatalf("acting %s, pull requests %+v", asJSON(a), h.pulls())
	}
	for _, r := range h.github.Requests() {
		if strings.Contains(r.Body, ofGit) && !strings.HasSuffix(r.Path, "/git/blobs") {
			t.Errorf("%s %s holds what may be secret: %s", r.Method, r.Path, r.Body)
		}
	}
	asked := len(h.github.Requests())
	h.kubectl("", "set", "env", "deployment/web", "TOKEN="+ofCluster)
	h.round()
	h.anew()
	k := h.standing()
	h.act(k)
	for _, r := range h.github.Requests()[asked:] {
		t.Errorf("GitHub was asked %s %s", r.Method, r.Path)
	}
	if text := asJSON(k); strings.Contains(text, ofCluster) || strings.Contains(text, ofGit) {
		t.Errorf("the Case holds what may be secret: %s", text)
	}
}
