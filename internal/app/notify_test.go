package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/notify"
	testcluster "moorgate.dev/test/cluster"
	"moorgate.dev/test/slack"
)

// post is what a receiver on a socket got.
type posted struct {
	header http.Header
	body   []byte
}

func (p posted) fields(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(p.body, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// taker takes what is posted, as PagerDuty or a webhook does.
type taker struct {
	*httptest.Server
	lock   sync.Mutex
	got    []posted
	before func(w http.ResponseWriter, r *http.Request) bool // answers in its stead
}

func newTaker(t *testing.T) *taker {
	t.Helper()
	k := &taker{}
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		k.lock.Lock()
		before := k.before
		k.got = append(k.got, posted{r.Header, body})
		k.lock.Unlock()
		if before == nil || !before(w, r) {
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	t.Cleanup(func() { k.CloseClientConnections(); k.Close() })
	return k
}

func (k *taker) all() []posted {
	k.lock.Lock()
	defer k.lock.Unlock()
	return append([]posted(nil), k.got...)
}

func (k *taker) answers(before func(w http.ResponseWriter, r *http.Request) bool) {
	k.lock.Lock()
	defer k.lock.Unlock()
	k.before = before
}

// square is a namespace with Cases, receivers, and a clock that can be put forward. What is told is told under the judge's own identity.
type square struct {
	t         *testing.T
	namespace string
	admin     client.Client
	judge     client.Client
	api       kubernetes.Interface
	recorder  events.EventRecorder
	forward   atomic.Int64
	slack     *slack.Server
	pager     *taker
	hook      *taker
	folder    string
}

func newSquare(t *testing.T) *square {
	t.Helper()
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	s, err := scheme()
	if err != nil {
		t.Fatal(err)
	}
	q := &square{t: t, namespace: c.Namespace(t, nil), folder: t.TempDir(), slack: slack.Start(), pager: newTaker(t), hook: newTaker(t)}
	t.Cleanup(q.slack.Close)
	if q.admin, err = client.New(c.Config(), client.Options{Scheme: s}); err != nil {
		t.Fatal(err)
	}
	config, err := c.ServiceAccount(t.Context(), ownNamespace, judgeIdentity)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS, config.Burst = requestsPerSecond, requestsBurst
	config = cluster.Guarded(config, cluster.OwnOfJudge())
	if q.judge, err = client.New(config, client.Options{Scheme: s}); err != nil {
		t.Fatal(err)
	}
	if q.api, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: q.api.EventsV1()})
	if err := broadcaster.StartRecordingToSinkWithContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	q.recorder = broadcaster.NewRecorder(s, "moorgate")
	for name, content := range map[string]string{"bot": slack.BotToken, "app": slack.AppToken, "key": "routing-key-0123456789abcdef", "secret": "signing-secret"} {
		if err := os.WriteFile(filepath.Join(q.folder, name), []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return q
}

func (q *square) now() time.Time { return time.Now().Add(time.Duration(q.forward.Load())) }

func (q *square) pass(d time.Duration) { q.forward.Add(int64(d)) }

// receivers are all of them.
func (q *square) receivers() *notify.Receivers {
	q.t.Helper()
	path := filepath.Join(q.folder, "receivers.yaml")
	content := fmt.Sprintf(`cluster: test
receivers:
- {name: chat, kind: slack, url: %s, channel: C0123456789, botTokenFile: bot, appTokenFile: app, tell: [escalated, approval, acted, healed, not-healed, storm]}
- {name: oncall, kind: pagerduty, url: %s/v2/enqueue, routingKeyFile: key, tell: [escalated, not-healed]}
- {name: bus, kind: webhook, url: %s/in, secretFile: secret, tell: [escalated, approval, healed]}
- {name: events, kind: event, tell: [escalated]}
`, q.slack.URL(), q.pager.URL, q.hook.URL)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		q.t.Fatal(err)
	}
	r, err := notify.ReadReceivers(path)
	if err != nil {
		q.t.Fatal(err)
	}
	return r
}

// tells has one replica tell those of these names, until it is stopped.
func (q *square) tells(names ...string) (stop func()) {
	q.t.Helper()
	door, err := openDoor("")
	if err != nil {
		q.t.Fatal(err)
	}
	r := q.receivers()
	o := &notify.Outbox{Config: *r, Book: cluster.Told{Cached: here{q.judge, q.namespace}, Live: q.judge}, Senders: r.Senders(door, q.now, q.recorder), Door: door, Now: q.now,
		Named:  func(context.Context, string) ([]string, error) { return names, nil },
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Counted: func(string, string) {}, Every: 20 * time.Millisecond}
	ctx, cancel := context.WithCancel(q.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := o.Run(ctx); err != nil {
			q.t.Error(err)
		}
	}()
	stop = func() { cancel(); <-done }
	q.t.Cleanup(stop)
	return stop
}

// here is a reader of one namespace, because others share the cluster.
type here struct {
	client.Reader
	namespace string
}

func (h here) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return h.Reader.List(ctx, list, append(opts, client.InNamespace(h.namespace))...)
}

// escalates opens a Case with which only people can help.
func (q *square) escalates(name string) *v1alpha1.Case {
	q.t.Helper()
	k := &v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Namespace: q.namespace, Name: name}, Spec: v1alpha1.CaseSpec{
		Signal:  v1alpha1.CaseSignal{Face: "remediate", Reason: "CrashLoop", Key: name, Text: "the container app keeps failing", FirstSeen: metav1.Now()},
		Subject: v1alpha1.Subject{Group: "apps", Version: "v1", Kind: "Deployment", Name: "web"}}}
	if err := q.admin.Create(q.t.Context(), k); err != nil {
		q.t.Fatal(err)
	}
	q.status(k, func(s *v1alpha1.CaseStatus) {
		s.Decision, s.Cause, s.Summary, s.Chosen = "Hold", "application-error", "it ends with exit code 1", []string{"escalate"}
		s.Menu = []v1alpha1.Choice{{ID: "escalate", Verb: "escalate", Reach: "nothing", Digest: "sha256:" + strings.Repeat("3", 64)}, {ID: "evict", Verb: "evict", Reach: "live", Digest: evictPlan, Text: "evict the pod web-1"}}
		s.Conditions = []metav1.Condition{{Type: v1alpha1.CaseJudged, Status: metav1.ConditionTrue, Reason: "Hold", LastTransitionTime: metav1.Now()}}
	})
	return k
}

