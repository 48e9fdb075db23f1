package drift_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
)

// deletions are the Cases of what was deleted.
func (s *stage) deletions() []v1alpha1.Case {
	s.t.Helper()
	return slices.DeleteFunc(s.cases(), func(k v1alpha1.Case) bool { return k.Spec.Signal.Reason != "ObjectDeleted" })
}

func (s *stage) onlyDeletion(status metav1.ConditionStatus) v1alpha1.Case {
	s.t.Helper()
	all := s.deletions()
	if len(all) != 1 || drifted(all[0]).Status != status {
		s.t.Fatalf("want one Case of what was deleted, and Drifted %s; got %s; the GitSource says %+v", status, asJSON(s.cases()), s.ready())
	}
	return all[0]
}

func TestWhatWasSeenAndIsDeletedIsADrift(t *testing.T) {
	s := deployed(t, web)
	uid, head := string(s.live().UID), s.head()
	s.kubectl("", "delete", "deployment/web")
	s.round()
	if all := s.deletions(); len(all) != 0 {
		t.Fatalf("Git was not read since it went, and may not declare it any more: %s", asJSON(all))
	}
	s.round()
	k := s.onlyDeletion(metav1.ConditionTrue)
	if k.Spec.Subject.Kind != "Deployment" || k.Spec.Subject.Name != "web" || k.Spec.Subject.UID != uid {
		t.Errorf("the subject is %+v", k.Spec.Subject)
	}
	if want := "the cluster no longer has Deployment/web, and Git declares it (deploy/web.yaml:2)"; k.Spec.Signal.Text != want {
		t.Errorf("it says %q, want %q", k.Spec.Signal.Text, want)
	}
	if k.Status.Cause != drift.CauseUnknown || !strings.HasPrefix(k.Status.Owner, "unknown") || len(k.Status.Chosen) != 0 {
		t.Errorf("nobody was seen, and the Case says %s", asJSON(k.Status))
	}
	if len(k.Status.Menu) != 2 || k.Status.Menu[0].ID != drift.ItemEscalate || k.Status.Menu[1].ID != drift.ItemNothing ||
		!strings.Contains(k.Status.Menu[0].Text, "deliver deploy/web.yaml:2 of commit "+head[:12]+" again") {
		t.Errorf("the menu is %s", asJSON(k.Status.Menu))
	}
	version, records := k.ResourceVersion, len(s.log.records)
	s.round()
	if again := s.onlyDeletion(metav1.ConditionTrue); again.ResourceVersion != version || len(s.log.records) != records {
		t.Error("a round in which it is still gone writes")
	}

	s.detector = s.detectorAs(s.judge) // which has seen nothing
	s.round()
	if again := s.onlyDeletion(metav1.ConditionTrue); again.Name != k.Name {
		t.Errorf("another process tells it as %s, and not as %s", again.Name, k.Name)
	}
	s.commit(map[string]string{"deploy/web.yaml": strings.Replace(web, "replicas: 2", "replicas: 3", 1)})
	s.round()
	s.round()
	s.onlyDeletion(metav1.ConditionTrue)

	s.kubectl(strings.Replace(web, "replicas: 2", "replicas: 3", 1), "apply", "-f", "-")
	s.round()
	s.onlyDeletion(metav1.ConditionFalse)

	s.kubectl("", "delete", "deployment/web")
	s.round()
	s.round()
	if all := s.deletions(); len(all) != 2 {
		t.Errorf("another object of that name is another happening: %s", asJSON(all))
	}
}

func TestWhatIsTakenOutOfGitWasNotDeletedPastIt(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "delete", "deployment/web")
	s.round()
	s.commit(map[string]string{"deploy/web.yaml": "# nothing\n"})
	s.round()
	s.round()
	if all := s.cases(); len(all) != 0 {
		t.Errorf("Git does not declare it any more: %s", asJSON(all))
	}
}

// TestWhatGoesWhileGitCannotBeReadIsTold once it can, by what was seen before.
func TestWhatGoesWhileGitCannotBeReadIsTold(t *testing.T) {
	s := deployed(t, web)
	s.commit(map[string]string{"deploy/web.yaml": "kind: {"})
	s.round()
	if ready := s.ready(); ready.Status != metav1.ConditionFalse {
		t.Fatalf("the commit is sound: %+v", ready)
	}
	s.kubectl("", "delete", "deployment/web")
	s.round()
	s.commit(map[string]string{"deploy/web.yaml": web})
	s.round()
	s.round()
	s.onlyDeletion(metav1.ConditionTrue)
}

