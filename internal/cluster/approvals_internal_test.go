package cluster

import (
	"math"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"

	"moorgate.dev/internal/gate"
)

const stored = `{"metadata":{"name":"a-1","creationTimestamp":"2026-11-26T12:00:00Z"},"spec":{"case":"c","plan":"sha256:00","approver":"alice"`

// What an Approval says is never more than what is plainly said.
func TestHeard(t *testing.T) {
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name, more string
		want       func(x gate.Approval) bool
	}{
		{"an approval, for an hour", `}}`, func(x gate.Approval) bool {
			return !x.Reject && !x.Used && x.Approver == "alice" && x.At.Equal(noon) && x.Expires.Equal(noon.Add(time.Hour))
		}},
		{"for as long as it says", `,"ttlSeconds":60}}`, func(x gate.Approval) bool { return x.Expires.Equal(noon.Add(time.Minute)) }},
		{"for a day at most", `,"ttlSeconds":2147483647}}`, func(x gate.Approval) bool { return x.Expires.Equal(noon.Add(24 * time.Hour)) }},
		{"for no time before now", `,"ttlSeconds":-1}}`, func(x gate.Approval) bool { return x.Expires.Equal(noon) }},
		{"a rejection", `,"decision":"Reject"}}`, func(x gate.Approval) bool { return x.Reject }},
		{"anything else is a rejection", `,"decision":"approve"}}`, func(x gate.Approval) bool { return x.Reject }},
		{"used", `},"status":{"used":{"reservation":"r-1"}}}`, func(x gate.Approval) bool { return x.Used }},
		{"used for nothing that it says", `},"status":{"used":{}}}`, func(x gate.Approval) bool { return x.Used }},
		{"used in a form that nobody knows", `},"status":{"used":"yes"}}`, func(x gate.Approval) bool { return x.Used }},
		{"with a status in a form that nobody knows", `},"status":"used"}`, func(x gate.Approval) bool { return x.Used }},
		{"not used", `},"status":{"used":null}}`, func(x gate.Approval) bool { return !x.Used }},
		{"texts for people are one line", `,"reason":"a\u001b[2J\nb\u202ec"}}`, func(x gate.Approval) bool { return x.Reason == "a [2J bc" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x, err := heard(decoded(t, stored+tt.more))
			if err != nil || !tt.want(x) {
				t.Errorf("got %+v, %v", x, err)
			}
		})
	}
	for name, more := range map[string]string{"an unknown field": `,"onlyIf":"x"}}`, "an approver that is a list": `,"approver":["alice"]}}`,
		"a time beyond counting": `,"ttlSeconds":1e99}}`, "half a second": `,"ttlSeconds":60.5}}`} {
		t.Run(name+" cannot be read", func(t *testing.T) {
			if x, err := heard(decoded(t, stored+more)); err == nil {
				t.Errorf("got %+v", x)
			}
		})
	}
}

func decoded(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(text), &u.Object); err != nil {
		t.Fatal(err)
	}
	return u
}

// Whatever an Approval holds, it stands for no plan but the one that it names, for a day at most, in one line.
func FuzzHeard(f *testing.F) {
	for _, more := range []string{`}}`, `,"decision":"Reject"}}`, `,"ttlSeconds":2147483647}}`, `,"reason":"` + strings.Repeat("é", 300) + `"}}`, `},"status":{"used":{"reservation":"r"}}}`} {
		f.Add(stored+more, int64(0))
	}
	f.Add(`{"spec":{"approver":"\u0000\u202e","case":"c"},"metadata":{"creationTimestamp":"9999-12-31T23:59:59Z"}}`, int64(math.MaxInt32))
	f.Add(`{"spec":null,"metadata":"x"}`, int64(-1))
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		u := &unstructured.Unstructured{}
		if json.Unmarshal([]byte(text), &u.Object) != nil || u.Object == nil {
			return
		}
		x, err := heard(u)
		if err != nil {
			return
		}
		for _, s := range []string{x.Approver, x.Reason} {
			if gate.OneLine(s, 320) != s {
				t.Errorf("%q is not fit to be shown", s)
			}
		}
		if life := x.Expires.Sub(x.At); life < 0 || life > ttlMost {
			t.Errorf("it is good for %s", life)
		}
		plan := gate.Action{Verb: "evict"}
		x.Plan = plan.PlanDigest()
		for _, at := range []time.Time{time.Unix(unix%(1<<34), 0), {}, x.At.Add(-time.Second), x.Expires} {
			facts := gate.Facts{At: at, Approvals: gate.Known([]gate.Approval{x})}
			stands := len(gate.Approving(facts, plan)) == 1
			if stands && (x.Used || x.Reject || x.Approver == "" || at.IsZero() || at.Before(x.At) || !at.Before(x.Expires)) {
				t.Errorf("%+v stands at %s", x, at)
			}
		}
	})
}