// waits opens a Case whose plan waits for approval.
func (q *square) waits(name string) *v1alpha1.Case {
	q.t.Helper()
	k := q.escalates(name)
	q.status(k, func(s *v1alpha1.CaseStatus) {
		s.Chosen = []string{"evict"}
		s.Acting = &v1alpha1.Acting{Phase: v1alpha1.PhaseHeld, Plan: evictPlan, Verb: "evict", Text: "it waits for approval: 0 of 1 have approved", At: metav1.Now(),
			Reasons: []v1alpha1.Reason{{Rule: "approval", Decision: "Hold", Text: "it waits for approval: 0 of 1 have approved"}}}
	})
	return k
}

func (q *square) recovers(k *v1alpha1.Case) {
	q.t.Helper()
	q.status(k, func(s *v1alpha1.CaseStatus) {
		s.Conditions = append(s.Conditions, metav1.Condition{Type: "Recovered", Status: metav1.ConditionTrue, Reason: "Ready", LastTransitionTime: metav1.Now()})
	})
}

// status changes the status of a Case beside others.
func (q *square) status(k *v1alpha1.Case, change func(*v1alpha1.CaseStatus)) {
	q.t.Helper()
	key := client.ObjectKeyFromObject(k)
	q.until("the status of "+k.Name+" is written", func() bool {
		if err := q.admin.Get(q.t.Context(), key, k); err != nil {
			q.t.Fatal(err)
		}
		change(&k.Status)
		return q.admin.Status().Update(q.t.Context(), k) == nil
	})
}

func (q *square) until(what string, so func() bool) {
	q.t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			q.t.Fatalf("not so after a minute: %s", what)
		}
	}
}

// told is what a receiver was told of a Case.
func (q *square) told(k *v1alpha1.Case, receiver string) v1alpha1.Told {
	q.t.Helper()
	var got v1alpha1.Case
	if err := q.admin.Get(q.t.Context(), client.ObjectKeyFromObject(k), &got); err != nil {
		q.t.Fatal(err)
	}
	for _, x := range got.Status.Told {
		if x.Receiver == receiver {
			return x
		}
	}
	return v1alpha1.Told{}
}

