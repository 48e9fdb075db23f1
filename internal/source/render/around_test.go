package render

import (
	"maps"
	"slices"
	"testing"
)

func TestAroundNamesWhoElseReadsAFile(t *testing.T) {
	files := layout{
		"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": web,
		"prod/kustomization.yaml": "resources: [../base]\ncomponents: [../part]\n",
		"part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nreplicas: [{name: web, count: 3}]\n",
		"dev/kustomization.yaml":  "resources: [../middle]\n", "middle/kustomization.yml": "resources: [../base/web.yaml]\n",
		"apart/kustomization.yaml": "resources: [own.yaml]\n", "apart/own.yaml": settings,
		"all/Kustomization":         "resources: [../prod]\n",
		"broken/kustomization.yaml": "resources: [../base, {{ x }}\n",
		"wide/kustomization.yaml":   "configMapGenerator:\n- name: x\n  files: [web=../base/web.yaml]\n",
		"extra/kustomization.yaml":  "kind: Component\nresources: [../base]\n",
	}.files()
	reads, others := Around(files, Own("prod"))
	if want := []string{"all", "broken", "dev", "middle", "wide"}; !slices.Equal(slices.Sorted(maps.Keys(others)), want) || !slices.Contains(others["dev"], "base/web.yaml") || slices.Contains(others["dev"], "part/kustomization.yaml") {
		t.Errorf("others %v, want %v", others, want)
	}
	for _, file := range []string{"base/web.yaml", "part/kustomization.yaml", "middle/kustomization.yml", "broken/kustomization.yaml"} {
		if !slices.Contains(reads, file) {
			t.Errorf("%s is not among what is read: %v", file, reads)
		}
	}
	if slices.Contains(reads, "apart/own.yaml") {
		t.Error("what nobody here reads is among what is read")
	}
	if _, others := Around(files, Own("apart")); len(others) > 0 {
		t.Errorf("nobody else reads it: %v", others)
	}
	if reads, others := Around(files, Own("../x")); len(reads)+len(others) > 0 {
		t.Errorf("what leads out of the repository: %v, %v", reads, others)
	}
}

func TestAPlainFolderThatAnOverlayReadsHasOthers(t *testing.T) {
	files := layout{"deploy/web.yaml": web, "dev/kustomization.yaml": "resources: [../deploy/web.yaml]\n", "kustomization.yaml": "resources: [dev]\n"}.files()
	if _, others := Around(files, Own("deploy")); !slices.Equal(slices.Sorted(maps.Keys(others)), []string{"", "dev"}) {
		t.Errorf("got %q", others)
	}
}

func TestBesideNamesWhatIsMissingOfTheOthers(t *testing.T) {
	files := layout{"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": web, "prod/kustomization.yaml": "resources: [../base]\n",
		"dev/kustomization.yaml": "resources: [../base, gone.yaml]\n", "apart/kustomization.yaml": "resources: [nothing.yaml]\n"}.files()
	if got := Beside(files, "prod"); !slices.Contains(got, "dev/gone.yaml") || slices.Contains(got, "apart/nothing.yaml") {
		t.Errorf("got %v", got)
	}
}

func FuzzAround(f *testing.F) {
	for _, text := range []string{"resources: [../base]\n", "kind: Component\n", "resources: &a [*a]\n", "a: &a {b: *a}\nresources: [*a]\n", "{{", "\x00", "configMapGenerator:\n- files: [=, a=, ../base/web.yaml=]\n", "- ../base\n", "..: ../..\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		files := layout{"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": "a: 1\n", "prod/kustomization.yaml": "resources: [../base]\n", "dev/kustomization.yaml": text}.files()
		reads, others := Around(files, Own("prod"))
		if len(reads) < 3 || len(others) > 1 {
			t.Errorf("reads %v, others %v", reads, others)
		}
		Beside(files, "prod")
	})
}
