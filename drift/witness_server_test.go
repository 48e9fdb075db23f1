package drift_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// witnessed has the webhook's identity open the Case of what a person was seen to do to the Deployment web.
func (s *stage) witnessed(reason string, w v1alpha1.Witness) *v1alpha1.Case {
	s.t.Helper()
	identity, err := s.cluster.ServiceAccount(s.t.Context(), "moorgate-system", "moorgate-webhook")
	s.ok(err)
	live := s.live()
	subject := gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: s.ns, Name: "web", UID: string(live.UID)}
	k, _, err := cluster.Cases{Client: s.client(identity), Now: time.Now}.OpenWitnessed(s.t.Context(), gate.Signal{Face: gate.FaceDrift, Reason: reason, Subject: subject,
		Key: subject.UID + "/" + w.Operation + "/" + live.ResourceVersion + reason, Text: w.User + " changed " + strings.Join(w.Paths, ", "), At: w.At.Time}, &w)
	s.ok(err)
	return k
}

// hears has the judge look at a Case, and reads it then.
func (s *stage) hears(k *v1alpha1.Case) *v1alpha1.Case {
	s.t.Helper()
	key := client.ObjectKeyFromObject(k)
	_, err := drift.Witnesses{Detector: s.detector}.Reconcile(s.t.Context(), reconcile.Request{NamespacedName: key})
	s.ok(err)
	var got v1alpha1.Case
	s.ok(s.admin.Get(s.t.Context(), key, &got))
	return &got
}

// drifted is the Case of the drift, beside those of what people were seen to do.
func (s *stage) drifted() v1alpha1.Case {
	s.t.Helper()
	for _, k := range s.cases() {
		if k.Spec.Witness == nil && condition(k.Status.Conditions, drift.CaseDrifted).Status == metav1.ConditionTrue {
			return k
		}
	}
	s.t.Fatalf("no drift stands: %s; the GitSource says %+v", asJSON(s.cases()), s.ready())
	return v1alpha1.Case{}
}

const (
	webImage = "spec.template.spec.containers[name=app].image"
	webCPU   = "spec.template.spec.containers[name=app].resources.requests.cpu"
)

// update is a change of web that was seen when its field manager wrote last, where that is known, or else now.
func (s *stage) update(user, manager string, paths ...string) v1alpha1.Witness {
	s.t.Helper()
	w := v1alpha1.Witness{User: user, Manager: manager, Operation: "UPDATE", Paths: paths, At: metav1.Now()}
	for _, e := range s.live().ManagedFields {
		if e.Manager == manager && e.Time != nil {
			w.At = *e.Time
		}
	}
	return w
}

func TestADriftNamesWhoWasSeenToMakeIt(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.round()
	if k := s.drifted(); !strings.HasPrefix(k.Status.Owner, "kubectl-set (Update)") {
		t.Errorf("before anybody is known, the owner is %q", k.Status.Owner)
	}
	s.witnessed(v1alpha1.ReasonWitnessed, s.update("alice", "kubectl-set", webImage))
	s.round()
	k := s.drifted()
	if !strings.HasPrefix(k.Status.Owner, "alice, seen by the API server, as kubectl-set (Update) at 20") || k.Status.Cause != drift.CausePerson {
		t.Errorf("owner %q, cause %q", k.Status.Owner, k.Status.Cause)
	}
	if k.Status.Score == nil || *k.Status.Score != 100 {
		t.Errorf("who is vouched for is no field manager's own word: %v", k.Status.Score)
	}
	if said := asJSON(k.Status.Findings); strings.Contains(said, "alice") || !strings.Contains(said, "a person who was seen") {
		t.Errorf("the findings, which a model reads, are %s", said)
	}
	for _, r := range s.log.records {
		if strings.Contains(asJSON(r.Evidence), "alice") || r.Assessment != nil && strings.Contains(asJSON(r.Assessment), "alice") {
			t.Errorf("what a model reads names her: %s", asJSON(r))
		}
	}
	version, records := k.ResourceVersion, len(s.log.records)
	s.round()
	if k := s.drifted(); k.ResourceVersion != version || len(s.log.records) != records {
		t.Error("a round that sees the same writes again")
	}
}

