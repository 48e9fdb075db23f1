package app

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// A diff names who was seen to make a change, to whom may list Cases, and beside what their program called itself.
func TestDiffNamesWhoWasSeen(t *testing.T) {
	m := newMoored(t, mooredWeb(t))
	m.kubectl(mooredWeb(t), "apply", "-f", "-")
	m.kubectl("", "set", "image", "deployment/web", "app=ghcr.io/acme/web:1.5.0")
	m.kubectl("", "patch", "deployment/web", "--type=json", "-p", `[{"op": "remove", "path": "/spec/template/spec/containers/0/env"}]`)
	var web appsv1.Deployment
	m.ok(m.admin.Get(t.Context(), client.ObjectKey{Namespace: m.ns, Name: "web"}, &web))
	m.diff(exitWarned, []string{"who   kubectl-set (Update), by its own word: person", "who   not known (deletions leave no trace)"})
	const container = "spec.template.spec.containers[name=app]"
	for manager, path := range map[string]string{"kubectl-set": container + ".image", "kubectl-patch": container + ".env"} {
		at := metav1.Now()
		for _, e := range web.ManagedFields {
			if e.Manager == manager && e.Time != nil {
				at = *e.Time
			}
		}
		s := gate.Signal{Face: gate.FaceDrift, Reason: v1alpha1.ReasonWitnessed, At: at.Time, Key: path,
			Subject: gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: m.ns, Name: "web", UID: string(web.UID)}}
		_, _, err := cluster.Cases{Client: m.admin, Now: time.Now}.OpenWitnessed(t.Context(), s,
			&v1alpha1.Witness{User: "alice\x1b[31m", Manager: manager, Operation: "UPDATE", Paths: []string{path}, At: at})
		m.ok(err)
	}
	if text := m.diff(exitWarned, []string{"seen by the API server, as kubectl-set (Update) at 20", "seen by the API server, as kubectl-patch at 20", "who   alice"}); strings.Contains(text, "\x1b") {
		t.Errorf("a name reaches the terminal as it is: %q", text)
	}
	m.diff(exitWarned, []string{`"user": "alice`, `"manager": "kubectl-set"`}, "-o", "json")
	m.diff(exitWarned, []string{"seen by the API server, as kubectl-set (Update) at 20"}, "-o", "markdown")
}
