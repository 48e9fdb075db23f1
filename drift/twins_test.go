package drift

import (
	"context"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/source/render"
)

func TestAFolderThatGoesToTwoNamespacesIsNotEditedForOne(t *testing.T) {
	fixed := strings.Replace(baseOfWeb, "  name: web\n", "  name: web\n  namespace: shop\n", 1)
	place := Repository{URL: "https://git.example/shop", Branch: "main", Path: "deploy"}
	for _, test := range []struct {
		name, manifest string
		key            client.ObjectKey
		from           Repository
		spec           render.Spec
		twin           bool
	}{
		{"the same folder in another namespace", baseOfWeb, client.ObjectKey{Namespace: "other", Name: "git"}, place, render.Own("deploy"), true},
		{"the same folder twice in one namespace", baseOfWeb, client.ObjectKey{Namespace: "shop", Name: "more"}, place, render.Own("deploy"), false},
		{"another branch", baseOfWeb, client.ObjectKey{Namespace: "other", Name: "git"}, Repository{URL: place.URL, Branch: "dev", Path: "deploy"}, render.Own("deploy"), false},
		{"another repository", baseOfWeb, client.ObjectKey{Namespace: "other", Name: "git"}, Repository{URL: "https://git.example/x", Branch: "main", Path: "deploy"}, render.Own("deploy"), false},
		{"an object that names its namespace", fixed, client.ObjectKey{Namespace: "other", Name: "git"}, place, render.Own("deploy"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			read := treeOf(map[string]string{"deploy/web.yaml": test.manifest})
			ours, other := parse(read, tree{}, "shop", test.spec), parse(read, tree{}, test.key.Namespace, test.spec)
			ours.from, other.from = place, test.from
			d := &Detector{}
			d.remember(client.ObjectKey{Namespace: "shop", Name: "git"}, ours)
			d.remember(test.key, other)
			l := newLook(ours.objects[0].unfold(), "c0ffee")
			l.drifts = []Drift{{Path: fieldsOf("spec", "replicas"), Git: int64(2), Live: int64(5)}}
			d.plan(t.Context(), l, ours, false)
			if p := l.proposals[0]; test.twin != strings.Contains(p.why, "GitSource other/git brings the same folder to another namespace") || !test.twin && p.why != "" {
				t.Errorf("got %+v", p)
			}
			d.forget(test.key)
			if d.plan(t.Context(), l, ours, false); l.proposals[0].why != "" {
				t.Errorf("the other is gone: %+v", l.proposals[0])
			}
		})
	}
}

func TestThePastOfADeliveryIsReadWhereItIsDeliveredFrom(t *testing.T) {
	made := parse(treeOf(map[string]string{"deploy/web.yaml": baseOfWeb}), tree{}, "shop", render.Own("deploy"))
	made.delivery = &Delivered{From: Repository{URL: "https://git.example/shop", Path: "deploy", Commit: "c0ffee"}}
	d := &Detector{Now: time.Now, Past: func(_ context.Context, from Repository, commit string, files []string) (Past, error) {
		if from != made.delivery.From || commit != "c0ffee" || strings.Join(files, " ") != "deploy/web.yaml" {
			t.Errorf("asked for %+v, %s, %v", from, commit, files)
		}
		return Past{Versions: []map[string][]byte{{"deploy/web.yaml": []byte(strings.Replace(baseOfWeb, "web:1.4", "web:1.3", 1))}}}, nil
	}}
	older := d.older(t.Context(), newLook(made.objects[0].unfold(), "c0ffee"), made)
	if said, known := older("registry.example/shop/web:1.3").Get(); !said || !known {
		t.Errorf("Git said it: %t, %t", said, known)
	}
	if _, known := older("registry.example/shop/web:1.2").Get(); known {
		t.Error("what lies further back is not known")
	}
}
