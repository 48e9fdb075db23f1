package drift_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
)

// together are the Cases of what was deleted at once.
func (s *stage) together() []v1alpha1.Case {
	s.t.Helper()
	return slices.DeleteFunc(s.cases(), func(k v1alpha1.Case) bool { return k.Spec.Signal.Reason != "ObjectsDeleted" })
}

func (s *stage) onlyTogether(status metav1.ConditionStatus, objects int) v1alpha1.Case {
	s.t.Helper()
	all := s.together()
	if len(all) != 1 || drifted(all[0]).Status != status || len(all[0].Status.Objects) != objects {
		s.t.Fatalf("want one Case of %d objects that were deleted at once, and Drifted %s; got %s; the GitSource says %+v", objects, status, asJSON(s.cases()), s.ready())
	}
	return all[0]
}

// shelved is a stage with a shelf of n ConfigMaps and as many NetworkPolicies, which a first round found as Git has them.
func shelved(t *testing.T, n int) *stage {
	t.Helper()
	s := newStage(t)
	s.commit(map[string]string{"deploy/shelf.yaml": shelf(n)})
	s.kubectl(shelf(n), "apply", "-f", "-")
	s.source(nil)
	s.round()
	return s
}

func (s *stage) deleted(from, to int) {
	s.t.Helper()
	for i := from; i < to; i++ {
		s.kubectl("", "delete", fmt.Sprintf("configmap/settings-%d", i))
	}
	s.round()
	s.round()
}

func TestWhatIsDeletedTogetherIsOneCase(t *testing.T) {
	s := shelved(t, 9)
	s.deleted(0, 6)
	k := s.onlyTogether(metav1.ConditionTrue, 6)
	if len(s.cases()) != 1 || k.Status.Objects[5].Name != "settings-5" || k.Status.Objects[5].Kind != "ConfigMap" || k.Status.Objects[5].UID == "" {
		t.Errorf("got %s", asJSON(s.cases()))
	}
	want := "the cluster no longer has 6 objects that Git declares: ConfigMap/settings-0, ConfigMap/settings-1, ConfigMap/settings-2, ConfigMap/settings-3, ConfigMap/settings-4 and 1 more"
	if k.Spec.Signal.Text != want || k.Spec.Subject.Kind != "GitSource" || k.Spec.Subject.Name != "shop" || k.Status.Cause != drift.CauseUnknown {
		t.Errorf("it says %q of %+v, because of %s", k.Spec.Signal.Text, k.Spec.Subject, k.Status.Cause)
	}
	if len(k.Status.Menu) != 2 || !strings.Contains(k.Status.Menu[0].Text, "to have them again, deliver all of commit ") {
		t.Errorf("the menu is %s", asJSON(k.Status.Menu))
	}
	if n := len(s.detector.Standing()); n != 6 {
		t.Errorf("%d objects are counted", n)
	}
	version, records := k.ResourceVersion, len(s.log.records)
	s.round()
	if again := s.onlyTogether(metav1.ConditionTrue, 6); again.ResourceVersion != version || len(s.log.records) != records {
		t.Error("a round in which they are still gone writes")
	}

	s.detector = s.detectorAs(s.judge) // which has seen nothing
	s.round()
	if again := s.onlyTogether(metav1.ConditionTrue, 6); again.Name != k.Name || len(s.cases()) != 1 {
		t.Errorf("another process tells it in another way: %s", asJSON(s.cases()))
	}
	s.deleted(6, 7) // one more, which joins the others
	s.onlyTogether(metav1.ConditionTrue, 7)
	s.kubectl(shelf(3), "apply", "-f", "-")
	s.round()
	s.onlyTogether(metav1.ConditionTrue, 4)
	s.kubectl(shelf(9), "apply", "-f", "-")
	s.round()
	if k := s.onlyTogether(metav1.ConditionFalse, 4); len(s.cases()) != 1 {
		t.Errorf("all are there again: %s", asJSON(k))
	}
}

