package forge

import (
	"fmt"
	"strings"
	"testing"
)

// told is what versions of a.yaml say.
func told(p Past) string {
	var all []string
	for _, v := range p.Versions {
		all = append(all, string(v["a.yaml"]))
	}
	return strings.Join(all, " ")
}

func TestThePastIsReadOnDiskAndOverHTTP(t *testing.T) {
	r := newRepo(t)
	r.commit(map[string]string{"b.yaml": "b"})
	for _, content := range []string{"1", "2", "1", "3"} {
		r.commit(map[string]string{"a.yaml": content})
		r.commit(map[string]string{"other.yaml": content})
	}
	link := r.commit(map[string]string{"link.yaml": "-> a.yaml"})
	fetches := 0
	for _, url := range []string{r.url(), r.serve(&fetches)} {
		p, err := Reader{Local: true}.Past(t.Context(), Repository{URL: url, Branch: "main"}, link, []string{"a.yaml", "link.yaml", "gone.yaml"})
		if err != nil || told(p) != "1 2 1" || !p.Whole || len(p.Versions[0]) != 1 {
			t.Errorf("%s: got %v, %v", url, p, err)
		}
	}
	if fetches != 1 {
		t.Errorf("%d fetches", fetches)
	}
}

func TestThePastHasBounds(t *testing.T) {
	r := newRepo(t)
	var head string
	for i := range maxBack + 5 {
		head = r.commit(map[string]string{"a.yaml": fmt.Sprint(i)})
	}
	fetches := 0
	for _, url := range []string{r.url(), r.serve(&fetches)} {
		p, err := Reader{Local: true}.Past(t.Context(), Repository{URL: url, Branch: "main"}, head, []string{"a.yaml"})
		if err != nil || len(p.Versions) != maxBack || p.Whole || string(p.Versions[maxBack-1]["a.yaml"]) != "4" {
			t.Errorf("%s: %d versions, whole %t, %v", url, len(p.Versions), p.Whole, err)
		}
	}
	small := Reader{Local: true, Limits: Limits{TotalSize: 10}}
	if _, err := small.Past(t.Context(), Repository{URL: r.url(), Branch: "main"}, head, []string{"a.yaml"}); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("got %v", err)
	}
}

func TestThePastSaysWhatIsWrong(t *testing.T) {
	r := newRepo(t)
	r.commit(map[string]string{"a.yaml": "1"})
	for name, test := range map[string]struct{ url, commit, want string }{
		"a commit that is not there": {r.url(), strings.Repeat("a", 40), "broken"},
		"no commit":                  {r.url(), "x", "broken"},
		"another scheme":             {"ftp://example.com/x", "x", "not supported"},
		"credentials in the URL":     {"https://a:planted@example.com/x", "x", "must not carry"},
	} {
		_, err := Reader{Local: true}.Past(t.Context(), Repository{URL: test.url, Branch: "main"}, test.commit, []string{"a.yaml"})
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestThePastIsReadWithALoginOverHTTPSAlone(t *testing.T) {
	for url, local := range map[string]bool{"http://git.invalid/x": true, "http://127.0.0.1:1/x": false} {
		_, err := Reader{Local: local}.Past(t.Context(), Repository{URL: url, Branch: "main", Login: Login{user: "u", secret: "planted"}}, strings.Repeat("a", 40), []string{"a.yaml"})
		if err == nil || !strings.Contains(err.Error(), "is sent over https alone") || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
