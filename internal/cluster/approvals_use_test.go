package cluster_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"moorgate.dev/internal/gate"
)

func TestUse(t *testing.T) {
	c := newCourt(t)
	use := func(t *testing.T, given []gate.Approval, reservation, want string) {
		t.Helper()
		refused, err := c.approvals.Use(t.Context(), c.namespace, given, reservation)
		switch {
		case err != nil:
			t.Errorf("could not say: %v", err)
		case want == "" && refused != nil, want != "" && (refused == nil || !strings.Contains(refused.Text, want)):
			t.Errorf("got %+v, want %q", refused, want)
		}
	}
	t.Run("once", func(t *testing.T) {
		c.says(t, "alice")
		given := c.given(t)
		use(t, given, "r-1", "")
		use(t, given, "r-1", "")
		use(t, given, "r-2", "was used before, for r-1")
		c.decides(t, 1, soon(), "0 of 1 have approved plan "+c.evict().PlanDigest()[:19]+"; 1 was used before")
	})
	t.Run("not at all where one of two was used", func(t *testing.T) {
		a, b := c.says(t, "alice"), c.says(t, "bob")
		given := only(c.given(t), a.Name, b.Name)
		use(t, only(given, b.Name), "r-3", "")
		use(t, given, "r-4", "was used before, for r-3")
		use(t, only(given, a.Name), "r-5", "")
	})
	t.Run("not what is gone", func(t *testing.T) {
		a := c.says(t, "alice")
		given := only(c.given(t), a.Name)
		if err := c.admin.Delete(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		use(t, given, "r-6", "is gone")
	})
	t.Run("not what has expired", func(t *testing.T) {
		a := c.says(t, "alice")
		given, late := only(c.given(t), a.Name), c.approvals
		late.Now = func() time.Time { return time.Now().Add(61 * time.Minute) }
		if refused, err := late.Use(t.Context(), c.namespace, given, "r-7"); err != nil || refused == nil || !strings.Contains(refused.Text, "has expired") {
			t.Errorf("got %+v, %v", refused, err)
		}
	})
	t.Run("not what says something else", func(t *testing.T) {
		a := c.says(t, "alice")
		given := only(c.given(t), a.Name)
		for name, change := range map[string]func(*gate.Approval){"another approver": func(x *gate.Approval) { x.Approver = "bob" },
			"another plan": func(x *gate.Approval) { x.Plan = "sha256:" + strings.Repeat("0", 64) }, "another time": func(x *gate.Approval) { x.At = x.At.Add(-time.Second) }} {
			other := slices.Clone(given)
			change(&other[0])
			t.Run(name, func(t *testing.T) {
				refused, err := c.approvals.Use(t.Context(), c.namespace, other, "r-8")
				if err != nil || refused == nil {
					t.Errorf("got %+v, %v", refused, err)
				}
			})
		}
	})
	t.Run("by one of many", func(t *testing.T) {
		a, b := c.says(t, "alice"), c.says(t, "bob")
		given := only(c.given(t), a.Name, b.Name)
		var won sync.Map
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				if refused, err := c.approvals.Use(t.Context(), c.namespace, given, fmt.Sprint("many-", i)); err == nil && refused == nil {
					won.Store(i, true)
				}
			})
		}
		all.Wait()
		n := 0
		won.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Errorf("%d processes used the same approvals", n)
		}
	})
	t.Run("though the answer never came", func(t *testing.T) {
		a := c.says(t, "alice")
		deaf := c.approvals
		lost := 0
		deaf.Writer = clientOf(t, losingReplies(c.config, &lost))
		refused, err := deaf.Use(t.Context(), c.namespace, only(c.given(t), a.Name), "r-9")
		if err != nil || refused != nil || lost != 1 {
			t.Errorf("got %+v, %v after %d lost replies", refused, err, lost)
		}
	})
	t.Run("not without a reservation", func(t *testing.T) {
		if _, err := c.approvals.Use(t.Context(), c.namespace, c.given(t), ""); err == nil {
			t.Error("it was used for nothing")
		}
	})
	t.Run("not once somebody has rejected the plan", func(t *testing.T) {
		a := c.says(t, "alice")
		given := only(c.given(t), a.Name)
		c.says(t, "carol", rejects)
		use(t, given, "r-10", "carol rejected it")
	})
}

func only(given []gate.Approval, names ...string) []gate.Approval {
	return slices.DeleteFunc(slices.Clone(given), func(x gate.Approval) bool { return !slices.Contains(names, x.Name) })
}

// losingReplies sends what writes to the API server and loses every answer.
func losingReplies(config *rest.Config, lost *int) *rest.Config {
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			answer, err := next.RoundTrip(r)
			if err != nil || r.Method != http.MethodPatch {
				return answer, err
			}
			*lost++
			return nil, errors.Join(errors.New("the connection was lost"), answer.Body.Close())
		})
	})
	return config
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
