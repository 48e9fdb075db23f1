package drift

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
)

// managed is an entry that owns the given fields.
func managed(manager, operation, subresource, fields string, minute int) metav1.ManagedFieldsEntry {
	e := metav1.ManagedFieldsEntry{Manager: manager, Operation: metav1.ManagedFieldsOperationType(operation), Subresource: subresource,
		APIVersion: "apps/v1", FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields)}
	if minute > 0 {
		at := metav1.NewTime(time.Date(2026, 11, 23, 15, minute, 0, 0, time.UTC))
		e.Time = &at
	}
	return e
}

func deploymentWith(spec map[string]any, entries ...metav1.ManagedFieldsEntry) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec}}
	u.SetManagedFields(entries)
	return u
}

func list(items ...any) []any { return items }

func TestCompareLooksAtWhatGitDeclaresOnly(t *testing.T) {
	const all = `{"f:spec":{"f:replicas":{},"f:paused":{},"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:name":{},"f:image":{},"f:args":{}},
		"k:{\"name\":\"side\"}":{".":{},"f:name":{},"f:image":{}}},"f:finalizers":{"v:\"a\"":{}},"f:selector":{}}}`
	git := map[string]any{"replicas": int64(2), "paused": nil, "selector": map[string]any{}, "finalizers": list("a"),
		"containers": list(map[string]any{"name": "app", "image": "a:1", "args": list("x")}, map[string]any{"name": "side", "image": "s:1"})}
	live := map[string]any{"replicas": int64(5), "extra": "not declared", "finalizers": list("b", "a"),
		"containers": list(map[string]any{"name": "app", "image": "a:1", "args": list("y"), "extra": true})}
	drifts, err := Compare(deploymentWith(live, managed("kubectl", "Update", "scale", `{"f:spec":{"f:replicas":{}}}`, 0)),
		deploymentWith(git, managed("dry", "Apply", "", all, 1)), "dry")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range drifts {
		got = append(got, d.Path.String()+" "+d.Owner.Manager)
	}
	want := "spec.containers[name=app].args , spec.containers[name=side] , spec.replicas kubectl"
	if strings.Join(got, ", ") != want {
		t.Fatalf("got %q, want %q", strings.Join(got, ", "), want)
	}
	if !drifts[1].Missing || drifts[2].Git != int64(2) || drifts[2].Live != int64(5) {
		t.Errorf("got %+v", drifts)
	}
}

func TestCompareKnowsWhatTheAPIServerDoesNotKeep(t *testing.T) {
	dry := deploymentWith(map[string]any{"list": list()}, managed("dry", "Apply", "", `{"f:spec":{"f:paused":{},"f:text":{},"f:number":{},"f:list":{},"f:same":{}}}`, 1))
	live := map[string]any{"paused": true, "text": "x", "number": int64(3), "list": list("a"), "same": false, "other": true}
	drifts, err := Compare(deploymentWith(live), dry, "dry")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range drifts {
		got = append(got, fmt.Sprintf("%s %#v %t", d.Path, d.Git, d.Unset))
	}
	want := "spec.list <nil> true, spec.number 0 true, spec.paused false true, spec.text \"\" true"
	if strings.Join(got, ", ") != want {
		t.Fatalf("got %q, want %q", strings.Join(got, ", "), want)
	}
}