// TestAFewThatAreDeletedHaveACaseEach has more go after them: those that have a Case keep it, and the others have one together.
func TestAFewThatAreDeletedHaveACaseEach(t *testing.T) {
	s := shelved(t, 9)
	s.deleted(0, 3)
	if all := s.deletions(); len(all) != 3 || len(s.together()) != 0 {
		t.Fatalf("got %s", asJSON(s.cases()))
	}
	s.deleted(3, 5)
	if all := s.deletions(); len(all) != 3 {
		t.Errorf("got %s", asJSON(s.cases()))
	}
	s.onlyTogether(metav1.ConditionTrue, 2)
}

func TestACaseOfManyNamesWhoWasSeen(t *testing.T) {
	s := shelved(t, 9)
	s.kubectl(web, "apply", "-f", "-")
	s.commit(map[string]string{"deploy/web.yaml": web})
	s.round()
	s.round()
	seen := s.witnessed(v1alpha1.ReasonWitnessed, v1alpha1.Witness{User: "alice", Operation: "DELETE", At: metav1.Now()})
	s.kubectl("", "delete", "deployment/web")
	s.deleted(0, 4)
	k := s.onlyTogether(metav1.ConditionTrue, 5)
	if !strings.Contains(k.Status.Owner, "alice, seen by the API server") || !strings.Contains(k.Status.Owner, "unknown") || k.Status.Cause != drift.CauseUnknown {
		t.Errorf("she was seen to delete one of five; owner %q, cause %q", k.Status.Owner, k.Status.Cause)
	}
	if said := asJSON(k.Status.Findings); strings.Contains(said, "alice") {
		t.Errorf("the findings, which a model reads, are %s", said)
	}
	if c := drifted(*s.hears(seen)); c.Status != metav1.ConditionUnknown || !strings.HasSuffix(c.Message, k.Name) {
		t.Errorf("what was seen stands on the Case of many, and its own says %+v", c)
	}
	s.kubectl(web, "apply", "-f", "-")
	s.round()
	s.onlyTogether(metav1.ConditionTrue, 4)
	if c := drifted(*s.hears(seen)); c.Status != metav1.ConditionFalse {
		t.Errorf("it is there again, and the Case of what was seen says %+v", c)
	}
}

func TestALookNamesTheCaseOfWhatWasDeleted(t *testing.T) {
	look := func(s *stage) map[string]string {
		r, err := s.detector.Look(t.Context(), drift.Asked{Namespace: s.ns, Source: "shop", From: drift.Repository{URL: "file://" + s.dir, Branch: "main", Path: "deploy"}})
		s.ok(err)
		named := map[string]string{}
		for _, x := range r.Sights {
			named[x.Subject.Name] = ""
			if x.Case != nil {
				named[x.Subject.Name] = x.Case.Name
			}
		}
		return named
	}
	s := shelved(t, 9)
	s.deleted(0, 1)
	if want := s.onlyDeletion(metav1.ConditionTrue).Name; look(s)["settings-0"] != want {
		t.Errorf("got %v, want %s", look(s), want)
	}
	s.deleted(1, 6)
	want := s.onlyTogether(metav1.ConditionTrue, 5).Name
	s.commit(map[string]string{"deploy/never.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: never}\ndata: {a: b}\n"})
	got := look(s)
	if never, absent := got["never"]; len(got) != 7 || got["settings-5"] != want || !absent || never != "" {
		t.Errorf("got %v, want %s", got, want)
	}
}

// As long as it cannot be said whether they are there, the Case of many says what it said.
func TestWhatCannotBeReadLeavesACaseOfManyAsItIs(t *testing.T) {
	s := shelved(t, 5)
	s.deleted(0, 5)
	k := s.onlyTogether(metav1.ConditionTrue, 5)
	blind := rest.CopyConfig(s.judge)
	blind.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "/configmaps/") {
				return nil, errors.New("the connection was lost")
			}
			return next.RoundTrip(r)
		})
	})
	c, reads := s.client(blind), s.detector.Client
	s.detector.Client = c
	s.round()
	if again := s.onlyTogether(metav1.ConditionTrue, 5); again.ResourceVersion != k.ResourceVersion {
		t.Errorf("nothing is known of them, and the Case says %s", asJSON(again))
	}
	s.detector.Client = reads
	s.kubectl(shelf(5), "apply", "-f", "-")
	s.round()
	s.onlyTogether(metav1.ConditionFalse, 5)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
