package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// TestAModelIsAskedAhead plays `moorgate review --warm` and the apply that follows: the binary, kubectl, and a model that takes three
// seconds.
func TestAModelIsAskedAhead(t *testing.T) {
	h := moored(t)
	play := func(name string, run func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t)
		})
	}
	play("what was asked ahead is answered at once, with the model's reasons, and the model is asked once", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry, pendingFor: 30s", against(3*time.Second))
		who := h.author(t, ns)
		asked := h.questions(ns)
		hasty := deployment(ns, "web", "shop/backup:9.9.9")
		out, progress, code := h.review(t, who, hasty, "--warm")
		if code != 2 || !strings.Contains(out, "the image is another product") || !strings.Contains(out, "asked ahead: the model's word waits on case") ||
			!strings.Contains(progress, "waiting for the model's word") {
			t.Fatalf("exit %d: %s\n%s", code, out, progress)
		}
		if all := h.cases(t, ns, "web"); len(all) != 1 || all[0].Spec.Answer.Said != "AskedAhead" || all[0].Status.Answer != "AskedAhead" || all[0].Spec.Answer.User != "system:serviceaccount:"+ns+":author" {
			t.Errorf("the Cases: %v", keys(all))
		}
		var d appsv1.Deployment
		if err := yaml.Unmarshal([]byte(hasty), &d); err != nil {
			t.Fatal(err)
		}
		if err := h.impatient.Create(t.Context(), &d); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "the image is another product") {
			t.Errorf("who comes once is told %v", err)
		}
		if said, err := h.kubectl(t, hasty, "apply", "-f", "-"); err == nil || !strings.Contains(said, "the image is another product") {
			t.Errorf("%v: %s", err, said)
		}
		h.eventually(t, "the Case says what was answered", func() error {
			if all := h.cases(t, ns, "web"); len(all) != 1 || all[0].Status.Answer != "Denied" {
				return errors.New(strings.Join(keys(all), ", "))
			}
			return nil
		})
		if n := h.questions(ns) - asked; n != 1 {
			t.Errorf("the model was asked %d times", n)
		}
	})
	play("a change of what runs, which the model finds sound", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry, pendingFor: 30s", sound(2*time.Second))
		who := h.author(t, ns)
		if out, err := h.kubectl(t, deployment(ns, "web", "shop/web:1.4.2"), "apply", "-f", "-"); err != nil {
			t.Fatal(out)
		}
		h.ended(t, ns, "web", "Admitted")
		if out, err := h.kubectl(t, "", "-n", ns, "rollout", "status", "deployment/web", "--timeout=60s"); err != nil {
			t.Fatal(out)
		}
		asked := h.questions(ns)
		next := deployment(ns, "web", "shop/web:1.4.3")
		out, _, code := h.review(t, who, next, "--warm", "-o", "json")
		var results []struct{ Ahead struct{ State, Case string } }
		if err := json.Unmarshal([]byte(out), &results); code != 0 || err != nil || len(results) != 1 || results[0].Ahead.State != "Heard" {
			t.Fatalf("exit %d, %v: %s", code, err, out)
		}
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "web"}}
		image := client.RawPatch(types.JSONPatchType, []byte(`[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"registry.example/shop/web:1.4.3"}]`))
		if err := h.impatient.Patch(t.Context(), d, image); err != nil {
			t.Errorf("who comes once is told %v", err)
		}
		h.marked(t, ns, "web", results[0].Ahead.Case)
		if n := h.questions(ns) - asked; n != 1 {
			t.Errorf("the model was asked %d times", n)
		}
	})
	play("a client that comes while the model is asked waits on the same Case", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry, pendingFor: 30s", against(4*time.Second))
		who := h.author(t, ns)
		asked := h.questions(ns)
		hasty := deployment(ns, "web", "shop/backup:9.9.9")
		done := make(chan int, 1)
		go func() {
			_, _, code := h.review(t, who, hasty, "--warm")
			done <- code
		}()
		h.eventually(t, "it is asked", func() error {
			if all := h.cases(t, ns, "web"); len(all) != 1 {
				return fmt.Errorf("%d Cases", len(all))
			}
			return nil
		})
		if out, err := h.kubectl(t, hasty, "apply", "-f", "-"); err == nil || !strings.Contains(out, "another product") {
			t.Errorf("%v: %s", err, out)
		}
		if code := <-done; code != 2 || len(h.cases(t, ns, "web")) != 1 || h.questions(ns)-asked != 1 {
			t.Errorf("exit %d, %v, %d questions", code, keys(h.cases(t, ns, "web")), h.questions(ns)-asked)
		}
	})
	play("a model that has no word in time: it says so", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry, pendingFor: 30s", never)
		who := h.author(t, ns)
		hasty := deployment(ns, "web", "shop/backup:9.9.9")
		out, _, code := h.review(t, who, hasty, "--warm", "--timeout", "6s")
		if code != 3 || !strings.Contains(out, "NOT asked ahead: the model had no word in time") {
			t.Fatalf("exit %d: %s", code, out)
		}
	})
	play("where nothing waits for a model, and where nothing can be reached", func(t *testing.T) {
		ns := h.place(t, "onPending: Warn", sound(0))
		who := h.author(t, ns)
		out, _, code := h.review(t, who, deployment(ns, "web", "shop/web:1.4.2"), "--warm")
		if code != 0 || !strings.Contains(out, "not asked ahead, for nothing depends on it: no Guardrail here keeps") {
			t.Errorf("exit %d: %s", code, out)
		}
		who.server = "https://127.0.0.1:1" // nobody listens there
		out, _, code = h.review(t, who, deployment(ns, "web", "shop/web:1.4.2"), "--warm")
		if code != 3 || !strings.Contains(out, "NOT asked ahead: ask "+who.server) {
			t.Errorf("exit %d: %s", code, out)
		}
		if all := h.cases(t, ns, "web"); len(all) != 0 {
			t.Errorf("Cases are left: %v", keys(all))
		}
	})
	play("who may not apply it may not ask about it", func(t *testing.T) {
		ns, mine := h.place(t, "onPending: Retry", sound(0)), h.place(t, "onPending: Retry", sound(0))
		who := h.author(t, mine)
		out, _, code := h.review(t, who, deployment(ns, "web", "shop/web:1.4.2"), "--warm")
		if code != 3 || len(h.cases(t, ns, "web")) != 0 {
			t.Errorf("exit %d: %s", code, out)
		}
	})
}