func TestWhichCameFirst(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) Drift { return Drift{Owner: Owner{Time: noon.Add(d)}} }
	with := func(d Drift, change func(*Drift)) Drift { change(&d); return d }
	overwritten := func(d *Drift) { d.Overwritten = true }
	tests := []struct {
		name    string
		drift   Drift
		past    past
		changed bool
		want    string
	}{
		{"the change is the later", at(time.Second), past{since: noon, exact: true}, false, ""},
		{"Git is the later", at(-time.Second), past{since: noon}, false, "and the owner's last change of"},
		{"both in the same second", at(0), past{since: noon}, false, "and the owner's last change of"},
		{"no time of the change", Drift{}, past{since: noon}, false, "no time of the change"},
		{"no time of the commit", at(0), past{}, false, "the commit has no time"},
		{"it was seen to change", Drift{}, past{since: noon, exact: true}, true, ""},
		{"it was delivered", with(at(time.Second), func(d *Drift) { d.Delivered = true }), past{since: noon}, true, "delivered last"},
		{"Git's word was delivered", with(at(-time.Second), overwritten), past{since: noon}, false, ""},
		{"Git's word was delivered once, and Git has said another since", with(at(-time.Second), overwritten), past{since: noon, exact: true}, false, "and the owner's last change of"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := test.past.ahead(test.drift, test.changed)
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCompareNeedsTheAnswerToSayWhatIsDeclared(t *testing.T) {
	u := deploymentWith(map[string]any{"replicas": int64(2)})
	if _, err := Compare(u, u, "dry"); err == nil {
		t.Error("an answer that names no fields means that everything is as it should be")
	}
}

func TestAttribute(t *testing.T) {
	const replicas = `{"f:spec":{"f:replicas":{}}}`
	tests := []struct {
		name    string
		entries []metav1.ManagedFieldsEntry
		want    string
		party   Party
	}{
		{"edited by hand", []metav1.ManagedFieldsEntry{managed("kubectl-edit", "Update", "", replicas, 4)}, "kubectl-edit (Update) at 2026-11-23T15:04:00Z", Person},
		{"scaled by hand, without a time", []metav1.ManagedFieldsEntry{managed("kubectl", "Update", "scale", replicas, 0)}, "kubectl (Update of scale), time not recorded", Person},
		{"applied server-side", []metav1.ManagedFieldsEntry{managed("kubectl", "Apply", "", replicas, 4)}, "kubectl (Apply) at 2026-11-23T15:04:00Z", Delivery},
		{"delivered by Argo CD", []metav1.ManagedFieldsEntry{managed("argocd-controller", "Apply", "", replicas, 4)}, "argocd-controller (Apply) at 2026-11-23T15:04:00Z", Delivery},
		{"a controller", []metav1.ManagedFieldsEntry{managed("keda-operator", "Update", "", replicas, 4)}, "keda-operator (Update) at 2026-11-23T15:04:00Z", Machine},
		{"a name that anybody may choose", []metav1.ManagedFieldsEntry{managed("terraform", "Update", "", replicas, 4)}, "terraform (Update) at 2026-11-23T15:04:00Z", ""},
		{"the last of two", []metav1.ManagedFieldsEntry{managed("helm", "Update", "", replicas, 4), managed("kubectl-edit", "Update", "", replicas, 5)}, "kubectl-edit (Update) at 2026-11-23T15:05:00Z", Person},
		{"nobody", []metav1.ManagedFieldsEntry{managed("kubectl-edit", "Update", "", `{"f:spec":{"f:paused":{}}}`, 4)}, "unknown (deletions leave no trace)", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			set, err := fields(managed("x", "Apply", "", replicas, 0))
			if err != nil {
				t.Fatal(err)
			}
			for field := range set.Leaves().All() {
				o, err := attribute(test.entries, field)
				if err != nil || o.String() != test.want || o.Party != test.party {
					t.Errorf("got %q (%s), %v; want %q (%s)", o, o.Party, err, test.want, test.party)
				}
			}
		})
	}
	if _, err := attribute([]metav1.ManagedFieldsEntry{managed("x", "Apply", "", "{", 0)}, nil); err == nil {
		t.Error("managed fields that cannot be read are nobody's")
	}
}

func fieldsOf(names ...string) source.Path {
	var p source.Path
	for _, n := range names {
		p = append(p, source.Step{Field: n})
	}
	return p
}

func TestOnlyPlainValuesAreShown(t *testing.T) {
	tests := []struct {
		name  string
		path  source.Path
		value any
		want  bool
	}{
		{"a number", fieldsOf("spec", "replicas"), int64(2), true},
		{"an image", fieldsOf("containers", "image"), "registry.example:5000/shop/web@sha256:" + strings.Repeat("a", 64), true},
		{"an image with a password in it", fieldsOf("containers", "image"), "user:hunter2@registry/web", false},
		{"a quantity", fieldsOf("resources", "limits", "nvidia.com/gpu"), "1", true},
		{"the value of an environment variable", fieldsOf("containers", "env", "value"), "x", false},
		{"an environment variable as a whole", fieldsOf("containers", "env"), map[string]any{}, false},
		{"a number among arguments", fieldsOf("containers", "args"), int64(1), false},
		{"a reference to a Secret", variable(), map[string]any{"name": "PASSWORD", "valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": "db", "key": "password", "optional": true}}}, true},
		{"the name in a reference", variable("valueFrom", "configMapKeyRef", "name"), "settings", true},
		{"a reference as a whole", variable("valueFrom"), map[string]any{"fieldRef": map[string]any{"apiVersion": "v1", "fieldPath": "metadata.name"}}, true},
		{"a reference beside a value", variable(), map[string]any{"name": "A", "value": "x", "valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": "db", "key": "a"}}}, false},
		{"a variable of a name alone", variable(), map[string]any{"name": "A"}, false},
		{"a variable with a value", variable(), map[string]any{"name": "A", "value": "x"}, false},
		{"the value of a variable", variable("value"), "x", false},
		{"a kind of reference that nobody listed", variable("valueFrom", "newKeyRef", "name"), "x", false},
		{"a field of a reference that nobody listed", variable("valueFrom", "secretKeyRef", "value"), "x", false},
		{"a reference with something else in it", variable("valueFrom", "secretKeyRef", "name"), map[string]any{"name": "x"}, false},
		{"a reference whose key is no word", variable("valueFrom", "secretKeyRef", "key"), "user:hunter2@db", false},
		{"an empty reference", variable("valueFrom"), map[string]any{}, false},
		{"a reference among annotations", append(fieldsOf("metadata", "annotations"), variable("valueFrom", "secretKeyRef", "name")...), "x", false},
		{"the command of a probe", fieldsOf("livenessProbe", "exec", "command"), "x", false},
		{"a header of a probe", fieldsOf("livenessProbe", "httpGet", "httpHeaders", "value"), "x", false},
		{"an annotation named image", fieldsOf("metadata", "annotations", "image"), "a:1", false},
		{"a label", fieldsOf("metadata", "labels", "app"), "web", false},
		{"text that nobody listed", fieldsOf("spec", "somethingNew"), "x", false},
		{"a list", fieldsOf("spec", "image"), []any{"a"}, false},
		{"nothing at all", nil, int64(1), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := shows(test.path, test.value); got != test.want {
				t.Errorf("%s = %v: shown is %v", test.path, test.value, got)
			}
		})
	}
}

