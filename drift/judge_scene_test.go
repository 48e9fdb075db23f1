package drift_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/drift"
)

// warn leaves a Warning event as the kubelet does, some minutes ago.
func (s *stage) warn(reason, kind, name string, ago time.Duration) {
	s.t.Helper()
	at := metav1.NewTime(time.Now().Add(-ago))
	s.ok(s.admin.Create(s.t.Context(), &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: s.ns, GenerateName: name + "."}, Type: corev1.EventTypeWarning,
		Reason: reason, Message: "hunter2-planted", InvolvedObject: corev1.ObjectReference{Kind: kind, Namespace: s.ns, Name: name}, FirstTimestamp: at, LastTimestamp: at, Count: 3}))
}

func (s *stage) findings() string {
	var ids []string
	for _, f := range s.onlyCase().Status.Findings {
		ids = append(ids, f.ID)
	}
	return strings.Join(ids, " ")
}

// TestAChangeThatEndsAnIncidentIsAnEmergencyFix shows the judge with its own rights: what it makes of a change is what Events say of the
// hour before, and stays when they are forgotten and the process is another.
func TestAChangeThatEndsAnIncidentIsAnEmergencyFix(t *testing.T) {
	s := deployed(t, web)
	s.warn("BackOff", "Pod", "web-7d9f8b6c5-x2x4z", 20*time.Minute)
	s.warn("BackOff", "Pod", "website-7d9f8b6c5-x2x4z", 20*time.Minute)
	s.kubectl("", "patch", "deployment/web", "-p", `{"spec":{"replicas":5}}`)
	s.round()
	k := s.onlyCase()
	if k.Status.Cause != drift.IntentEmergency || asJSON(k.Status.Chosen) != `["adopt"]` || s.findings() != "field-drift failing-before replicas-raised-while-failing" {
		t.Fatalf("cause %q, chosen %v, findings %s", k.Status.Cause, k.Status.Chosen, s.findings())
	}
	if all := asJSON(s.log.records); strings.Contains(all, "hunter2") || !strings.Contains(all, `BackOff: 1`) {
		t.Errorf("what the events say is not kept as it should be: %s", all)
	}
	s.round()
	if n := len(s.log.records); n != 1 {
		t.Errorf("the same once more makes %d records", n)
	}
	s.ok(s.admin.DeleteAllOf(t.Context(), &corev1.Event{}, client.InNamespace(s.ns)))
	s.detector = s.detectorAs(s.judge)
	s.detector.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	s.round()
	if k := s.onlyCase(); k.Status.Cause != drift.IntentEmergency || !strings.Contains(s.findings(), "failing-before") {
		t.Errorf("two hours later the Case says %q, findings %s", k.Status.Cause, s.findings())
	}
}

func TestWithoutTheRightToReadEventsNothingIsMadeOfThem(t *testing.T) {
	s := deployed(t, web)
	s.warn("BackOff", "Pod", "web-7d9f8b6c5-x2x4z", 20*time.Minute)
	s.detector = s.detectorAs(s.lesser("deaf", func(r *rbacv1.PolicyRule) bool { return !slices.Contains(r.Resources, "events") }))
	s.kubectl("", "patch", "deployment/web", "-p", `{"spec":{"replicas":0}}`)
	s.round()
	if k := s.onlyCase(); k.Status.Cause != drift.CausePerson || s.findings() != "field-drift" || len(k.Status.Unread) != 0 {
		t.Errorf("cause %q, findings %s, unread %v", k.Status.Cause, s.findings(), k.Status.Unread)
	}
}

func TestAWeakerWorkloadIsReportedAndNeverAdopted(t *testing.T) {
	s := deployed(t, strings.Replace(web, "      containers:", "      hostNetwork: false\n      containers:", 1))
	s.kubectl("", "patch", "deployment/web", "-p", `{"spec":{"template":{"spec":{"hostNetwork":true}}}}`)
	s.round()
	k := s.onlyCase()
	if !strings.Contains(s.findings(), "security-weakened") || len(k.Status.Chosen) != 0 || len(k.Status.Menu) != 2 {
		t.Errorf("findings %s, chosen %v, menu %s", s.findings(), k.Status.Chosen, asJSON(k.Status.Menu))
	}
}

func TestEventsTellThatAnObjectDriftedAndThatItIsWellAgain(t *testing.T) {
	s := deployed(t, web)
	kube, err := kubernetes.NewForConfig(s.judge)
	s.ok(err)
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: kube.EventsV1()})
	t.Cleanup(broadcaster.Shutdown)
	s.ok(broadcaster.StartRecordingToSinkWithContext(t.Context()))
	s.detector.Events = broadcaster.NewRecorder(clientgoscheme.Scheme, "moorgate")
	told := func(reason string) []corev1.Event {
		var list corev1.EventList
		s.ok(s.admin.List(t.Context(), &list, client.InNamespace(s.ns), client.MatchingFields{"reason": reason, "involvedObject.name": "web", "involvedObject.uid": string(s.live().UID)}))
		return list.Items
	}
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.round()
	s.round()
	s.eventually("an Event says that it drifted", func() bool { return len(told("Drifted")) == 1 })
	k := s.onlyCase()
	if e := told("Drifted")[0]; e.Type != "Warning" || e.Series != nil || !strings.HasSuffix(e.Message, "(deploy/web.yaml:16); case "+k.Name) {
		t.Errorf("the Event is %+v", e)
	}
	if all := s.detector.Standing(); len(all) != 1 || all[0].Cause != drift.CausePerson || !all[0].Since.Equal(k.Spec.Signal.FirstSeen.Time) {
		t.Errorf("what stands is %+v", all)
	}
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.4")
	s.round()
	s.round()
	s.eventually("an Event says that it is gone", func() bool { return len(told("DriftGone")) == 1 })
	if all := s.detector.Standing(); len(all) != 0 {
		t.Errorf("what stands is %+v", all)
	}
}
