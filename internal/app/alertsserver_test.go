package app

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"moorgate.dev/remediate"
)

const anAlert = `{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"namespace":"shop","pod":"web-1"}},{"status":"firing","labels":{"alertname":"Watchdog"}}]}`

// TestAlertsTakeARight posts as Alertmanager's account, as one that may read the log, and as a stranger.
func TestAlertsTakeARight(t *testing.T) {
	c, api := installedOn(t)
	kube, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	s := &auditServer{door: newDoorkeeper(kube, quiet), logger: quiet, alerts: &alertServer{bell: &remediate.Bell{}, count: newMetrics().alert}}
	server := httptest.NewTLSServer(s.handler())
	t.Cleanup(server.Close)
	asks, ns := served{url: server.URL, client: server.Client(), kube: kube}, c.Namespace(t, nil)
	token, stranger := asks.account(t, c, ns, "alertmanager", "", ""), asks.account(t, c, ns, "stranger", "", "")
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "alerts-" + ns}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "moorgate-alerts"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: ns, Name: "alertmanager"}}}
	if err := api.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	asks.ask(t, http.MethodPost, alertsPath, "", []byte(anAlert), http.StatusUnauthorized)
	asks.ask(t, http.MethodPost, alertsPath, stranger, []byte(anAlert), http.StatusForbidden)
	asks.ask(t, http.MethodPost, alertsPath, token, []byte("{}"), http.StatusBadRequest)
	asks.ask(t, http.MethodPost, alertsPath, token, []byte(anAlert), http.StatusServiceUnavailable) // it was let in, and nobody looks here
	asks.ask(t, http.MethodGet, auditPath, token, nil, http.StatusForbidden)
	asks.ask(t, http.MethodPost, recordsPath, token, nil, http.StatusForbidden)
	asks.ask(t, http.MethodPost, alertsPath, token, []byte(strings.Repeat(" ", remediate.AlertBytes+1)), http.StatusRequestEntityTooLarge)
}
