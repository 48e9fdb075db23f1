package webhook

import (
	"slices"

	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// Complete adds to what a cluster was seen to hold what the files bring along with the rollout: a Secret that is applied
// together with the workload is as good as there, and so is a disruption budget. Nothing known to be there is taken away.
func (f *Files) Complete(r *checks.Rollout) {
	ns := r.New.Ref.Namespace
	for kind, names := range map[schema.GroupVersionKind]map[string]gate.Fact[bool]{
		secretKind: r.World.Secrets, configMapKind: r.World.ConfigMaps, serviceAccountKind: r.World.ServiceAccounts,
		claimKind: r.World.Claims, storageClassKind: r.World.StorageClasses,
	} {
		for name := range names {
			if f.holds(kind, ns, name) {
				names[name] = gate.Known(true)
			}
		}
	}
	budgets, known := r.World.Budgets.Get()
	if !known {
		return // some of the budgets say nothing about all of them
	}
	budgets = slices.Clone(budgets)
	for _, o := range f.byKind[policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget")] {
		b, ok := o.(*policyv1.PodDisruptionBudget)
		if !ok || b.Namespace != ns {
			continue
		}
		at := slices.IndexFunc(budgets, func(live policyv1.PodDisruptionBudget) bool { return live.Name == b.Name })
		if at < 0 {
			budgets = append(budgets, *b)
			continue
		}
		status := budgets[at].Status // what the budget expects of other pods is the cluster's to say
		budgets[at] = *b
		budgets[at].Status = status
	}
	r.World.Budgets = gate.Known(budgets)
}

// holds reports whether an object of that kind and name is in the files; a default StorageClass goes by the empty name.
func (f *Files) holds(kind schema.GroupVersionKind, ns, name string) bool {
	for _, o := range f.byKind[kind] {
		if kind == storageClassKind {
			if o.GetName() == name || name == "" && o.GetAnnotations()[defaultClass] == "true" {
				return true
			}
			continue
		}
		if o.GetName() == name && o.GetNamespace() == ns {
			return true
		}
	}
	return false
}
