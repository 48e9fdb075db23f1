package policies

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

const (
	open   = `{"since":"2026-11-26T12:00:00Z","why":"it got worse"}`
	closed = `{"at":"2026-11-26T12:30:00Z","why":"a bad image","forgiven":{}}`
)

func ledgerMap() *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "moorgate-ledger"}}
}

// ledgerStage is a stage whose ledger holds something of everything.
func ledgerStage(t *testing.T) stage {
	t.Helper()
	s := newStage(t)
	s.furnishLedger(t)
	return s
}

func (s stage) furnishLedger(t *testing.T) {
	t.Helper()
	furnished := ledgerMap()
	furnished.Data = map[string]string{"ledger": `{"entries":[],"tallies":[]}`, "breaker.all": open, "breaker.namespace.shop": open, "reset.namespace.bank": closed}
	if err := client.IgnoreNotFound(s.admin.client.Delete(t.Context(), ledgerMap())); err != nil {
		t.Fatal(err)
	}
	if err := s.admin.client.Create(t.Context(), furnished); err != nil {
		t.Fatal(err)
	}
}

// who is somebody with these rights in the whole cluster, and every right in Moorgate's own namespace.
func (s stage) who(t *testing.T, name string, verbs ...string) hand {
	t.Helper()
	subject := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: name}}
	objects := []client.Object{&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "test-" + name}, Subjects: subject,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"}}}
	if len(verbs) > 0 {
		objects = append(objects,
			&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "test-" + name}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{"moorgate.dev"}, Resources: []string{"guardrails"}, Verbs: verbs}}},
			&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "test-" + name}, Subjects: subject, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "test-" + name}})
	}
	for _, obj := range objects {
		if err := s.admin.client.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.admin.client.Delete(context.WithoutCancel(t.Context()), obj); err != nil {
				t.Error(err)
			}
		})
	}
	config := *s.cluster.Config()
	config.Impersonate.UserName, config.Impersonate.Groups = name, []string{"system:authenticated"}
	h := handOf(t, &config)
	waitForEverything(t, h, system)
	return h
}

// onLedger sends a merge patch to the ledger in a dry run, so that the next finds it as it was.
func onLedger(body string) func(context.Context, hand) error {
	return patch(ledgerMap(), body, client.DryRunAll)
}

var (
	reserves = []write{
		{"make an entry", onLedger(`{"data":{"ledger":"{\"entries\":[{}]}"}}`)},
		{"open a breaker", onLedger(`{"data":{"ledger":"{}","breaker.namespace.bank":"{}"}}`)},
		{"drop what a human said long ago", onLedger(`{"data":{"ledger":"{}","reset.namespace.bank":null}}`)},
	}
	closes = []write{
		{"close a breaker", onLedger(`{"data":{"breaker.namespace.shop":null,"reset.namespace.shop":"{}"}}`)},
		{"close every breaker", onLedger(`{"data":{"breaker.namespace.shop":null,"breaker.all":null,"reset.all":"{}"}}`)},
		{"close one without a word", onLedger(`{"data":{"breaker.all":null}}`)},
		{"close one and count as well", onLedger(`{"data":{"breaker.all":null,"ledger":"{}"}}`)},
	}
	weakens = []write{
		{"change since when one is open", onLedger(`{"data":{"breaker.all":"{}"}}`)},
		{"empty it", onLedger(`{"data":null}`)},
		{"replace it with an empty one", func(ctx context.Context, h hand) error {
			return h.client.Update(ctx, ledgerMap(), client.DryRunAll)
		}},
		{"apply an empty one over it", func(ctx context.Context, h hand) error {
			return h.kube.CoreV1().RESTClient().Patch(types.ApplyPatchType).Namespace(system).Resource("configmaps").Name("moorgate-ledger").
				Param("fieldManager", "x").Param("force", "true").Param("dryRun", "All").Body([]byte(`{"apiVersion":"v1","kind":"ConfigMap","data":{"breaker.all":"{}"}}`)).Do(ctx).Error()
		}},
		{"delete it", func(ctx context.Context, h hand) error { return h.client.Delete(ctx, ledgerMap(), client.DryRunAll) }},
		{"delete it by the dozen", func(ctx context.Context, h hand) error {
			return h.client.DeleteAllOf(ctx, &corev1.ConfigMap{}, client.InNamespace(system), client.MatchingLabels{}, client.DryRunAll)
		}},
	}
	beside = []write{
		{"take the entries away", onLedger(`{"data":{"ledger":null}}`)},
		{"say that a human closed one", onLedger(`{"data":{"reset.all":"{}"}}`)},
		{"say something else than the human did", onLedger(`{"data":{"reset.namespace.bank":"{}"}}`)},
		{"leave something else there", onLedger(`{"data":{"other":"x"}}`)},
		{"leave bytes there", onLedger(`{"binaryData":{"other":"eA=="}}`)},
		{"freeze it", onLedger(`{"immutable":true}`)},
		{"label it", onLedger(`{"metadata":{"labels":{"x":"y"}}}`)},
		{"annotate it", onLedger(`{"metadata":{"annotations":{"x":"y"}}}`)},
		{"have it collected as garbage", onLedger(`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"gone","uid":"1"}]}}`)},
		{"hold it back from deletion", onLedger(`{"metadata":{"finalizers":["x/y"]}}`)},
	}
	nothing = []write{{"migrate what is stored", onLedger(`{}`)}}
)

