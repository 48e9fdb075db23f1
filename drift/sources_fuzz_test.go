package drift

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"moorgate.dev/internal/source/render"
)

func TestCommitOf(t *testing.T) {
	commit := strings.Repeat("0a", 20)
	for revision, want := range map[string]string{
		"main@sha1:" + commit: commit, "sha1:" + commit: commit, "release/1.2@sha1:" + commit: commit, "v1.0.0@sha1:" + commit: commit,
		"main/" + commit: commit, "feature/x/" + commit: commit, commit: commit,
		"main@sha256:" + strings.Repeat("0a", 32): "", "main@sha1:" + commit[1:]: "", "main@sha1:" + strings.ToUpper(commit): "", "": "", "main": "",
		"latest@sha256:" + commit: "", "main@sha1:" + commit + "\n": "", "a@b@sha1:" + commit: "",
	} {
		if got, err := commitOf(revision); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", revision, got, err, want)
		}
	}
}

func TestReachOf(t *testing.T) {
	for _, test := range []struct {
		path       string
		components []string
		want       string
	}{
		{"apps/shop", nil, "apps/shop"}, {"apps/shop", []string{"x"}, "apps/shop"}, {"apps/shop", []string{"../x"}, "apps"}, {"apps/shop", []string{"../shop-x"}, "apps"},
		{"apps/shop", []string{"../../components/x"}, ""}, {"apps/shop", []string{"../../../x"}, "apps/shop"}, {"", []string{"x"}, ""}, {"..", nil, ".."},
	} {
		if got := reachOf(render.Spec{Path: test.path, Components: test.components}); got != test.want {
			t.Errorf("%q with %q: got %q, want %q", test.path, test.components, got, test.want)
		}
	}
}

func TestImageOf(t *testing.T) {
	for text, want := range map[string][4]string{
		"web=mirror.example:5000/web:1.6":      {"web", "mirror.example:5000/web", "1.6", ""},
		"mirror.example:5000/web":              {"mirror.example:5000/web", "", "", ""},
		"mirror.example:5000/web:1.6":          {"mirror.example:5000/web", "", "1.6", ""},
		"web=web@sha256:abc":                   {"web", "web", "", "sha256:abc"},
		"web:1.6@sha256:abc":                   {"web", "", "1.6", "sha256:abc"},
		"registry.example/a/web=other/web:1.6": {"registry.example/a/web", "other/web", "1.6", ""},
	} {
		if i := imageOf(text); [4]string{i.Name, i.NewName, i.NewTag, i.Digest} != want {
			t.Errorf("%q: got %+v, want %q", text, i, want)
		}
	}
}

// FuzzApplication shows that whatever an Application says, each of what it delivers is either compared at a full commit or has a reason
// why not.
func FuzzApplication(f *testing.F) {
	commit := strings.Repeat("0a", 20)
	f.Add([]byte(`{"spec":{"source":{"repoURL":"https://git.example/x","path":"apps"},"destination":{"namespace":"shop"}},"status":{"sync":{"status":"Synced","revision":"` +
		commit + `"},"resources":[{"group":"apps","kind":"Deployment","namespace":"shop","name":"web"}]}}`))
	f.Add([]byte(`{"spec":{"sources":[{"repoURL":"https://git.example/x","kustomize":{"images":["=@:"]}}]},"status":{"history":[{"id":1,"revisions":["` +
		commit + `"]}],"resources":[{"namespace":"shop"},null,{"name":1}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		u, ok := object(b)
		if !ok {
			return
		}
		for _, y := range application(u) {
			sound(t, y)
		}
	})
}

// FuzzKustomization shows the same of what a Kustomization says of itself, and of a GitRepository.
func FuzzKustomization(f *testing.F) {
	f.Add([]byte(`{"metadata":{"name":"a"},"spec":{"path":"./apps","sourceRef":{"kind":"GitRepository"},"patches":[{"patch":"x","target":{"kind":"Deployment"}}]},
		"status":{"inventory":{"entries":[{"id":"shop_web_apps_Deployment"},{"id":"_"},{"id":7},null]}}}`))
	f.Add([]byte(`{"spec":{"url":"https://git.example","ref":{"branch":"main"},"secretRef":{"name":"x"}},"status":{"artifact":{"revision":"main@sha1:` + strings.Repeat("0a", 20) + `"}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		u, ok := object(b)
		if !ok {
			return
		}
		for n := range inventory(u) {
			if strings.Contains(n.Namespace+n.Name+n.Group+n.Kind, "_") {
				t.Errorf("read %+v", n)
			}
		}
		var s fluxSpec
		if err := strictly(u, fluxTiming, &s); err != nil && err.Error() == "" {
			t.Error("an error without a reason")
		}
		var at fluxSource
		if err := at.read(u); err == nil && !strings.HasPrefix(at.URL, "http") {
			t.Errorf("%q is read", at.URL)
		}
	})
}

func object(b []byte) (*unstructured.Unstructured, bool) {
	u := &unstructured.Unstructured{}
	return u, json.Unmarshal(b, &u.Object) == nil && u.Object != nil
}

func sound(t *testing.T, y Delivered) {
	t.Helper()
	if (y.Problem == "") != (y.Class == DeliveryCompared) {
		t.Errorf("class %q, problem %q", y.Class, y.Problem)
	}
	if y.Problem == "" && (!fullCommit.MatchString(y.From.Commit) || !strings.HasPrefix(y.From.URL, "http")) {
		t.Errorf("compared with %+v", y.From)
	}
	for n := range y.applied {
		if n.Namespace != y.Namespace {
			t.Errorf("%+v is not of namespace %s", n, y.Namespace)
		}
	}
}
