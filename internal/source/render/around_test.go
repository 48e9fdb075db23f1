package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
	reads, others, err := Around(files, Own("prod"))
	if err != nil {
		t.Fatal(err)
	}
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
	if _, others, err := Around(files, Own("apart")); err != nil || len(others) > 0 {
		t.Errorf("nobody else reads it: %v", others)
	}
	if reads, others, err := Around(files, Own("../x")); err == nil || len(reads)+len(others) > 0 {
		t.Errorf("what leads out of the repository: %v, %v", reads, others)
	}
}

func TestAPlainFolderThatAnOverlayReadsHasOthers(t *testing.T) {
	files := layout{"deploy/web.yaml": web, "dev/kustomization.yaml": "resources: [../deploy/web.yaml]\n", "kustomization.yaml": "resources: [dev]\n"}.files()
	if _, others, err := Around(files, Own("deploy")); err != nil || !slices.Equal(slices.Sorted(maps.Keys(others)), []string{"", "dev"}) {
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

func TestTooMuchAroundIsAnError(t *testing.T) {
	base := "resources: [web.yaml]\n"
	for name, l := range map[string]func() layout{
		"too many others": func() layout {
			l := layout{}
			for i := range maxOthers + 1 {
				l[fmt.Sprintf("dev%d/kustomization.yaml", i)] = "resources: [../base]\n"
			}
			return l
		},
		"too many bytes": func() layout {
			l := layout{"base/large.yaml": strings.Repeat("# x\n", maxAround/40)}
			for i := range 20 {
				l[fmt.Sprintf("dev%d/kustomization.yaml", i)] = "resources: [../base, ../base/large.yaml]\n"
			}
			return l
		},
		"too many references": func() layout {
			l, all := layout{}, []string{}
			for i := range 1100 {
				all = append(all, fmt.Sprintf("../dev%d", i))
			}
			for i := range 1100 {
				l[fmt.Sprintf("dev%d/kustomization.yaml", i)] = "resources: [" + strings.Join(all, ", ") + "]\n"
			}
			return l
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := with(layout{"base/kustomization.yaml": base, "base/web.yaml": web, "prod/kustomization.yaml": "resources: [../base]\n"}, l()).files()
			reads, others, err := Around(files, Own("prod"))
			if err == nil || len(others) > 0 || !slices.Contains(reads, "base/web.yaml") {
				t.Errorf("%d are read, %d others, %v", len(reads), len(others), err)
			}
			if got := Beside(files, "prod"); len(got) > 0 {
				t.Errorf("got %v", got)
			}
		})
	}
}

func FuzzAround(f *testing.F) {
	for _, text := range []string{"resources: [../base]\n", "kind: Component\n", "resources: &a [*a]\n", "a: &a {b: *a}\nresources: [*a]\n", "{{", "\x00", "configMapGenerator:\n- files: [=, a=, ../base/web.yaml=]\n", "- ../base\n", "..: ../..\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		files := layout{"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": "a: 1\n", "prod/kustomization.yaml": "resources: [../base]\n", "dev/kustomization.yaml": text}.files()
		reads, others, err := Around(files, Own("prod"))
		if err != nil || len(reads) < 3 || len(others) > 1 {
			t.Errorf("reads %v, others %v", reads, others)
		}
		Beside(files, "prod")
	})
}