// author is somebody who may apply workloads in a namespace, and read around them.
type author struct{ kubeconfig, server, roots string }

func (h *house) author(t *testing.T, ns string) author {
	t.Helper()
	out := author{server: "https://" + h.part(judge).Address(), roots: filepath.Join(h.dir, "roots-"+ns+".pem")}
	var err error
	if out.kubeconfig, err = h.c.ServiceAccountKubeconfig(t.Context(), ns, "author"); err != nil {
		t.Fatal(err)
	}
	subject := []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: ns, Name: "author"}}
	view := rbacv1.PolicyRule{APIGroups: []string{"", "moorgate.dev"}, Resources: []string{"namespaces", "nodes", "guardrails"}, Verbs: []string{"get", "list"}}
	for _, o := range []client.Object{
		&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "author"}, Subjects: subject, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"}},
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "author-" + ns}, Rules: []rbacv1.PolicyRule{view}},
		&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "author-" + ns}, Subjects: subject, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "author-" + ns}},
	} {
		if err := h.admin.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	var anchors corev1.ConfigMap
	if err := h.admin.Get(t.Context(), client.ObjectKey{Namespace: "moorgate-system", Name: "moorgate-audit-anchors"}, &anchors); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(out.roots, []byte(anchors.Data["ca.judge"]), 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

// review runs moorgate review as somebody.
func (h *house) review(t *testing.T, who author, manifest string, args ...string) (out, progress string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), h.binary, append([]string{"review", "-f", "-", "--kubeconfig", who.kubeconfig, "--server", who.server, "--server-ca", who.roots}, args...)...)
	cmd.Stdin = strings.NewReader(manifest)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Error(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}
