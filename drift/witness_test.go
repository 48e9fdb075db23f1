package drift

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/source"
)

// saw is a Case that says what a person was seen to do.
func saw(user, manager string, at time.Time, paths ...string) v1alpha1.Case {
	k := v1alpha1.Case{}
	k.Spec.Signal.Reason = v1alpha1.ReasonWitnessed
	k.Spec.Witness = &v1alpha1.Witness{User: user, Manager: manager, Operation: "UPDATE", Paths: paths, At: metav1.NewTime(at)}
	return k
}

func after(d time.Duration) time.Time { return noon.Add(d) }

func TestWhoWasSeenToMakeADrift(t *testing.T) {
	const replicas, cpu = "spec.replicas", "spec.template.spec.containers[name=app].resources.limits.cpu"
	edit := Owner{Manager: "kubectl-edit", Operation: "Update", Party: Person, Time: noon}
	flux := Owner{Manager: "kustomize-controller", Operation: "Apply", Party: Delivery, Time: noon}
	scale := Owner{Manager: "kubectl", Operation: "Update", Subresource: "scale", Party: Person}
	apply := Owner{Manager: "kubectl-client-side-apply", Operation: "Update", Party: Delivery, Time: noon}
	stranger := Owner{Manager: "my-tool", Operation: "Update", Time: noon}
	scaling := saw("alice", "kubectl", noon, replicas)
	scaling.Spec.Witness.Subresource = "scale"
	undone := saw("alice", "kubectl-edit", noon, replicas)
	undone.Spec.Signal.Reason = v1alpha1.ReasonReverted
	created := saw("alice", "kubectl-edit", noon, replicas)
	created.Spec.Witness.Operation = "CREATE"
	delivered := func(d time.Duration) []metav1.ManagedFieldsEntry {
		return []metav1.ManagedFieldsEntry{{Manager: "kustomize-controller", Operation: "Apply", Time: &metav1.Time{Time: after(d)}}}
	}
	tests := []struct {
		name     string
		owner    Owner
		path     string
		cases    []v1alpha1.Case
		managers []metav1.ManagedFieldsEntry
		user     string
		party    Party
		apart    bool
	}{
		{"nobody was seen", edit, replicas, nil, nil, "", Person, false},
		{"the same manager at the same time", edit, replicas, []v1alpha1.Case{saw("alice", "kubectl-edit", noon, replicas)}, nil, "alice", Person, false},
		{"another field", edit, replicas, []v1alpha1.Case{saw("alice", "kubectl-edit", noon, "spec.paused")}, nil, "", Person, false},
		{"a field whose name only begins so", edit, replicas, []v1alpha1.Case{saw("alice", "kubectl-edit", noon, "spec.replicasMore")}, nil, "", Person, false},
		{"a change that somebody put back", edit, replicas, []v1alpha1.Case{undone}, nil, "", Person, false},
		{"a creation", edit, replicas, []v1alpha1.Case{created}, nil, "", Person, false},
		{"the newest of two counts", edit, replicas, []v1alpha1.Case{saw("bob", "kubectl-edit", noon, replicas), saw("alice", "kubectl-edit", after(-time.Hour), replicas)}, nil, "bob", Person, false},
		{"two people in one second", edit, replicas, []v1alpha1.Case{saw("bob", "kubectl-edit", noon, replicas), saw("alice", "kubectl-edit", noon, replicas)}, nil, "", Person, false},
		{"a manager that nobody knows is a person's all the same", stranger, replicas, []v1alpha1.Case{saw("alice", "my-tool", noon, replicas)}, nil, "alice", Person, false},
		{"who calls themself a delivery is a person", flux, replicas, []v1alpha1.Case{saw("alice", "kustomize-controller", noon, replicas)}, nil, "alice", Person, false},
		{"who applies a file delivers it, and has a name", apply, replicas, []v1alpha1.Case{saw("alice", "kubectl-client-side-apply", noon, replicas)}, nil, "alice", Delivery, false},
		{"a scale, of which managedFields keep no time", scale, replicas, []v1alpha1.Case{scaling}, nil, "alice", Person, false},
		{"a scale is no write of the object", scale, replicas, []v1alpha1.Case{saw("alice", "kubectl", noon, replicas)}, nil, "alice", Person, true},
		{"another manager at the same time stands apart", flux, replicas, []v1alpha1.Case{saw("alice", "kubectl-edit", noon, replicas)}, nil, "alice", Delivery, true},
		{"an owner that wrote before stands apart, whatever its name", edit, replicas, []v1alpha1.Case{saw("alice", "kubectl-edit", after(time.Minute), replicas)}, nil, "alice", Person, true},
		{"another manager wrote later", flux, replicas, []v1alpha1.Case{saw("alice", "kubectl-edit", after(-time.Minute), replicas)}, nil, "", Delivery, false},
		{"the same manager wrote later, and nobody saw who", edit, replicas, []v1alpha1.Case{saw("alice", "kubectl-edit", after(-time.Minute), replicas)}, nil, "", Person, false},
		{"the same manager wrote another field later, and that was seen", edit, replicas,
			[]v1alpha1.Case{saw("bob", "kubectl-edit", noon, "spec.paused"), saw("alice", "kubectl-edit", after(-time.Minute), replicas)}, nil, "alice", Person, false},
		{"what is gone", Owner{}, cpu, []v1alpha1.Case{saw("alice", "kubectl-edit", noon, cpu)}, delivered(-time.Hour), "alice", Person, false},
		{"what is gone with all that held it", Owner{}, cpu, []v1alpha1.Case{saw("alice", "kubectl-edit", noon, strings.TrimSuffix(cpu, ".limits.cpu"))}, nil, "alice", Person, false},
		{"what is gone though it was delivered since", Owner{}, cpu, []v1alpha1.Case{saw("alice", "kubectl-edit", noon, cpu)}, delivered(time.Minute), "", "", false},
		{"what is gone, and a person wrote in the name of a delivery since", Owner{}, cpu,
			[]v1alpha1.Case{saw("alice", "kustomize-controller", after(time.Minute), "spec.paused"), saw("alice", "kubectl-edit", noon, cpu)}, delivered(time.Minute), "alice", Person, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := testimony{test.cases, test.managers}.owner(Drift{Owner: test.owner}, []string{test.path})
			if got.User != test.user || got.Party != test.party || got.Apart != test.apart {
				t.Errorf("got %+v", got)
			}
			if got.vouched() && !got.Time.Equal(got.SeenAt) {
				t.Errorf("the time of the change is %s, and it was seen at %s", got.Time, got.SeenAt)
			}
			if got.Manager != test.owner.Manager || got.Operation != test.owner.Operation {
				t.Errorf("the manager's own word is lost: %+v", got)
			}
			if got.User != "" && (strings.Contains(got.String(), got.User) || !strings.Contains(got.Named(), got.User)) {
				t.Errorf("people are told %q, models %q", got.Named(), got)
			}
		})
	}
}