// variable is a field of an environment variable.
func variable(fields ...string) source.Path {
	p := append(fieldsOf("containers", "env"), source.Step{Keys: []source.Key{{Name: "name", Value: "A"}}})
	return append(p, fieldsOf(fields...)...)
}

const manifest = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n  hostNetwork: false\n  labels: {app: web}\n"

func looked(drifts ...Drift) *look {
	l := &look{object: source.Object{Name: source.Name{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"}, File: "web.yaml", Line: 1}, commit: "c0ffee",
		subject: gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "1"}, drifts: drifts}
	l.proposals, _ = propose(ground{files: map[string][]byte{"web.yaml": []byte(manifest)}}, l.object, drifts, nil)
	return l
}

func TestIntent(t *testing.T) {
	at := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	person, machine := Owner{Manager: "kubectl-edit", Party: Person, Time: at}, Owner{Manager: "keda-operator", Party: Machine, Time: at}
	replicas := func(o Owner) Drift {
		return Drift{Path: fieldsOf("spec", "replicas"), Git: int64(2), Live: int64(5), Owner: o}
	}
	unread := looked()
	unread.missed(evidenceLive, "live Deployment/web", at, "no answer")
	tests := []struct {
		name          string
		look          *look
		cause, choice string
		silent        string
		score         int
	}{
		{"one field that a person changed", looked(replicas(person)), CausePerson, ItemAdopt, "", 90},
		{"a change without a time is less certain", looked(replicas(Owner{Manager: "kubectl", Party: Person})), CausePerson, ItemAdopt, "", 80},
		{"Git may be ahead", looked(Drift{Path: fieldsOf("spec", "replicas"), Git: int64(2), Live: int64(5), Owner: person, Ahead: "Git may be ahead"}), CauseAhead, "", "Git may be ahead", 0},
		{"automation", looked(replicas(machine)), CauseAutomation, "", "automation owns the field", 0},
		{"an owner that nobody knows", looked(replicas(Owner{Manager: "curl", Time: at})), CauseUnknown, "", "not known who", 0},
		{"no owner", looked(replicas(Owner{})), CauseUnknown, "", "not known who", 0},
		{"two fields", looked(replicas(person), replicas(person)), CausePerson, "", "2 fields differ", 0},
		{"a field that keeps workloads apart", looked(Drift{Path: fieldsOf("spec", "hostNetwork"), Git: false, Live: true, Owner: person}), CausePerson, "", "a person must write it", 0},
		{"a value that is not shown", looked(Drift{Path: fieldsOf("spec", "labels", "app"), Git: "web", Live: "x", Owner: person}), CausePerson, "", "may be secret", 0},
		{"a field that is missing", looked(Drift{Path: fieldsOf("spec", "replicas"), Git: int64(2), Missing: true, Owner: person}), CausePerson, "", "a field was removed", 0},
		{"what could not be read", unread, CauseUnreadable, "", "never a drift", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := assess(test.look)
			score, scored := a.Score.Get()
			if a.Cause != test.cause || strings.Join(a.Choice, ",") != test.choice || !strings.Contains(a.Silent, test.silent) || (test.silent == "") != (a.Silent == "") {
				t.Errorf("got %+v", a)
			}
			if scored != (test.choice != "") || score != test.score {
				t.Errorf("score %d", score)
			}
		})
	}
}