func all(lists ...[]write) []write {
	var writes []write
	for _, some := range lists {
		writes = append(writes, some...)
	}
	return writes
}

func TestLedgerIsWrittenBy(t *testing.T) {
	s := ledgerStage(t)
	t.Run("act", func(t *testing.T) { allowed(t, s.unbound(t, "moorgate-act"), all(reserves, nothing)) })
	t.Run("act, and never to its own advantage, whatever its rights", func(t *testing.T) {
		refused(t, s.unbound(t, "moorgate-act"), all(closes, weakens, beside), "moorgate-ledger", "moorgate-act")
	})
	for _, account := range []string{"moorgate-judge", "moorgate-webhook"} {
		t.Run("not "+account+", whatever its rights", func(t *testing.T) {
			refused(t, s.unbound(t, account), all(reserves, closes, weakens, beside), "moorgate-ledger", "moorgate-judge")
		})
	}
	t.Run("not whoever owns Moorgate's namespace and nothing else", func(t *testing.T) {
		h := s.who(t, "owner-of-moorgate")
		refused(t, h, all(reserves, closes, weakens, beside), "moorgate-ledger")
		allowed(t, h, nothing)
	})
	t.Run("an administrator, under whom a laptop runs Moorgate", func(t *testing.T) {
		allowed(t, s.admin, all(reserves, closes, weakens, beside, nothing))
	})
	t.Run("whoever may bypass, but for what only a reset does", func(t *testing.T) {
		h := s.who(t, "bypasser", "bypass")
		allowed(t, h, all(reserves, beside, nothing))
		refused(t, h, all(closes, weakens), "moorgate-ledger")
	})
	t.Run("a human who may reset, to close breakers", func(t *testing.T) {
		h := s.who(t, "resetter", "reset")
		allowed(t, h, append(closes[:3:3], nothing...))
		refused(t, h, all(reserves[:2], closes[3:], weakens, beside[:1], beside[3:]), "moorgate-ledger")
	})
	t.Run("no ServiceAccount to close breakers, whatever its rights", func(t *testing.T) {
		refused(t, s.robot(t), closes, "moorgate-ledger")
	})
}

func TestTheLedgerIsMade(t *testing.T) {
	s := ledgerStage(t)
	if err := s.admin.client.Delete(t.Context(), ledgerMap()); err != nil {
		t.Fatal(err)
	}
	defer s.furnishLedger(t)
	makes := []write{{"make one", create(ledgerMap(), client.DryRunAll)}}
	t.Run("not by act, whatever its rights", func(t *testing.T) { refused(t, s.unbound(t, "moorgate-act"), makes, "moorgate-ledger", "moorgate-act") })
	t.Run("not by the owner of Moorgate's namespace", func(t *testing.T) { refused(t, s.who(t, "owner-of-moorgate"), makes, "moorgate-ledger") })
	t.Run("by an administrator", func(t *testing.T) { allowed(t, s.admin, makes) })
	t.Run("not under the name of the probe", func(t *testing.T) {
		probe := ledgerMap()
		probe.Name = "moorgate-fence-probe-ledger"
		refused(t, s.admin, []write{{"by an administrator", create(probe)}}, "moorgate-ledger")
	})
	t.Run("elsewhere by anybody", func(t *testing.T) {
		elsewhere := ledgerMap()
		elsewhere.Namespace = s.namespace
		allowed(t, s.owner(t), []write{{"one of the same name", create(elsewhere)}, {"which goes again", remove(elsewhere)}})
	})
}