func (q *square) sent(k *v1alpha1.Case, receiver, what string) {
	q.t.Helper()
	q.until(receiver+" was told that "+k.Name+" is "+what, func() bool {
		x := q.told(k, receiver)
		return x.Phase == v1alpha1.ToldSent && x.What == what
	})
}

func TestPeopleAreTold(t *testing.T) {
	q := newSquare(t)
	k := q.escalates("remediate-web-1")
	q.tells("chat", "oncall", "bus", "events", "nobody")
	q.until("that there is no such receiver is said", func() bool { return q.told(k, "nobody").Phase == v1alpha1.ToldUnknown })
	if n := len(q.slack.Messages()) + len(q.pager.all()) + len(q.hook.all()); n > 0 {
		t.Fatalf("%d messages before it had lasted", n)
	}
	q.pass(31 * time.Second)
	for _, receiver := range []string{"chat", "oncall", "bus", "events"} {
		q.sent(k, receiver, notify.Escalated)
	}
	q.until("there is an Event", func() bool {
		var list eventsv1.EventList
		return q.admin.List(t.Context(), &list, client.InNamespace(q.namespace)) == nil && len(list.Items) == 1 && list.Items[0].Regarding.Name == "web" && list.Items[0].Reason == "Escalated"
	})
	opened := q.pager.all()[0].fields(t)
	if opened["event_action"] != "trigger" || opened["routing_key"] != "routing-key-0123456789abcdef" || opened["dedup_key"] != "moorgate/case/"+string(k.UID) || opened["payload"].(map[string]any)["severity"] != "error" {
		t.Errorf("%v", opened)
	}
	q.signed(q.hook.all()[0], "dev.moorgate.case.escalated")

	q.recovers(k)
	q.until("the incident is ended", func() bool { return len(q.pager.all()) == 2 })
	if ended := q.pager.all()[1].fields(t); ended["event_action"] != "resolve" || ended["dedup_key"] != opened["dedup_key"] || ended["payload"] != nil {
		t.Errorf("%v", ended)
	}
	q.until("the message is updated in its place", func() bool { m := q.slack.Messages(); return m[0].Updates == 1 })
	if m := q.slack.Messages(); len(m) != 1 || !strings.HasPrefix(m[0].Text, "Is over: Deployment/web") {
		t.Errorf("%+v", m)
	}
	q.pass(31 * time.Second)
	q.sent(k, "bus", notify.Healed)
	q.signed(q.hook.all()[1], "dev.moorgate.case.healed")
}

// signed verifies a message as its documentation says, and looks whether it is a CloudEvent.
func (q *square) signed(p posted, kind string) {
	q.t.Helper()
	at, sum, _ := strings.Cut(strings.TrimPrefix(p.header.Get("Moorgate-Signature"), "t="), ",v1=")
	mac := hmac.New(sha256.New, []byte("signing-secret"))
	mac.Write([]byte(at + "." + string(p.body)))
	if given, err := hex.DecodeString(sum); err != nil || !hmac.Equal(given, mac.Sum(nil)) {
		q.t.Errorf("the signature does not fit: %s", p.header.Get("Moorgate-Signature"))
	}
	e := p.fields(q.t)
	if e["specversion"] != "1.0" || e["type"] != kind || e["source"] != "/moorgate/test" || e["id"] == "" || e["subject"] != q.namespace+"/remediate-web-1" || p.header.Get("Content-Type") != "application/cloudevents+json; charset=utf-8" {
		q.t.Errorf("%v", e)
	}
}

func TestOfTwoReplicasOneTells(t *testing.T) {
	q := newSquare(t)
	var all []*v1alpha1.Case
	for i := range 5 {
		all = append(all, q.escalates(fmt.Sprint("remediate-web-", i)))
	}
	q.pass(31 * time.Second)
	for range 2 {
		q.tells("chat")
	}
	for _, k := range all {
		q.sent(k, "chat", notify.Escalated)
	}
	if m := q.slack.Messages(); len(m) != 5 {
		t.Errorf("%d messages", len(m))
	}
}

