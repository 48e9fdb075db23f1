package scenarios

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestNoStoryIsAnOrphan needs no cluster: every file is a story of a check, in the right form, and no check goes untold.
func TestNoStoryIsAnOrphan(t *testing.T) {
	all, err := stories(files, storyIDs())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := fs.WalkDir(files, ".", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if n != len(all) {
		t.Errorf("%d files and %d stories", n, len(all))
	}
}

const (
	toldWell = `A story.
-- change.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
-- want.yaml --
answer: Warned
score: 60
findings: {quota: left}
`
	toldBetter = `A story.
-- change.yaml --
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
-- twin.yaml --
spec: {replicas: 9}
-- want.yaml --
answer: Admitted
score: 100
twin: [left]
`
)

// TestWhatIsNoStoryIsRefused shows that discovery refuses what nobody would play, and what would prove nothing.
func TestWhatIsNoStoryIsRefused(t *testing.T) {
	good := map[string]string{"webhook/quota/failure-a.txtar": toldWell, "webhook/quota/success-b.txtar": toldBetter,
		"webhook/frozen/failure-a.txtar": strings.Replace(toldWell, "findings: {quota: left}", "says: [left]", 1), "webhook/frozen/success-b.txtar": toldBetter}
	tests := []struct {
		name string
		add  map[string]string
		says string
	}{
		{"a complete set is taken", nil, ""},
		{"a check without a success story", map[string]string{"webhook/quota/success-b.txtar": ""}, "has no success story"},
		{"a folder that is no check", map[string]string{"webhook/quotas/success-a.txtar": toldBetter}, "nobody plays it"},
		{"a file beside the folders", map[string]string{"webhook/README.md": "x"}, "nobody plays it"},
		{"a file deeper down", map[string]string{"webhook/quota/more/success-a.txtar": toldBetter}, "nobody plays it"},
		{"a name that says neither", map[string]string{"webhook/quota/maybe-a.txtar": toldWell}, "nobody plays it"},
		{"another ending", map[string]string{"webhook/quota/success-a.txt": toldBetter}, "nobody plays it"},
		{"an unknown part", changed(toldWell, "-- change.yaml --", "-- changes.yaml --"), "changes.yaml is there twice or is none"},
		{"an unknown field", changed(toldWell, "score: 60", "score: 60\nscores: 1"), `unknown field "scores"`},
		{"no prose", changed(toldWell, "A story.", ""), "no prose"},
		{"no such answer", changed(toldWell, "Warned", "warned"), `answer "warned"`},
		{"no score", changed(toldWell, "score: 60\n", ""), "no score"},
		{"no such check", changed(toldWell, "quota: left", "quota: left, quotas: left"), "quotas is no check"},
		{"a failure that finds something else", changed(toldWell, "quota: left", "requests: no"), "in a failure story"},
		{"no change", changed(toldWell, "kind: Deployment", "kind: Job"), "not one Deployment"},
		{"a world that nothing shows was seen", changed(strings.Replace(toldWell, "Warned", "Admitted", 1), "-- change", "-- world.yaml --\nx: y\n-- change"),
			"nothing would show"},
		{"a rule that says nothing", map[string]string{"webhook/frozen/failure-a.txtar": toldWell}, "stands in says"},
		{"a success without a twin", map[string]string{"webhook/quota/success-c.txtar": strings.Replace(strings.Replace(toldBetter, "twin: [left]", "", 1),
			"-- twin.yaml --\nspec: {replicas: 9}\n", "", 1)}, "needs a bad twin"},
		{"a condition that waits for nothing", changed(toldWell, "-- want", "-- wait.yaml --\n[{pods: {a: b}}]\n-- want"), "needs pods, are and atLeast"},
		{"a Guardrail with a field that nobody knows", changed(toldWell, "-- want", "-- guardrail.yaml --\nmodes: x\n-- want"), "guardrail.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := maps.Clone(good)
			maps.Copy(all, tt.add)
			from := fstest.MapFS{}
			for name, content := range all {
				if content != "" {
					from[name] = &fstest.MapFile{Data: []byte(content)}
				}
			}
			_, err := stories(from, []string{"quota", aRule})
			if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("error %v, want one that says %q", err, tt.says)
			}
		})
	}
	if slices.Contains(checkIDs(), "quotas") {
		t.Error("quotas is a check by now; choose another name for these tests")
	}
}

func changed(content, from, to string) map[string]string {
	return map[string]string{"webhook/quota/failure-a.txtar": strings.Replace(content, from, to, 1)}
}
