package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/internal/redact/plant"
	"moorgate.dev/test/slack"
)

// everywhere puts a text into every field of a Case that somebody else may have written.
func everywhere(text string) *v1alpha1.Case {
	return kase(gate.FaceRemediate, "evict", func(k *v1alpha1.Case) {
		k.Spec.Signal.Text, k.Spec.Subject.Name, k.Status.Cause, k.Status.Summary = text, text, text, text
		k.Status.Findings = []v1alpha1.Finding{{ID: text, Text: text}}
		k.Status.Menu[0].Text = text
		k.Status.Acting = &v1alpha1.Acting{Phase: v1alpha1.PhaseHeld, Text: text, Reasons: []v1alpha1.Reason{{Rule: "approval", Decision: "Hold", Text: text}}}
		k.Status.Brakes = []v1alpha1.Brake{{Kind: v1alpha1.BrakeReject, User: text}}
	})
}

func doorOf(t *testing.T) *redact.Door {
	t.Helper()
	door, err := redact.New(redact.Options{Key: bytes.Repeat([]byte{7}, redact.KeyBytes)})
	if err != nil {
		t.Fatal(err)
	}
	return door
}

// outside are receivers on this machine, and all that they got.
type outside struct {
	senders map[string]Sender
	slack   *slack.Server
	lock    sync.Mutex
	bodies  []string
}

func newOutside(t *testing.T, door *redact.Door) *outside {
	t.Helper()
	o := &outside{slack: slack.Start()}
	t.Cleanup(o.slack.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		o.lock.Lock()
		defer o.lock.Unlock()
		o.bodies = append(o.bodies, body.String())
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	for name, content := range map[string]string{"bot": slack.BotToken, "app": slack.AppToken, "key": "key", "secret": "secret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	content := fmt.Sprintf(`receivers:
- {name: chat, kind: slack, url: %s, channel: C0123456789, botTokenFile: bot, appTokenFile: app, tell: [escalated]}
- {name: oncall, kind: pagerduty, url: %s, routingKeyFile: key, tell: [escalated]}
- {name: bus, kind: webhook, url: %s, secretFile: secret, tell: [escalated]}
- {name: flux, kind: flux, url: %s, tell: [escalated]}
`, o.slack.URL(), server.URL, server.URL, server.URL)
	if err := os.WriteFile(filepath.Join(dir, "receivers"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := ReadReceivers(filepath.Join(dir, "receivers"))
	if err != nil {
		t.Fatal(err)
	}
	o.senders = r.Senders(door, func() time.Time { return noon }, nil)
	return o
}

func (o *outside) send(t *testing.T, m Message) {
	t.Helper()
	for name, s := range o.senders {
		if _, err := s.Send(context.Background(), m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

// TestNothingInAMessageIsMoreThanText shows that no text of a Case calls anybody, links anywhere, or ends what it stands in.
func TestNothingInAMessageIsMoreThanText(t *testing.T) {
	hostile := "<!channel> <!here> <@U123> <!subteam^S123> @everyone <https://evil.example/x|click> ![x](https://evil.example/x.png) *bold* `code` &lt;!channel&gt; \x1b[31m\u202e\nEND " + strings.Repeat("x", 20000)
	o := newOutside(t, doorOf(t))
	k := everywhere(hostile)
	m := Message{ID: "id", Cases: []Told{tell(doorOf(t), k, look(k))}, What: Approval, Earlier: "case/uid-1"}
	o.send(t, m)
	for range 30 {
		m.Cases = append(m.Cases, m.Cases[0])
	}
	o.send(t, m)
	for _, got := range o.slack.Messages() {
		all := got.Text
		for _, b := range got.Blocks {
			if b.Text != nil && b.Text.Type != "plain_text" {
				t.Errorf("a text is %s", b.Text.Type)
			}
			if b.Text != nil {
				all += b.Text.Text
			}
		}
		for _, bad := range []string{"<", "@", "://", "`", "*", "\x1b", "\u202e"} {
			if strings.Contains(all, bad) {
				t.Errorf("%q is in %.300q", bad, all)
			}
		}
		if got.Form["mrkdwn"] != "false" || got.Form["unfurl_links"] != "false" || got.Form["unfurl_media"] != "false" || len(all) > 5000 {
			t.Errorf("%d bytes, %v", len(all), got.Form)
		}
	}
	for _, body := range o.bodies {
		var any map[string]any
		if err := json.Unmarshal([]byte(body), &any); err != nil || len(body) > 200_000 || strings.Contains(body, `\u001b`) || strings.Contains(body, "\u202e") {
			t.Errorf("%v, %d bytes: %.300s", err, len(body), body)
		}
	}
}

// TestL16NoMessageHoldsASecret plants secrets in every text of a Case, and looks for them in all that receivers got.
func TestL16NoMessageHoldsASecret(t *testing.T) {
	door := doorOf(t)
	o := newOutside(t, door)
	var secrets []plant.Secret
	plant.Each(5*plant.Kinds(), func(s plant.Secret) {
		secrets = append(secrets, s)
		k := everywhere(s.Text)
		o.send(t, Message{ID: "id", Cases: []Told{tell(door, k, look(k))}, What: Approval, Earlier: "case/uid-1"})
	})
	var all strings.Builder
	for _, m := range o.slack.Messages() {
		fmt.Fprintln(&all, m.Form)
	}
	for _, body := range o.bodies {
		all.WriteString(body)
	}
	if n := redact.Masked(all.String()); n < 500 {
		t.Errorf("%d placeholders show nothing", n)
	}
	for _, s := range secrets {
		if strings.Contains(all.String(), s.Secret) {
			t.Errorf("%s was seen: %q", s.Kind, s.Secret)
		}
	}
}

func TestTheListOfReceiversIsReadStrictly(t *testing.T) {
	good := "receivers: [{name: bus, kind: webhook, url: 'https://bus.example.com/x', secretFile: s, tell: [escalated]}]\n"
	for text, wrong := range map[string]string{
		good:                        "",
		good + "default: [bus]":     "",
		good + "default: [other]":   "no such receiver",
		good + "pace: {repeat: 1s}": "repeat is 1m at least",
		good + "pace: {single: -1}": "single is a number",
		good + "more: true":         "unknown field",
		"receivers: []":             "has 0 entries",
		strings.Replace(good, "bus,", "'Bus <!here>',", 1):                                             "name is of small letters",
		strings.Replace(good, "https", "http", 1):                                                      "takes https",
		strings.Replace(good, "[escalated]", "[everything]", 1):                                        "is none of",
		strings.Replace(good, "secretFile: s, ", "", 1):                                                "secretFile is needed",
		strings.Replace(good, "secretFile", "routingKeyFile", 1):                                       "routingKeyFile is not for",
		strings.Replace(good, "kind: webhook", "kind: mail", 1):                                        "is none of",
		"receivers: [{name: c, kind: slack, channel: '#general', botTokenFile: b, tell: [escalated]}]": "is the id of a channel",
	} {
		path := filepath.Join(t.TempDir(), "receivers")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadReceivers(path); (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v, want %q", text, err, wrong)
		}
	}
}
