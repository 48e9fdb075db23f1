package drift_test

import (
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/drift"
)

const vault = `apiVersion: v1
kind: Secret
metadata: {name: db, labels: {team: shop}, annotations: {note: planted-note}}
type: Opaque
stringData:
  password: planted-password
data:
  token: cGxhbnRlZC10b2tlbg==
---
apiVersion: v1
kind: Secret
metadata: {name: encrypted}
stringData: {password: "ENC[AES256_GCM,data:x,type:str]"}
sops: {mac: x}
`

func seals(s *stage) *drift.Sealer {
	s.t.Helper()
	sealer, err := drift.NewSealer()
	s.ok(err)
	return sealer
}

// vaulted is a stage whose Detector compares Secrets, which the judge may get there.
func vaulted(t *testing.T, granted bool) *stage {
	t.Helper()
	s := newStage(t)
	if granted {
		s.ok(s.admin.Create(t.Context(), &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: s.ns, Name: "secrets"},
			Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}}}}))
		s.ok(s.admin.Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: s.ns, Name: "secrets"},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "secrets"},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "moorgate-system", Name: "moorgate-judge"}}}))
	}
	s.detector.Secrets = seals(s)
	s.commit(map[string]string{"deploy/db.yaml": vault})
	s.source(nil)
	s.kubectl(strings.Split(vault, "---")[0], "apply", "-f", "-")
	s.round()
	return s
}

// TestL16ASecretThatDriftsSaysWhichKey and nothing of any value, in Cases, records, the GitSource and what somebody is shown who asks.
func TestL16ASecretThatDriftsSaysWhichKey(t *testing.T) {
	s := vaulted(t, true)
	if ready := s.ready(); len(s.cases()) != 0 || !strings.Contains(ready.Message, ": 1; kinds that are not compared: Secret: encrypted in Git (1)") {
		t.Fatalf("%s; the GitSource says %+v", asJSON(s.cases()), ready)
	}
	s.kubectl("", "annotate", "secret/db", "kubernetes.io/change-cause=planted-cause")
	s.round()
	if cases := s.cases(); len(cases) != 0 {
		t.Fatalf("no drift, but %s", asJSON(cases))
	}
	s.kubectl("", "patch", "secret/db", "-p", `{"stringData":{"password":"planted-live","extra":"planted-extra"}}`)
	s.round()
	k := s.onlyCase()
	said := asJSON(k.Status.Findings)
	if !strings.Contains(said, "data.password is not what Git says") || !strings.Contains(said, "data.extra was added, and Git does not have it") || strings.Contains(said, "data.token") {
		t.Errorf("got %s", said)
	}
	if len(k.Status.Chosen) != 0 || k.Status.Menu[0].ID == drift.ItemAdopt || !strings.HasPrefix(k.Status.Owner, "kubectl-patch") {
		t.Errorf("got %s", asJSON(k.Status))
	}
	s.detector = s.detectorAs(s.judge) // as after a restart
	s.detector.Secrets = seals(s)
	s.round()
	if again := s.onlyCase(); again.ResourceVersion != k.ResourceVersion {
		t.Errorf("under another key it is another Case, or is written again: %s", asJSON(again))
	}
	r, err := s.detector.Look(t.Context(), drift.Asked{Namespace: s.ns, Source: "shop", From: drift.Repository{URL: "file://" + s.dir, Branch: "main", Path: "deploy"}})
	s.ok(err)
	all := asJSON(s.cases()) + asJSON(s.log.records) + asJSON(s.ready()) + asJSON(r)
	for _, value := range []string{"planted", "cGxhbnRlZ", "sealed:"} {
		if strings.Contains(all, value) {
			t.Errorf("%s leaves: %s", value, all)
		}
	}
	s.kubectl("", "patch", "secret/db", "--type=json", "-p", `[{"op":"remove","path":"/data/extra"},{"op":"replace","path":"/data/password","value":"cGxhbnRlZC1wYXNzd29yZA=="},{"op":"remove","path":"/data/token"}]`)
	s.round()
	found := false
	for _, k := range s.cases() {
		found = found || strings.Contains(k.Status.Summary, "data.token is missing, and Git declares it")
	}
	if !found {
		t.Errorf("a key that is gone is not told: %s", asJSON(s.cases()))
	}
	s.kubectl(strings.Split(vault, "---")[0], "apply", "-f", "-")
	s.round()
	for _, k := range s.cases() {
		if drifted(k).Status != metav1.ConditionFalse {
			t.Errorf("Git was delivered again, and %s", asJSON(k))
		}
	}
}

func TestL20ASecretThatMayNotBeReadIsSaidAndIsNoDrift(t *testing.T) {
	s := vaulted(t, false)
	if k := s.onlyCase(); k.Spec.Signal.Reason != "Unreadable" || len(k.Status.Findings) != 0 {
		t.Errorf("got %s", asJSON(k))
	}
	s = newStage(t)
	s.commit(map[string]string{"deploy/db.yaml": vault})
	s.source(nil)
	s.kubectl(strings.ReplaceAll(strings.Split(vault, "---")[0], "planted", "other"), "apply", "-f", "-")
	s.round()
	if ready := s.ready(); len(s.cases()) != 0 || !strings.Contains(ready.Message, "Secret: Secrets are never read, unless that is asked for (2)") {
		t.Errorf("nobody asked for it, and %s; the GitSource says %+v", asJSON(s.cases()), ready)
	}
}