// A field manager's name is chosen by whoever writes. Who was seen to write under the name of a delivery is a person, and who was seen to
// write under another name than the field's owner has is told beside that owner.
func TestWhoWritesUnderAnothersName(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5", "--field-manager=kustomize-controller")
	s.round()
	if k := s.drifted(); k.Status.Cause != drift.CauseAutomation {
		t.Errorf("before anybody is known, the cause is %q", k.Status.Cause)
	}
	s.witnessed(v1alpha1.ReasonWitnessed, s.update("alice", "kustomize-controller", webImage))
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	w := s.update("bob", "kubectl-edit", "spec.replicas")
	s.witnessed(v1alpha1.ReasonWitnessed, w)
	s.round()
	owners := s.drifted().Status.Owner
	for _, want := range []string{"alice, seen by the API server, as kustomize-controller (Update) at 20",
		"kubectl (Update of scale), time not recorded, but the API server saw bob change it as kubectl-edit at 20"} {
		if !strings.Contains(owners, want) {
			t.Errorf("the owners are %q, want %q", owners, want)
		}
	}
	if k := s.drifted(); len(k.Status.Chosen) != 0 {
		t.Errorf("who called themself a delivery is adopted: %s", asJSON(k.Status.Chosen))
	}
}

// A field that is gone has no owner in managedFields; only who saw it go can tell.
func TestADeletionHasAName(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "patch", "deployment/web", "--type=json", "-p", `[{"op": "remove", "path": "/spec/template/spec/containers/0/resources/requests/cpu"}]`)
	s.round()
	if k := s.drifted(); !strings.HasPrefix(k.Status.Owner, "unknown") || k.Status.Cause != drift.CauseUnknown {
		t.Errorf("before anybody is known: owner %q, cause %q", k.Status.Owner, k.Status.Cause)
	}
	s.witnessed(v1alpha1.ReasonWitnessed, s.update("alice", "kubectl-patch", webCPU))
	s.round()
	k := s.drifted()
	if !strings.HasPrefix(k.Status.Owner, "alice, seen by the API server, as kubectl-patch at 20") || k.Status.Cause == drift.CauseUnknown {
		t.Errorf("owner %q, cause %q", k.Status.Owner, k.Status.Cause)
	}
	if len(k.Status.Chosen) != 0 {
		t.Errorf("what was removed is for a person to say, but %v was chosen", k.Status.Chosen)
	}
}

func TestAnotherObjectsWitnessNamesNobody(t *testing.T) {
	s := deployed(t, web)
	s.witnessed(v1alpha1.ReasonWitnessed, s.update("alice", "kubectl-set", webImage))
	s.kubectl("", "delete", "deployment/web")
	s.kubectl(web, "apply", "-f", "-")
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.round()
	if k := s.drifted(); strings.Contains(k.Status.Owner, "alice") {
		t.Errorf("alice changed an object that is gone, and is said to own a field of the one of the same name: %q", k.Status.Owner)
	}
}

func TestWhereWitnessesCannotBeReadDriftIsStillFound(t *testing.T) {
	s := deployed(t, web)
	for range 65 { // more than are read
		w := s.update("alice", "kubectl-set", webImage)
		s.witnessed(v1alpha1.ReasonWitnessed, w)
		s.kubectl("", "annotate", "deployment/web", "note=x"+time.Now().Format("150405.000000000"), "--overwrite")
	}
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.round()
	k := s.drifted()
	if !strings.Contains(k.Status.Owner, "kubectl-set (Update)") || strings.Contains(k.Status.Owner, "alice") {
		t.Errorf("owner %q", k.Status.Owner)
	}
	if last := s.log.records[len(s.log.records)-1]; !strings.Contains(asJSON(last.Evidence), "the Cases about that cannot be read") {
		t.Errorf("the record does not say what could not be read: %s", asJSON(last.Evidence))
	}
}

func TestAChangeThatWasPutBackIsJudgedOnce(t *testing.T) {
	s := deployed(t, web)
	w := s.update("alice", "kubectl-set", webImage)
	w.RevertedBy = "kustomize-controller"
	k := s.hears(s.witnessed(v1alpha1.ReasonReverted, w))
	if c := condition(k.Status.Conditions, drift.CaseDrifted); c.Status != metav1.ConditionFalse || c.Reason != "Reverted" {
		t.Errorf("conditions %+v", k.Status.Conditions)
	}
	if c := condition(k.Status.Conditions, v1alpha1.CaseRecorded); c.Status != metav1.ConditionTrue || k.Status.Audit == nil {
		t.Errorf("it is not on record: %+v", k.Status.Conditions)
	}
	if k.Status.Cause != drift.CauseReverted || k.Status.Decision != "Hold" || len(k.Status.Chosen) != 0 || len(k.Status.Menu) != 2 {
		t.Errorf("got %s", asJSON(k.Status))
	}
	if !strings.HasPrefix(k.Status.Owner, "alice, seen by the API server, as kubectl-set at 20") || !strings.HasPrefix(k.Status.Summary, "alice changed ") {
		t.Errorf("owner %q, summary %q", k.Status.Owner, k.Status.Summary)
	}
	if strings.Contains(asJSON(k.Status.Findings), "alice") {
		t.Errorf("findings name users: %s", asJSON(k.Status.Findings))
	}
	records := len(s.log.records)
	if again := s.hears(k); again.ResourceVersion != k.ResourceVersion || len(s.log.records) != records {
		t.Error("it is judged twice")
	}
	s.round()
	if again := s.hears(k); again.ResourceVersion != k.ResourceVersion {
		t.Error("a round of the same namespace writes to it")
	}
}

