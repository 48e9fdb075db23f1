package github

import (
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func server(t *testing.T) (*Server, *Repo) {
	t.Helper()
	s := Start(t.TempDir(), Options{Token: "token"})
	t.Cleanup(s.Close)
	r, err := s.Add("acme", "shop")
	if err != nil {
		t.Fatal(err)
	}
	r.Push("main", map[string]string{"deploy/web.yaml": "a: 1\n", "link": "-> deploy"})
	return s, r
}

func send(t *testing.T, s *Server, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/api/v3"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp.StatusCode, err.Error()
	}
	return resp.StatusCode, string(b)
}

// Every answer is held against GitHub's description as it is given: the server panics where one does not fit, and the connection ends.
func TestWhatIsWrittenIsARealRepository(t *testing.T) {
	s, r := server(t)
	head := r.Head("main")
	steps := []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/repos/acme/shop/git/ref/heads/main", "", 200, head},
		{"GET", "/repos/acme/shop/git/ref/heads/gone", "", 404, "Not Found"},
		{"GET", "/repos/acme/other/git/ref/heads/main", "", 404, "Not Found"},
		{"POST", "/repos/acme/shop/git/refs", `{"ref":"refs/heads/x","sha":"` + head + `"}`, 201, head},
		{"POST", "/repos/acme/shop/git/refs", `{"ref":"refs/heads/x","sha":"` + head + `"}`, 422, "Reference already exists"},
		{"POST", "/repos/acme/shop/pulls", `{"title":"t","head":"x","base":"main"}`, 422, "No commits between"},
		{"POST", "/repos/acme/shop/git/blobs", `{"content":"YTogMgo=","encoding":"base64"}`, 201, "sha"},
		{"POST", "/repos/acme/shop/git/commits", `{"message":"m","tree":"` + head + `"}`, 422, "Tree SHA"},
		{"GET", "/repos/acme/shop/compare/main...x", "", 200, `"identical"`},
		{"PATCH", "/repos/acme/shop/git/refs/heads/y", `{"sha":"` + head + `"}`, 422, "does not exist"},
		{"DELETE", "/repos/acme/shop/git/refs/heads/x", "", 204, ""},
		{"DELETE", "/repos/acme/shop/git/refs/heads/x", "", 422, ""},
		{"POST", "/repos/acme/shop/issues", `{"title":"t","labels":["l"]}`, 201, `"number":1`},
		{"POST", "/repos/acme/shop/issues/1/comments", `{"body":"b"}`, 201, `"body":"b"`},
		{"POST", "/repos/acme/shop/issues/1/labels", `{"labels":["m"]}`, 200, `"name":"m"`},
		{"PATCH", "/repos/acme/shop/issues/1", `{"state":"closed"}`, 200, `"closed"`},
		{"GET", "/repos/acme/shop/issues?state=all&labels=m", "", 200, `"number":1`},
	}
	for _, step := range steps {
		status, body := send(t, s, step.method, step.path, step.body)
		if status != step.status || !strings.Contains(body, step.want) {
			t.Errorf("%s %s: %d %s, want %d and %q", step.method, step.path, status, body, step.status, step.want)
		}
	}
	if wrong := s.Wrong(); len(wrong) > 0 {
		t.Error(wrong)
	}
	into := filepath.Join(t.TempDir(), "clone")
	if out, err := exec.CommandContext(t.Context(), "git", "clone", "-q", r.Clone(), into).CombinedOutput(); err != nil {
		t.Errorf("clone: %v\n%s", err, out)
	}
}

func TestWhatGitHubDoesNotKnowIsSaid(t *testing.T) {
	for _, ask := range []struct{ method, path, body, want string }{
		{"PUT", "/repos/acme/shop/pulls/1/merge", `{}`, "there is no PUT"},
		{"POST", "/graphql", `{}`, "there is no POST"},
		{"GET", "/repos/acme/shop/pulls?stat=all", "", "there is no parameter stat"},
		{"POST", "/repos/acme/shop/git/refs", `{"ref":"refs/heads/x"}`, "sha"},
		{"POST", "/repos/acme/shop/git/refs", `{"ref":"refs/heads/x","sha":"x","forced":true}`, "there is no field forced"},
		{"POST", "/repos/acme/shop/git/commits", `{"message":1,"tree":"x"}`, "message"},
	} {
		s, _ := server(t)
		status, body := send(t, s, ask.method, ask.path, ask.body)
		if wrong := strings.Join(s.Wrong(), "\n"); status < 400 || !strings.Contains(wrong, ask.want) {
			t.Errorf("%s %s: %d %s, and it says %q", ask.method, ask.path, status, body, wrong)
		}
	}
}

func TestFaultsHappen(t *testing.T) {
	s, r := server(t)
	next := Fault{}
	s.Script(func(Request) Fault { return next })
	const path, body = "/repos/acme/shop/issues", `{"title":"t"}`
	for name, f := range map[string]Fault{"abuse": Abuse, "too many": TooMany, "broken": Broken} {
		next = f
		if status, _ := send(t, s, "POST", path, body); status != f.Status || len(r.Issues()) != 0 {
			t.Errorf("%s: %d, and %d issues", name, status, len(r.Issues()))
		}
	}
	next = Fault{Lost: true}
	if status, _ := send(t, s, "POST", path, body); status != 0 || len(r.Issues()) != 1 {
		t.Errorf("a lost answer: %d, and %d issues", status, len(r.Issues()))
	}
	next = Fault{Cut: true}
	if status, text := send(t, s, "POST", path, body); status != 201 || !strings.Contains(text, "EOF") || len(r.Issues()) != 2 {
		t.Errorf("a cut answer: %d %s, and %d issues", status, text, len(r.Issues()))
	}
}
