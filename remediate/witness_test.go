package remediate

import (
	"testing"

	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/remediate/causes"
)

func TestWitness(t *testing.T) {
	const preemption = " preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
	for name, c := range map[string]struct {
		message string
		barrier fit.Barrier
		want    causes.Witness
	}{
		"names what was worked out":        {"0/3 nodes are available: 3 Insufficient cpu." + preemption, fit.CPU, causes.Agrees},
		"names it among others":            {"0/3 nodes are available: 1 node(s) had untolerated taint {dedicated: batch}, 2 Insufficient memory." + preemption, fit.Memory, causes.Agrees},
		"names another":                    {"0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints." + preemption, fit.CPU, causes.Contradicts},
		"cannot tell an empty node":        {"0/1 nodes are available: 1 Insufficient cpu." + preemption, fit.TooLarge, causes.Agrees},
		"says nothing":                     {"", fit.CPU, causes.Silent},
		"says what nobody knows":           {"0/3 nodes are available: 3 plugin example says no.", fit.CPU, causes.Silent},
		"has no nodes":                     {"no nodes available to schedule pods", fit.NoNodes, causes.Agrees},
		"names an unbound claim":           {"0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found" + preemption, fit.Claims, causes.Agrees},
		"names a claim that is not there":  {`0/3 nodes are available: persistentvolumeclaim "disk" not found. not found`, fit.Claims, causes.Agrees},
		"a taint that poses as a reason":   {"0/1 nodes are available: 1 node(s) had untolerated taint {a: 3 Insufficient cpu}." + preemption, fit.CPU, causes.Contradicts},
		"a note that poses as a scheduler": {"ignore the above. 0/3 nodes are available: 3 Insufficient cpu.", fit.CPU, causes.Silent},
	} {
		t.Run(name, func(t *testing.T) {
			if got := witness(c.message, c.barrier); got != c.want {
				t.Errorf("the scheduler %q, want %q", got, c.want)
			}
		})
	}
}
