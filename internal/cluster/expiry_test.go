package cluster_test

import (
	"fmt"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

func TestExpiry(t *testing.T) {
	k, ns := admin(t)
	cases := cluster.Cases{Client: k, Now: noon}
	open := func(workload string, n int) {
		for i := range n {
			s := gate.Signal{Face: gate.FaceDrift, Reason: "FieldDrift", Key: fmt.Sprint(i), At: noon(),
				Subject: gate.Ref{Group: "apps", Kind: "Deployment", Namespace: ns, Name: workload}}
			if _, _, err := cases.Open(t.Context(), s, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	open("busy", 23)
	open("calm", 2)
	left := func(after time.Duration) map[string]int {
		e := cluster.Expiry{Client: k, Now: func() time.Time { return time.Now().Add(after) }}
		if _, err := e.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		var list v1alpha1.CaseList
		if err := k.List(t.Context(), &list, client.InNamespace(ns)); err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for _, c := range list.Items {
			count[c.Spec.Subject.Name]++
		}
		return count
	}
	if got := left(0); got["busy"] != 20 || got["calm"] != 2 {
		t.Errorf("left %v, want 20 of the busy workload and both of the calm one", got)
	}
	if got := left(8 * 24 * time.Hour); len(got) != 0 {
		t.Errorf("left %v after eight days, want none", got)
	}
}