func TestWhatWasNeverSeenIsNotDeleted(t *testing.T) {
	s := newStage(t)
	s.commit(map[string]string{"deploy/web.yaml": web})
	s.source(nil)
	for range 3 {
		s.round()
	}
	if all := s.cases(); len(all) != 0 || !strings.Contains(s.ready().Message, "not in the cluster: Deployment/web") {
		t.Errorf("it may not be delivered yet: %s; %+v", asJSON(all), s.ready())
	}
}

func TestADeletedObjectNamesWhoWasSeenToDeleteIt(t *testing.T) {
	s := deployed(t, web)
	seen := s.witnessed(v1alpha1.ReasonWitnessed, v1alpha1.Witness{User: "alice", Operation: "DELETE", At: metav1.Now()})
	s.kubectl("", "delete", "deployment/web")
	s.round()
	s.round()
	k := s.onlyDeletion(metav1.ConditionTrue)
	if k.Status.Cause != drift.CausePerson || !strings.HasPrefix(k.Status.Owner, "alice, seen by the API server, at 20") {
		t.Errorf("owner %q, cause %q", k.Status.Owner, k.Status.Cause)
	}
	if said := asJSON(k.Status.Findings); strings.Contains(said, "alice") || !strings.Contains(said, "a person was seen to delete it") {
		t.Errorf("the findings, which a model reads, are %s", said)
	}
	for _, r := range s.log.records {
		if strings.Contains(asJSON(r.Evidence), "alice") || r.Assessment != nil && strings.Contains(asJSON(r.Assessment), "alice") {
			t.Errorf("what a model reads names her: %s", asJSON(r))
		}
	}
	if c := drifted(*s.hears(seen)); c.Status != metav1.ConditionUnknown || !strings.HasSuffix(c.Message, k.Name) {
		t.Errorf("what was seen stands on the Case of the deletion, and its own says %+v", c)
	}
}

func TestWhatGoesWithItsNamespaceWasNotDeletedByItself(t *testing.T) {
	s := deployed(t, web)
	var ns corev1.Namespace
	s.ok(s.admin.Get(t.Context(), client.ObjectKey{Name: s.ns}, &ns))
	s.kubectl("", "patch", "gitsource/shop", "--type=merge", "-p", `{"metadata":{"finalizers":["example.com/stays"]}}`) // so that the namespace stays for a while
	defer s.kubectl("", "patch", "gitsource/shop", "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
	s.ok(s.admin.Delete(t.Context(), &ns))
	s.kubectl("", "delete", "deployment/web", "--ignore-not-found")
	s.eventually("the Deployment is gone", func() bool {
		s.round()
		return strings.Contains(s.ready().Message, "not in the cluster: Deployment/web")
	})
	for range 3 {
		s.round()
	}
	if all := s.deletions(); len(all) != 0 {
		t.Errorf("it went with its namespace: %s", asJSON(all))
	}
}

// TestWhatStaysDeletedCostsNoLook has an object gone for hours that a watch would tell of if it came.
func TestWhatStaysDeletedCostsNoLook(t *testing.T) {
	s, asked, clock := watched(t, 9)
	s.kubectl("", "delete", "networkpolicy/shut-7")
	s.eventually("what is deleted is seen", func() bool { return strings.Contains(s.ready().Message, "not in the cluster: NetworkPolicy/shut-7") })
	later := func() map[string]int {
		asked.since()
		clock.Add(int64(time.Hour))
		s.round()
		return asked.since()
	}
	later()
	version := s.onlyDeletion(metav1.ConditionTrue).ResourceVersion
	later() // who was seen to delete it is not looked for any more
	// The GitSource and its Cases, the Case, and what the verdict goes by, as its namespace's pods are.
	if n := later(); n["GET"] > 4 || len(n) != 1 {
		t.Errorf("a round in which it is still gone asks %v", n)
	}
	if k := s.onlyDeletion(metav1.ConditionTrue); k.ResourceVersion != version {
		t.Errorf("it was written again: %s", asJSON(k))
	}
	s.kubectl(shelf(9), "apply", "-f", "-")
	s.eventually("that it is there again is seen", func() bool { return drifted(s.deletions()[0]).Status == metav1.ConditionFalse })
}