// The ledger as it is used, by the identities that use it, under its fence.
func TestActSpendsAndHumansCloseBreakers(t *testing.T) {
	s := ledgerStage(t)
	if err := s.admin.client.Delete(t.Context(), ledgerMap()); err != nil {
		t.Fatal(err)
	}
	if err := s.admin.client.Create(t.Context(), ledgerMap()); err != nil {
		t.Fatal(err)
	}
	s.unbound(t, "moorgate-act")
	config, err := s.cluster.ServiceAccount(t.Context(), system, "moorgate-act")
	if err != nil {
		t.Fatal(err)
	}
	act := ledgerOf(t, config)
	s.who(t, "closer", "reset")
	config = s.cluster.Config()
	config.Impersonate.UserName, config.Impersonate.Groups = "closer", []string{"system:authenticated"}
	human := ledgerOf(t, config)
	for round := range 2 {
		for i := range 2 {
			id := spend(t, act, fmt.Sprint(round, i))
			if err := act.Settle(t.Context(), id, gate.ResultWorsened); err != nil {
				t.Fatal(err)
			}
		}
		if l, _, err := act.Read(t.Context()); err != nil || len(l.Open) != 1 {
			t.Fatalf("open %v (%v)", l.Open, err)
		}
		if err := act.Reset(t.Context(), "shop", "all is well"); !apierrors.IsForbidden(err) {
			t.Fatalf("act closed a breaker: %v", err)
		}
		if err := human.Reset(t.Context(), "shop", "a bad image"); err != nil {
			t.Fatal(err)
		}
	}
	spend(t, act, "at last")
}

func ledgerOf(t *testing.T, config *rest.Config) *cluster.Ledger {
	t.Helper()
	l, err := cluster.NewLedger(config, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func spend(t *testing.T, l *cluster.Ledger, target string) string {
	t.Helper()
	budget := gate.Budget{Actions: 100, Window: time.Hour}
	p := gate.Policy{Rails: []gate.Rail{{Name: "rail", Restraint: gate.Restraint{Attempts: 100}, Budgets: gate.Budgets{Total: budget, Namespace: budget, Workload: budget}}}}
	id, refused, err := l.Reserve(t.Context(), p, gate.Spent{Guardrails: []string{"rail"}, Namespace: "shop", Workload: target, Verb: "evict", Target: target})
	if err != nil || refused != nil {
		t.Fatalf("refused %v, %v", refused, err)
	}
	return id
}

// A fence that kept its own object from going would keep the whole namespace from going, for ever.
func TestMoorgatesNamespaceCanBeDeleted(t *testing.T) {
	if os.Getenv("MOORGATE_TEST_KUBECONFIG") != "" {
		t.Skip("others may be using this cluster")
	}
	s := ledgerStage(t)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: system}}
	if err := s.admin.client.Delete(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		err := s.admin.client.Get(ctx, client.ObjectKeyFromObject(namespace), namespace)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	}); err != nil {
		t.Fatalf("it is still there: %v; %v", err, namespace.Status.Conditions)
	}
	newStage(t) // and Moorgate can be installed again
}

// robot is a ServiceAccount of somebody else with every right there is.
func (s stage) robot(t *testing.T) hand {
	t.Helper()
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "test-robot"},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: s.namespace, Name: "robot"}}}
	if err := s.admin.client.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.admin.client.Delete(context.WithoutCancel(t.Context()), binding); err != nil {
			t.Error(err)
		}
	})
	config, err := s.cluster.ServiceAccount(t.Context(), s.namespace, "robot")
	if err != nil {
		t.Fatal(err)
	}
	h := handOf(t, config)
	waitForEverything(t, h, "")
	return h
}
