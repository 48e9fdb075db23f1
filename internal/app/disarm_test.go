package app

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/certs"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook"
	"moorgate.dev/webhook/witness"
)

// noted is a recorder that keeps the notes.
type noted struct {
	recorder
	texts []string
}

func (n *noted) Append(_ context.Context, r gate.Record) (gate.Position, error) {
	n.texts = append(n.texts, r.Text)
	return gate.Position{}, nil
}

// doorman is a gateway of which only the registration works, under the identity of the webhook.
func doorman(t *testing.T) (*gateway, *noted, client.Client, string) {
	t.Helper()
	c, admin := installedOn(t)
	identity, err := c.ServiceAccount(t.Context(), ownNamespace, webhookIdentity)
	if err != nil {
		t.Fatal(err)
	}
	own, err := client.New(identity, client.Options{Scheme: admin.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	log := &noted{}
	g := &gateway{process: &process{options: options{url: "https://127.0.0.1:1"}, log: log, logger: slog.New(slog.DiscardHandler)},
		client: own, reader: own, ticker: time.NewTicker(certificateLook)}
	t.Cleanup(func() {
		g.ticker.Stop()
		for _, err := range []error{webhook.Arm(context.Background(), admin, ""), webhook.Deregister(context.Background(), own)} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	return g, log, admin, c.Kubeconfig()
}

// mayArm lets a user read and patch the one registration.
func mayArm(t *testing.T, admin client.Client, kubeconfig, user string) string {
	t.Helper()
	role := &rbacv1.ClusterRole{Rules: []rbacv1.PolicyRule{{APIGroups: []string{"admissionregistration.k8s.io"}, Resources: []string{"validatingwebhookconfigurations"},
		ResourceNames: []string{webhook.RegistrationName}, Verbs: []string{"get", "patch"}}}}
	role.Name = "test-arms-" + user
	binding := &rbacv1.ClusterRoleBinding{RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}}}
	binding.Name = role.Name
	for _, o := range []client.Object{role, binding} {
		if err := admin.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = admin.Delete(context.Background(), o) })
	}
	return kubeconfigOf(t, kubeconfig, user)
}

func TestDisarmAndArm(t *testing.T) {
	g, log, admin, kubeconfig := doorman(t)
	roots := selfSigned(t)
	if err := g.register(t.Context(), roots); err != nil {
		t.Fatal(err)
	}
	bo, guest := mayArm(t, admin, kubeconfig, "bo"), kubeconfigOf(t, kubeconfig, "guest")
	if code, _, errs := run("disarm", "--reason", " ", "--kubeconfig", bo); code != 3 || !strings.Contains(errs, "--reason") {
		t.Errorf("without a reason: %d %s", code, errs)
	}
	if code, _, errs := run("disarm", "--reason", "x", "--kubeconfig", guest); code != 3 || !strings.Contains(errs, "may get and patch") {
		t.Errorf("without the right: %d %s", code, errs)
	}
	var code int
	var out, errs string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if code, out, errs = run("disarm", "--reason", "incident 4711", "--kubeconfig", bo); code == 0 {
			break
		}
	}
	if code != 0 || !strings.Contains(out, "bo 2") || !strings.Contains(out, "incident 4711") || !strings.Contains(out, "moorgate arm") {
		t.Fatalf("%d %s%s", code, out, errs)
	}
	for range 2 {
		if err := g.register(t.Context(), roots); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := webhook.StandingOf(t.Context(), admin, ""); err != nil || s.Asked {
		t.Errorf("the gateway filled it: %+v %v", s, err)
	}
	if len(log.texts) != 1 || !strings.Contains(log.texts[0], "incident 4711") || !strings.Contains(g.told(), "moorgate arm") || strings.Contains(g.told(), "incident") {
		t.Errorf("noted %q, told %q", log.texts, g.told())
	}
	if code, _, errs := run("arm", "--timeout", "2s", "--kubeconfig", bo); code != 3 || !strings.Contains(errs, "no gateway has filled it") {
		t.Errorf("without a gateway: %d %s", code, errs)
	}
	if err := g.register(t.Context(), roots); err != nil {
		t.Fatal(err)
	}
	if len(log.texts) != 2 || g.told() != "" {
		t.Errorf("noted %q, told %q", log.texts, g.told())
	}
	if code, out, errs := run("arm", "--kubeconfig", bo); code != 0 || !strings.Contains(out, "was not disarmed") {
		t.Errorf("%d %s%s", code, out, errs)
	}
}

