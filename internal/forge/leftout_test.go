package forge

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// Each story is a commit of which Flux delivers some.
func TestWhatFluxLeavesOutIsNotRead(t *testing.T) {
	for name, test := range map[string]struct {
		files        map[string]string // beside a.yaml, in/b.yaml and .github/ci.yaml
		folder, own  string
		read, partly string
	}{
		"nobody says anything, and Flux leaves some out":             {nil, "", "", "a.yaml in/b.yaml", ""},
		"a file at the root, in place of what Flux leaves out":       {map[string]string{".sourceignore": "# a note\n\nin/\n"}, "", "", ".github/ci.yaml a.yaml", ""},
		"a file in a folder speaks of that folder":                   {map[string]string{"in/.sourceignore": "a.yaml\n/b.yaml\r\n"}, "", "", ".github/ci.yaml a.yaml", ""},
		"a folder's own file has the last word on it":                {map[string]string{".sourceignore": "in/\n", "in/.sourceignore": "!b.yaml"}, "", "", ".github/ci.yaml a.yaml in/b.yaml", ""},
		"whoever delivers has the last word":                         {map[string]string{".sourceignore": "in/\n"}, "", "!in/b.yaml\na.yaml", ".github/ci.yaml in/b.yaml", ""},
		"all but one folder":                                         {nil, "", "/*\n!/in/\n", "in/b.yaml", ""},
		"beyond the folder it does not matter":                       {map[string]string{".sourceignore": "a.yaml\n"}, "in", "", "in/b.yaml", ""},
		"the lines are of the repository, and not of the folder":     {nil, "in", "/b.yaml", "in/b.yaml", ""},
		"a pattern that is none":                                     {nil, "", "[\n", ".github/ci.yaml a.yaml in/b.yaml", ""},
		"a kustomization that is left out may read the same":         {map[string]string{"in/test/kustomization.yaml": "resources: [../b.yaml]"}, "in", "test/", "in/b.yaml", `"in/test/kustomization.yaml" lies in the folder`},
		"a kustomization beyond the folder that is left out":         {map[string]string{"x/kustomization.yaml": "resources: [y.yaml]", "x/y.yaml": "y"}, "in", "/x/", "in/b.yaml x/kustomization.yaml x/y.yaml", ""},
		"what the folder refers to is not there when it is left out": {map[string]string{"in/base": "base/c.yaml", "base/c.yaml": "c"}, "in", "/base/", "in/b.yaml", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepo(t)
			r.commit(map[string]string{"a.yaml": "a", "in/b.yaml": "b", ".github/ci.yaml": "ci"})
			if test.files != nil {
				r.commit(test.files)
			}
			reader := Reader{Local: true, Beyond: func(map[string][]byte, string) []string { return []string{"base/c.yaml"} },
				Beside: func(files map[string][]byte, _ string) []string {
					if files["x/kustomization.yaml"] != nil {
						return []string{"x/y.yaml"}
					}
					return nil
				}}
			tree, err := reader.Read(t.Context(), Repository{URL: r.url(), Branch: "main", Path: test.folder, Flux: true, Ignore: test.own}, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(slices.Sorted(maps.Keys(tree.Files)), " "); got != test.read || (tree.Partly == "") != (test.partly == "") || !strings.HasPrefix(tree.Partly, test.partly) {
				t.Errorf("read %q, want %q; partly: %q", got, test.read, tree.Partly)
			}
			all, err := reader.Read(t.Context(), Repository{URL: r.url(), Branch: "main", Path: test.folder, Ignore: test.own}, "")
			if err != nil || len(all.Files) < 3 && test.folder == "" || all.Files["in/b.yaml"] == nil {
				t.Errorf("where Flux delivers nothing all is read: %v, %v", all.Files, err)
			}
		})
	}
}

func TestWhatIsLeftOutHasToBeKnown(t *testing.T) {
	for name, test := range map[string]struct{ file, own, want string }{
		"a link":          {"-> a.yaml", "", "is a link"},
		"too many lines":  {strings.Repeat("x\n", mostPatterns), "y", "more than 1000 lines"},
		"far too many":    {strings.Repeat("x\n", 5*mostPatterns), "", "more than 1000 lines"},
		"a file too long": {"planted" + strings.Repeat("x", 1<<20), "", "longer than"},
	} {
		r := newRepo(t)
		r.commit(map[string]string{"a.yaml": "a", ".sourceignore": test.file})
		_, err := Reader{Local: true}.Read(t.Context(), Repository{URL: r.url(), Branch: "main", Flux: true, Ignore: test.own}, "")
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
