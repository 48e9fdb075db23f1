package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/notify"
	"moorgate.dev/test/slack"
)

// pages is a log that keeps what is written to it.
type pages struct {
	lock sync.Mutex
	all  []gate.Record
}

func (p *pages) Append(_ context.Context, r gate.Record) (gate.Position, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.all = append(p.all, r)
	return gate.Position{Log: "judge", Sequence: uint64(len(p.all))}, nil
}

func (p *pages) has(text string) bool {
	p.lock.Lock()
	defer p.lock.Unlock()
	for _, r := range p.all {
		if strings.Contains(r.Text, text) {
			return true
		}
	}
	return false
}

func TestAButtonOnlyHoldsThingsUp(t *testing.T) {
	q := newSquare(t)
	users := filepath.Join(q.folder, "users.yaml")
	if err := os.WriteFile(users, []byte("team: "+slack.Team+"\nusers:\n- {slack: U00ANA, user: ana, groups: [oncall-"+q.namespace+"]}\n- {slack: U00BOB, user: bob}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: q.namespace, Name: "approvers"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "moorgate-approver"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "Group", Name: "oncall-" + q.namespace}}}
	if err := q.admin.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	k := q.waits("remediate-web-1")
	q.pass(31 * time.Second)
	q.tells("chat")
	q.sent(k, "chat", notify.Approval)

	log := &pages{}
	d := &desk{users: users, api: q.api, live: q.judge, log: log, cases: cluster.Cases{Client: q.judge, Now: q.now}, now: time.Now}
	ears := q.receivers().Ears(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if len(ears) != 1 {
		t.Fatalf("%d apps", len(ears))
	}
	ears[0].Pressed = d.serve
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = ears[0].Run(ctx) }()
	defer func() { cancel(); <-done }()
	q.until("the buttons are heard", q.slack.Connected)

	message := q.slack.Messages()[0]
	of := q.namespace + "/remediate-web-1"
	brakes := func() []v1alpha1.Brake {
		var got v1alpha1.Case
		if err := q.admin.Get(t.Context(), client.ObjectKeyFromObject(k), &got); err != nil {
			t.Fatal(err)
		}
		return got.Status.Brakes
	}
	press := func(t *testing.T, team, user, action, want string) {
		t.Helper()
		before := len(q.slack.Messages())
		within, end := context.WithTimeout(t.Context(), 20*time.Second)
		defer end()
		if err := q.slack.Press(within, team, user, message, action); err != nil {
			t.Fatal(err)
		}
		q.until("who pressed is answered", func() bool { return len(q.slack.Messages()) > before })
		if m := q.slack.Messages()[before]; m.To != user || !strings.Contains(m.Text, want) {
			t.Errorf("%q to %q, want %q", m.Text, m.To, want)
		}
	}
	for name, test := range map[string]struct{ team, user, action, want string }{
		"to approve shows a command":         {slack.Team, "U00ANA", "moorgate-approve", "moorgate approve " + of},
		"somebody whom nobody knows":         {slack.Team, "U00EVE", "moorgate-reject", "moorgate reject " + of},
		"the same id in another company":     {"T0OTHER", "U00ANA", "moorgate-reject", "Nothing is changed"},
		"somebody who may not approve there": {slack.Team, "U00BOB", "moorgate-reject", "who may not approve plans"},
		"somebody who may not, and snoozes":  {slack.Team, "U00BOB", "moorgate-snooze-8h", "who may not approve plans"},
	} {
		t.Run(name, func(t *testing.T) {
			press(t, test.team, test.user, test.action, test.want)
			if b := brakes(); len(b) > 0 {
				t.Errorf("%+v", b)
			}
		})
	}
	t.Run("a button that nobody made does nothing", func(t *testing.T) {
		before := len(q.slack.Messages())
		for _, x := range [][3]string{{"C0123456789", "moorgate-reject", "../../x " + evictPlan}, {"C0999999999", "moorgate-reject", of + " " + evictPlan}, {"C0123456789", "moorgate-approve-now", of + " " + evictPlan}, {"C0123456789", "moorgate-snooze-9999h", of + " "}} {
			within, end := context.WithTimeout(t.Context(), 20*time.Second)
			err := q.slack.Send(within, slack.Team, "U00ANA", x[0], x[1], x[2])
			end()
			if err != nil {
				t.Error(err)
			}
		}
		if b := brakes(); len(b) > 0 || len(q.slack.Messages()) != before {
			t.Errorf("%+v, %d answers", b, len(q.slack.Messages())-before)
		}
	})
	t.Run("a plan that is not on the Case is not rejected", func(t *testing.T) {
		other := message
		other.Blocks = []slack.Block{{Elements: []slack.Button{{ActionID: "moorgate-reject", Value: of + " sha256:" + strings.Repeat("9", 64)}}}}
		saved := message
		message = other
		press(t, slack.Team, "U00ANA", "moorgate-reject", "not on the Case any more")
		message = saved
	})
	t.Run("who may, does, also after the connection was gone", func(t *testing.T) {
		q.slack.Drop()
		q.until("the buttons are heard again", q.slack.Connected)
		press(t, slack.Team, "U00ANA", "moorgate-snooze-1h", "Snoozed the Case until")
		press(t, slack.Team, "U00ANA", "moorgate-reject", "Rejected the plan, as ana")
		b := brakes()
		if len(b) != 2 || b[0].Kind != v1alpha1.BrakeSnooze || b[1].Plan != evictPlan || b[1].User != "ana" || b[1].Via != "Slack "+slack.Team+"/U00ANA" || !log.has("ana (Slack "+slack.Team+"/U00ANA) rejected the plan") {
			t.Errorf("%+v", b)
		}
		q.until("the message says so", func() bool {
			return strings.Contains(fmt.Sprint(q.slack.Messages()[0].Form["blocks"]), "rejected by ana")
		})
	})
	var approvals v1alpha1.ApprovalList
	if err := q.admin.List(t.Context(), &approvals, client.InNamespace(q.namespace)); err != nil || len(approvals.Items) > 0 {
		t.Errorf("%v, %+v", err, approvals.Items)
	}
}

func TestWhoIsWhoInSlack(t *testing.T) {
	for text, wrong := range map[string]string{
		"team: T1\nusers: [{slack: U1, user: ana, groups: [oncall]}]":           "",
		"users: [{slack: U1, user: ana}]":                                       "team is needed",
		"team: T1\nusers: [{slack: U1}]":                                        "slack and user are needed",
		"team: T1\nusers: [{slack: U1, user: ana}, {slack: U1, user: bob}]":     "twice",
		"team: T1\nusers: [{slack: U1, user: 'system:admin'}]":                  "is no person",
		"team: T1\nusers: [{slack: U1, user: ana, groups: ['system:masters']}]": "begin with system:",
		"team: T1\nusers: [{slack: U1, user: ana, admin: true}]":                "unknown field",
		"team: T1\nteam: T2\nusers: []":                                         "already set",
	} {
		path := filepath.Join(t.TempDir(), "users")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readSlackUsers(path); (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v, want %q", text, err, wrong)
		}
	}
}
