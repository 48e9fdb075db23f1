package drift_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// released is a release as Helm keeps it, with a Secret among what it made.
func (s *delivery) released(version int, manifest string) {
	s.t.Helper()
	b, err := json.Marshal(map[string]any{"name": "web", "namespace": s.ns, "version": version, "info": map[string]any{"status": "deployed"},
		"manifest": "---\n# Source: web/templates/secret.yaml\napiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {x: planted-in-chart}\n---\n" + manifest})
	s.ok(err)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err = z.Write(b)
	s.ok(err)
	s.ok(z.Close())
	s.ok(s.admin.Create(s.t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.ns, Name: fmt.Sprintf("sh.helm.release.v1.web.v%d", version)}, Type: "helm.sh/release.v1",
		Data: map[string][]byte{"release": []byte(base64.StdEncoding.EncodeToString(packed.Bytes()))}}))
}

// TestWhatHelmDeployedIsComparedWhereThatIsAllowed has a release, then the right to read it, then an upgrade.
func TestWhatHelmDeployedIsComparedWhereThatIsAllowed(t *testing.T) {
	s := newDelivery(t)
	s.released(1, web)
	status := func(version int, ready string) map[string]any {
		return map[string]any{"storageNamespace": s.ns, "conditions": []any{map[string]any{"type": "Ready", "status": ready}},
			"history": []any{map[string]any{"name": "web", "namespace": s.ns, "version": int64(version), "status": "deployed"}}}
	}
	u := s.have("helm.toolkit.fluxcd.io/v2", "HelmRelease", s.ns, "web", map[string]any{"spec": map[string]any{}, "status": status(1, "True")})
	s.kubectl(web, "apply", "--server-side", "--field-manager=helm-controller", "-f", "-")
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	if names := s.rounds(); len(names) != 0 {
		t.Errorf("nobody asked for it, and compared is %q", names)
	}
	s.detector.HelmReleases = true
	s.rounds()
	if told := s.told(); !strings.Contains(told, "a Role in that namespace with the verb get on secrets") || len(s.cases()) != 0 {
		t.Errorf("told %q; cases %s", told, asJSON(s.cases()))
	}
	s.kubectl("", "create", "role", "helm", "--verb=get", "--resource=secrets")
	s.kubectl("", "create", "rolebinding", "helm", "--role=helm", "--serviceaccount=moorgate-system:moorgate-judge")
	s.eventually("it is compared", func() bool { s.rounds(); return len(s.cases()) == 1 })
	k := s.onlyCase()
	if !strings.HasPrefix(k.Status.Summary, "replicas is 5, Git says 2 (helm/web.v1:") || len(k.Status.Menu) != 2 || !strings.Contains(asJSON(k), "no Kustomization of Flux is known that delivered its HelmRelease") {
		t.Errorf("got %s", asJSON(k))
	}
	if all := asJSON(s.cases()) + asJSON(s.log.records) + s.told() + asJSON(s.look()); strings.Contains(all, "planted") {
		t.Errorf("a secret is shown: %s", all)
	}
	next := strings.Replace(web, "replicas: 2", "replicas: 5", 1)
	s.released(2, next)
	u.Object["status"] = status(1, "Unknown")
	s.ok(s.admin.Update(t.Context(), u))
	s.kubectl(strings.Replace(next, "web:1.4", "web:1.5", 1), "apply", "--server-side", "--force-conflicts", "--field-manager=helm-controller", "-f", "-")
	s.rounds()
	if c := drifted(s.onlyCase()); c.Status != metav1.ConditionTrue {
		t.Errorf("it is being upgraded, and the Case says %+v", c)
	}
	s.kubectl(next, "apply", "--server-side", "--force-conflicts", "--field-manager=helm-controller", "-f", "-")
	u.Object["status"] = status(2, "True")
	s.ok(s.admin.Update(t.Context(), u))
	s.rounds()
	if c := drifted(s.onlyCase()); c.Status != metav1.ConditionFalse {
		t.Errorf("it is as it was deployed, and the Case says %+v", c)
	}
}
