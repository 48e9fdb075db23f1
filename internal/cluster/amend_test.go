package cluster

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"moorgate.dev/internal/gate"
)

var deployment = gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "11111111-2222-3333-4444-555555555555"}

func templateOf(image, token string) json.RawMessage {
	return json.RawMessage(`{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"env":[{"name":"TOKEN","value":"` + token + `"}],"image":"` + image + `","name":"app"}]}}`)
}

// goingBack is a plan to go back from one image to another, with its request.
func goingBack(t *testing.T, m Amendment) gate.Action {
	t.Helper()
	plan := gate.Action{ID: "roll-back", Verb: VerbRollBack, Reach: gate.ReachLive, Target: deployment, Undo: "roll it out again",
		Edits: []gate.Edit{{Path: "spec.template.spec.containers[name=app].image", Old: `"a:2"`, New: `"a:1"`}}}
	r, err := Amend(plan, m)
	if err != nil {
		t.Fatal(err)
	}
	plan.Request = &r
	return plan
}

var back = Amendment{ResourceVersion: "7", Old: templateOf("a:2", "x"), New: templateOf("a:1", "x")}

func TestAmendChangesWhatThePlanSaysAndNothingElse(t *testing.T) {
	plan := goingBack(t, back)
	mark, was, is := Mark(plan)
	want := `[{"op":"test","path":"/metadata/uid","value":"` + deployment.UID + `"},{"op":"test","path":"/metadata/resourceVersion","value":"7"},` +
		`{"op":"test","path":"/spec/template","value":` + string(back.Old) + `},{"op":"replace","path":"/spec/template","value":` + string(back.New) + `},` +
		`{"op":"add","path":"/metadata/annotations/moorgate.dev~1last-action","value":"` + mark + `"}]`
	if q := plan.Request; q.Method != http.MethodPatch || q.Path != "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=moorgate" || q.ContentType != jsonPatch || string(q.Body) != want {
		t.Errorf("%s %s %s\n%s\nwant %s", q.Method, q.Path, q.ContentType, q.Body, want)
	}
	if mark == "" || was == "" || is == "" || was == is {
		t.Errorf("mark %q, was %q, is %q", mark, was, is)
	}
	whole := plan
	from, err1 := template(templateOf("a:2", "x"))
	to, err2 := template(templateOf("a:1", "y"))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	whole.Edits = append(whole.Edits, TemplateEdit("bb", "aa", from, to))
	for name, c := range map[string]struct {
		plan gate.Action
		m    Amendment
		says string // empty: it is made
	}{
		"as the plan says":                    {plan, back, ""},
		"without annotations":                 {plan, Amendment{ResourceVersion: "7", Old: back.Old, New: back.New, Bare: true}, ""},
		"more than it spells out, by digest":  {whole, Amendment{ResourceVersion: "7", Old: templateOf("a:2", "x"), New: templateOf("a:1", "y")}, ""},
		"another than the digest is of":       {whole, Amendment{ResourceVersion: "7", Old: templateOf("a:2", "x"), New: templateOf("a:1", "z")}, "not what the plan was made for"},
		"from another than the digest is of":  {whole, Amendment{ResourceVersion: "7", Old: templateOf("a:2", "w"), New: templateOf("a:1", "y")}, "not what the plan was made for"},
		"more than the plan says":             {plan, Amendment{ResourceVersion: "7", Old: back.Old, New: templateOf("a:1", "y")}, "more of its template"},
		"another image than the plan says":    {plan, Amendment{ResourceVersion: "7", Old: back.Old, New: templateOf("evil:1", "x")}, "not what the plan says"},
		"from another image":                  {plan, Amendment{ResourceVersion: "7", Old: templateOf("a:3", "x"), New: back.New}, "not what the plan says"},
		"a field that nobody knows":           {plan, Amendment{ResourceVersion: "7", Old: back.Old, New: json.RawMessage(strings.Replace(string(back.New), `"name":"app"`, `"name":"app","novel":1`, 1))}, "does not know"},
		"a field in another spelling":         {plan, Amendment{ResourceVersion: "7", Old: back.Old, New: json.RawMessage(strings.Replace(string(back.New), `"image"`, `"Image"`, 1))}, "does not know"},
		"no template at all":                  {plan, Amendment{ResourceVersion: "7", Old: back.Old, New: json.RawMessage(`null`)}, "container"},
		"whenever":                            {plan, Amendment{Old: back.Old, New: back.New}, "resourceVersion is not known"},
		"something that is no edit of images": {changed(plan, func(a *gate.Action) { a.Edits[0].Path = "spec.template.spec.containers[name=app].command" }), back, "not changed in this way"},
		"a field beside the template":         {changed(plan, func(a *gate.Action) { a.Edits[0].Path = "spec.replicas" }), back, "no field that is changed"},
		"nothing":                             {changed(plan, func(a *gate.Action) { a.Edits = nil }), back, "changes nothing"},
		"a StatefulSet":                       {changed(plan, func(a *gate.Action) { a.Target.Kind = "StatefulSet" }), back, "nothing of the kind"},
		"another group":                       {changed(plan, func(a *gate.Action) { a.Target.Group = "apps.example" }), back, "nothing of the kind"},
		"an object that is not pinned":        {changed(plan, func(a *gate.Action) { a.Target.UID = "" }), back, "UID"},
		"a path that leads elsewhere":         {changed(plan, func(a *gate.Action) { a.Target.Name = "../../secrets/x" }), back, "no name of an object"},
		"another verb":                        {changed(plan, func(a *gate.Action) { a.Verb = VerbEvict }), back, "nothing of the kind"},
	} {
		_, err := Amend(c.plan, c.m)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

func changed(plan gate.Action, change func(*gate.Action)) gate.Action {
	plan.Edits = append([]gate.Edit(nil), plan.Edits...)
	change(&plan)
	return plan
}

// TestTheHandSendsNoOtherAmendment shows requests that were tampered with after they were weighed: the permit fits them, and still
// they are not the plan's.
func TestTheHandSendsNoOtherAmendment(t *testing.T) {
	for name, spoil := range map[string]func(body string) string{
		"it tests less": func(b string) string {
			return strings.Replace(b, `"test","path":"/metadata/uid"`, `"add","path":"/metadata/uid"`, 1)
		},
		"it replaces more": func(b string) string {
			return strings.Replace(b, `"replace","path":"/spec/template"`, `"replace","path":"/spec"`, 1)
		},
		"it takes another step": func(b string) string {
			return strings.TrimSuffix(b, "]") + `,{"op":"remove","path":"/spec/replicas","value":null}]`
		},
		"its mark is another": func(b string) string {
			return strings.Replace(b, `last-action","value":"`, `last-action","value":"0`, 1)
		},
		"another image comes": func(b string) string { return strings.Replace(b, `"image":"a:1"`, `"image":"evil:1"`, 1) },
		"a container comes besides": func(b string) string {
			return strings.Replace(b, `"name":"app"}]}}},{"op":"add"`, `"name":"app"},{"name":"x","image":"x"}]}}},{"op":"add"`, 1)
		},
	} {
		plan := goingBack(t, back)
		body := spoil(string(plan.Request.Body))
		if body == string(plan.Request.Body) {
			t.Errorf("%s: nothing was spoilt", name)
		}
		plan.Request.Body = []byte(body)
		if err := belongs(plan); err == nil {
			t.Errorf("%s: it was taken for the plan's", name)
		}
	}
	if err := belongs(goingBack(t, back)); err != nil {
		t.Error(err)
	}
}