func TestWhoWorksAgainstADeliveryIsSaid(t *testing.T) {
	s := deployed(t, web)
	var last *v1alpha1.Case
	for i := range 3 {
		w := s.update("alice", "kubectl-set", webImage)
		w.At = metav1.NewTime(time.Now().Add(time.Duration(i-3) * time.Minute))
		last = s.witnessed(v1alpha1.ReasonReverted, w)
		s.kubectl("", "annotate", "deployment/web", "note="+string(rune('a'+i)), "--overwrite")
	}
	if k := s.hears(last); !strings.Contains(asJSON(k.Status.Findings), "3 changes of it were put back within the hour") {
		t.Errorf("findings %s", asJSON(k.Status.Findings))
	}
}

// What a person changed and what differs from Git since are one happening. It stands on one Case, and the other refers to it.
func TestAChangeThatStandsIsToldByTheCaseOfItsDrift(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	seen := s.witnessed(v1alpha1.ReasonWitnessed, s.update("alice", "kubectl-set", webImage))
	stands := func(want metav1.ConditionStatus, reason, text string) {
		t.Helper()
		k := s.hears(seen)
		if c := condition(k.Status.Conditions, drift.CaseDrifted); c.Status != want || c.Reason != reason || !strings.Contains(c.Message, text) {
			t.Errorf("it says %+v, want %s %s %s", c, want, reason, text)
		}
	}
	stands(metav1.ConditionUnknown, "NotCompared", "nobody compares it")
	s.round()
	stands(metav1.ConditionUnknown, "Superseded", s.drifted().Name)
	open := 0
	for _, k := range s.cases() {
		if condition(k.Status.Conditions, drift.CaseDrifted).Status == metav1.ConditionTrue {
			open++
		}
	}
	if open != 1 {
		t.Errorf("%d Cases stand of one happening", open)
	}
	gone := s.drifted()
	s.ok(s.admin.Delete(t.Context(), &gone)) // as old Cases are
	stands(metav1.ConditionUnknown, "NotCompared", "nobody compares it")
	s.round()
	stands(metav1.ConditionUnknown, "Superseded", s.drifted().Name)
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.4")
	s.round()
	stands(metav1.ConditionFalse, "Gone", "what differed is gone")
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.6")
	s.round()
	stands(metav1.ConditionFalse, "Gone", "what differed is gone") // another happening
}

// The rules about intent speak of what was seen, as far as they need no values.
func TestTheRulesSpeakOfWhatWasSeen(t *testing.T) {
	s := deployed(t, web)
	for name, test := range map[string]struct {
		path, manager, subresource, cause string
	}{
		"a restart":            {`spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]`, "kubectl-rollout", "", drift.IntentRoutine},
		"kept from delivery":   {webImage, "flux-client-side-apply", "", drift.IntentEmergency},
		"a scale may be to 0":  {"spec.replicas", "kubectl", "scale", drift.CausePerson},
		"an image says little": {webImage, "kubectl-set", "", drift.CausePerson},
	} {
		t.Run(name, func(t *testing.T) {
			w := s.update("alice", test.manager, test.path)
			w.Subresource = test.subresource
			s.kubectl("", "annotate", "deployment/web", "note="+strings.ReplaceAll(name, " ", "-"), "--overwrite")
			if k := s.hears(s.witnessed(v1alpha1.ReasonWitnessed, w)); k.Status.Cause != test.cause {
				t.Errorf("cause %q, want %q: %s", k.Status.Cause, test.cause, asJSON(k.Status.Findings))
			}
		})
	}
}

func TestAVerdictThatIsNotOnRecordIsTriedAgain(t *testing.T) {
	s := deployed(t, web)
	k := s.witnessed(v1alpha1.ReasonReverted, s.update("alice", "kubectl-set", webImage))
	s.detector.Log = brokenLog{}
	key := client.ObjectKeyFromObject(k)
	if _, err := (drift.Witnesses{Detector: s.detector}).Reconcile(t.Context(), reconcile.Request{NamespacedName: key}); err == nil {
		t.Error("nobody tries again")
	}
	s.detector.Log = s.log
	if k := s.hears(k); condition(k.Status.Conditions, v1alpha1.CaseRecorded).Status != metav1.ConditionTrue {
		t.Errorf("conditions %+v", k.Status.Conditions)
	}
}

type brokenLog struct{}

var _ flow.Log = brokenLog{}

func (brokenLog) Append(context.Context, gate.Record) (gate.Position, error) {
	return gate.Position{}, errors.New("the disk is full")
}