func TestWhoIsKilledWhileTellingTellsAgain(t *testing.T) {
	q := newSquare(t)
	k := q.escalates("remediate-web-1")
	q.pass(31 * time.Second)
	arrived, hold := make(chan struct{}), make(chan struct{})
	defer close(hold)
	var before atomic.Bool
	q.slack.Fault = func(string, http.ResponseWriter) bool {
		if before.Swap(true) {
			return false
		}
		close(arrived)
		<-hold
		return true
	}
	stop := q.tells("chat")
	<-arrived
	stop() // it notes nothing any more, as if it were killed
	claim := q.told(k, "chat")
	if claim.Phase != v1alpha1.ToldClaimed || claim.Attempts != 1 {
		t.Fatalf("%+v", claim)
	}
	q.tells("chat")
	q.pass(2 * time.Minute)
	q.sent(k, "chat", notify.Escalated)
	m := q.slack.Messages()
	if x := q.told(k, "chat"); x.ID != claim.ID || x.Attempts != 2 || len(m) != 1 || !strings.Contains(m[0].Form["blocks"], "this may be a repeat") || !strings.Contains(m[0].Form["metadata"], claim.ID) {
		t.Errorf("%+v\n%+v", x, m)
	}
}

func TestAReceiverThatWasAwayIsToldLater(t *testing.T) {
	q := newSquare(t)
	var all []*v1alpha1.Case
	for i := range 5 {
		all = append(all, q.escalates(fmt.Sprint("remediate-web-", i)))
	}
	q.pass(31 * time.Second)
	q.hook.answers(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "1800")
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	stop := q.tells("bus")
	tried := func(n int) {
		t.Helper()
		q.until(fmt.Sprint("it is noted that ", n, " did not get there, and when they are tried again"), func() bool {
			failed := 0
			for _, k := range all {
				if x := q.told(k, "bus"); x.Phase == v1alpha1.ToldFailed && x.Next != nil && x.Next.Sub(x.At.Time) == 30*time.Minute && strings.Contains(x.Text, "503") && !strings.Contains(x.Text, "127.0.0.1") {
					failed++
				}
			}
			return failed == n
		})
	}
	tried(1)
	q.pass(20 * time.Minute)
	stop()
	q.tells("bus") // one that remembers nothing tries one Case
	tried(2)
	q.pass(40 * time.Minute)
	q.hook.answers(nil)
	for _, k := range all {
		q.sent(k, "bus", notify.Escalated)
	}
	ids := map[any]bool{}
	for _, p := range q.hook.all() {
		ids[p.fields(t)["id"]] = true
	}
	if n := len(q.hook.all()); n > 8 || len(ids) != 5 {
		t.Errorf("%d messages of %d ids", n, len(ids))
	}
}

func TestAHundredCasesAreOneMessage(t *testing.T) {
	q := newSquare(t)
	var all []*v1alpha1.Case
	for i := range 100 {
		all = append(all, q.escalates(fmt.Sprint("remediate-web-", i)))
	}
	q.pass(31 * time.Second)
	q.tells("chat", "oncall", "bus")
	for _, receiver := range []string{"chat", "oncall", "bus"} {
		for _, k := range all {
			q.sent(k, receiver, notify.Escalated)
		}
	}
	m := q.slack.Messages()
	if len(m) != 1 || !strings.HasPrefix(m[0].Text, "100 Cases at once") || len(q.pager.all()) != 1 || len(q.hook.all()) != 1 {
		t.Fatalf("%d in Slack, %d incidents, %d events: %+v", len(m), len(q.pager.all()), len(q.hook.all()), m)
	}
	if e := q.hook.all()[0].fields(t); e["type"] != "dev.moorgate.storm" || len(e["data"].(map[string]any)["cases"].([]any)) != 100 {
		t.Errorf("%v", e["type"])
	}
	for i, k := range all {
		if i == len(all)-1 {
			time.Sleep(time.Second) // long enough for an end that comes too early to come
			if n := len(q.pager.all()); n != 1 {
				t.Errorf("%d messages while one Case stands", n)
			}
		}
		q.recovers(k)
	}
	q.until("the incident is ended", func() bool { return len(q.pager.all()) > 1 })
	for _, k := range all {
		q.until("that is noted", func() bool { return q.told(k, "oncall").What == notify.Healed })
	}
	if got := q.pager.all(); len(got) != 2 || got[1].fields(t)["event_action"] != "resolve" || got[1].fields(t)["dedup_key"] != got[0].fields(t)["dedup_key"] {
		t.Errorf("%d messages, the last %s", len(got), got[len(got)-1].body)
	}
}
