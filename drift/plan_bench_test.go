package drift

import (
	"fmt"
	"strings"
	"testing"

	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/render"
)

// estate is a repository of a base with so many objects, which as many overlays read as there are clusters.
func estate(objects, overlays int) map[string]string {
	files := map[string]string{}
	var names []string
	for i := range objects {
		name := "web"
		if i > 0 {
			name = fmt.Sprintf("web-%d", i)
		}
		files["base/"+name+".yaml"] = strings.Replace(baseOfWeb, "name: web\n", "name: "+name+"\n", 1)
		names = append(names, name+".yaml")
	}
	files["base/kustomization.yaml"] = "resources: [" + strings.Join(names, ", ") + "]\n"
	for i := range overlays {
		folder := "deploy"
		if i > 0 {
			folder = fmt.Sprintf("cluster-%d", i)
		}
		files[folder+"/kustomization.yaml"] = "resources:\n- ../base\nimages:\n- name: registry.example/shop/web\n  newTag: \"1.5\"\n"
	}
	return files
}

// BenchmarkTheEditsOfOneObject looks for the edits of two fields among many overlays: one that only the overlay makes, and one of the base that
// all share, for which the overlay gets an entry of its own.
func BenchmarkTheEditsOfOneObject(b *testing.B) {
	for _, size := range []struct{ objects, overlays int }{{1, 2}, {30, 2}, {30, 100}} {
		b.Run(fmt.Sprintf("%d objects, %d overlays", size.objects, size.overlays), func(b *testing.B) {
			read := treeOf(estate(size.objects, size.overlays))
			o := source.Name{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"}
			drifts := []Drift{{Path: fieldsOf("spec", "replicas"), Git: int64(2), Live: int64(5)}}
			for b.Loop() {
				t := parse(read, tree{}, "shop", render.Own("deploy"))
				declared, found := t.find(o)
				if !found {
					b.Fatal(t.unsound)
				}
				if p, _ := propose(t.ground, declared.unfold(), drifts, nil); p[0].why != "" || p[0].where != "deploy/kustomization.yaml:6" {
					b.Fatalf("%+v", p)
				}
			}
		})
	}
}