// What people change is told through the same registration, so disarming takes the witness out too, and arming puts it back.
func TestDisarmTakesTheWitnessOutToo(t *testing.T) {
	g, _, admin, kubeconfig := doorman(t)
	g.seen = &observer{wanted: func(context.Context) bool { return true }}
	roots := selfSigned(t)
	hooks := func() (names []string) {
		var config admissionregistrationv1.ValidatingWebhookConfiguration
		if err := admin.Get(t.Context(), client.ObjectKey{Name: webhook.RegistrationName}, &config); err != nil {
			t.Fatal(err)
		}
		for _, w := range config.Webhooks {
			names = append(names, w.Name)
		}
		return names
	}
	register := func() {
		t.Helper()
		if err := g.register(t.Context(), roots); err != nil {
			t.Fatal(err)
		}
	}
	register()
	if got := hooks(); len(got) != 2 || !slices.Contains(got, witness.Name) {
		t.Fatalf("registered are %q", got)
	}
	if code, _, errs := run("disarm", "--reason", "incident 4711", "--kubeconfig", kubeconfig); code != 0 {
		t.Fatal(code, errs)
	}
	register()
	if got := hooks(); len(got) != 0 {
		t.Errorf("disarmed, and still asked: %q", got)
	}
	if err := webhook.Arm(t.Context(), admin, ""); err != nil {
		t.Fatal(err)
	}
	register()
	if got := hooks(); len(got) != 2 {
		t.Errorf("armed again, registered are %q", got)
	}
	g.seen = nil
	register()
	if got := hooks(); len(got) != 1 || got[0] == witness.Name {
		t.Errorf("nobody asked for a witness, and registered are %q", got)
	}
}

func TestArmWaitsForTheGateway(t *testing.T) {
	g, _, admin, kubeconfig := doorman(t)
	if err := webhook.Disarm(t.Context(), admin, "", "ana"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		time.Sleep(1500 * time.Millisecond)
		done <- g.register(context.Background(), selfSigned(t))
	}()
	code, out, errs := run("arm", "--kubeconfig", kubeconfig)
	if err := <-done; err != nil || code != 0 || !strings.Contains(out, "disarmed by ana") || !strings.Contains(out, "again") {
		t.Errorf("%v %d %s%s", err, code, out, errs)
	}
}

// An annotation by hand is enough: the gateway empties the registration itself.
func TestAnAnnotationByHandDisarms(t *testing.T) {
	g, _, admin, _ := doorman(t)
	roots := selfSigned(t)
	if err := g.register(t.Context(), roots); err != nil {
		t.Fatal(err)
	}
	var config admissionregistrationv1.ValidatingWebhookConfiguration
	if err := admin.Get(t.Context(), client.ObjectKey{Name: webhook.RegistrationName}, &config); err != nil || len(config.Webhooks) != 1 {
		t.Fatal(config.Webhooks, err)
	}
	if config.Annotations == nil {
		config.Annotations = map[string]string{}
	}
	config.Annotations[webhook.AnnotationDisarmed] = "by hand"
	if err := admin.Update(t.Context(), &config); err != nil {
		t.Fatal(err)
	}
	if err := g.register(t.Context(), roots); err != nil {
		t.Fatal(err)
	}
	if s, err := webhook.StandingOf(t.Context(), admin, ""); err != nil || s.Asked || s.Disarmed != "by hand" {
		t.Errorf("%+v %v", s, err)
	}
}

// selfSigned are roots as a gateway publishes them.
func selfSigned(t *testing.T) []byte {
	t.Helper()
	a := &certs.Authority{Store: certs.Folder(t.TempDir()), Now: time.Now, DNSNames: []string{"localhost"}}
	b, err := a.Ensure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b.CABundle
}