func TestL21TheMenuNeverReachesAWorkload(t *testing.T) {
	for _, l := range []*look{looked(), looked(Drift{Path: fieldsOf("spec", "replicas"), Git: int64(2), Live: int64(5)})} {
		for _, item := range menu(l) {
			if item.Reach != gate.ReachGit && item.Reach != gate.ReachNothing {
				t.Errorf("%s reaches %s", item.ID, item.Reach)
			}
		}
	}
}

func TestTheSameDriftIsTheSameCase(t *testing.T) {
	replicas := func(live int64) Drift { return Drift{Path: fieldsOf("spec", "replicas"), Git: int64(2), Live: live} }
	name := func(change func(*look), drifts ...Drift) string {
		l := looked(drifts...)
		if change != nil {
			change(l)
		}
		return l.signal("shop", time.Unix(1, 0)).CaseName()
	}
	same := name(nil, replicas(5))
	if name(func(l *look) { l.commit = "another" }, replicas(5)) != same {
		t.Error("another commit makes another case")
	}
	if name(nil, replicas(6)) == same || name(func(l *look) { l.subject.UID = "2" }, replicas(5)) == same {
		t.Error("another value or another object is the same case")
	}
	secret := func(live string) Drift {
		return Drift{Path: fieldsOf("spec", "env", "value"), Git: "a", Live: live}
	}
	if name(nil, secret("x")) != name(nil, secret("y")) {
		t.Error("a value that is not shown can be told from the case's name")
	}
}

func TestL04AGitSourceWithAnUnknownFieldIsUnreadable(t *testing.T) {
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"url": "https://example.com/x", "branhc": "main"}}}
	if _, err := parseGitSource(u); err == nil || !strings.Contains(err.Error(), "branhc") {
		t.Errorf("got %v", err)
	}
}