func TestWhatWasSeenIsTheCarefulTimeOfAChange(t *testing.T) {
	d := Drift{Owner: Owner{Manager: "kubectl-edit", Operation: "Update", Party: Person, Time: after(time.Minute)}}
	d.Owner = testimony{cases: []v1alpha1.Case{saw("bob", "kubectl-edit", after(time.Minute), "spec.paused"), saw("alice", "kubectl-edit", noon, "spec.replicas")}}.owner(d, []string{"spec.replicas"})
	p := &past{since: after(30 * time.Second), exact: true}
	if p.ahead(d, false) == "" {
		t.Error("Git spoke after alice did, and before bob wrote another field: it may be ahead")
	}
}

func TestPathsOfItemsThatTheAPIServerTellsApartByOtherKeys(t *testing.T) {
	port := map[string]any{"name": "http", "containerPort": int64(80), "protocol": "TCP"}
	live := map[string]any{"containers": []any{map[string]any{"name": "app", "ports": []any{port}}}}
	at := func(more ...source.Step) source.Path {
		return append(source.Path{{Field: "containers"}, {Keys: []source.Key{{Name: "name", Value: "app"}}}, {Field: "ports"},
			{Keys: []source.Key{{Name: "containerPort", Value: int64(80)}, {Name: "protocol", Value: "TCP"}}}}, more...)
	}
	const named = "containers[name=app].ports[name=http]"
	for name, test := range map[string]struct {
		live any
		d    Drift
		want []string
	}{
		"a field of an item":  {live, Drift{Path: at(source.Step{Field: "hostPort"})}, []string{at(source.Step{Field: "hostPort"}).String(), named + ".hostPort"}},
		"an item that is new": {live, Drift{Path: at(), Live: port}, []string{at().String(), named}},
		"an item that is gone": {map[string]any{"containers": []any{map[string]any{"name": "app"}}}, Drift{Path: at(), Git: port, Missing: true},
			[]string{at().String(), named}},
		"no such list":      {map[string]any{}, Drift{Path: at(source.Step{Field: "hostPort"})}, []string{at(source.Step{Field: "hostPort"}).String()}},
		"nothing has keys":  {live, Drift{Path: fieldsOf("spec", "replicas")}, []string{"spec.replicas"}},
		"a step to a value": {live, Drift{Path: source.Path{{Field: "finalizers"}, {Value: "x"}}}, []string{"finalizers[=x]"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := aliases(test.live, test.d); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
