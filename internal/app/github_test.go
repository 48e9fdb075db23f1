package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"moorgate.dev/internal/redact"
)

func TestWhereAndAsWhomPullRequestsAreOpened(t *testing.T) {
	write := func(name, content string) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	door, err := redact.New(redact.Options{Key: []byte(strings.Repeat("k", redact.KeyBytes))})
	if err != nil {
		t.Fatal(err)
	}
	token := write("token", "s3cret\n")
	for name, c := range map[string]struct {
		change func(*githubOptions)
		want   string // of the error; empty: there is none
		none   bool   // no pull requests are opened
	}{
		"nobody":                              {func(*githubOptions) {}, "", true},
		"with a token":                        {func(o *githubOptions) { o.token = token }, "", false},
		"of a server of its own":              {func(o *githubOptions) { o.token, o.url = token, "https://git.example.com" }, "", false},
		"with a token and an App":             {func(o *githubOptions) { o.token, o.app = token, 7 }, "one of them", false},
		"with half an App":                    {func(o *githubOptions) { o.app, o.installation = 7, 8 }, "--github-app-key-file", false},
		"with a key that is none":             {func(o *githubOptions) { o.app, o.installation, o.appKey = 7, 8, token }, "PEM", false},
		"with a key that is not there":        {func(o *githubOptions) { o.app, o.installation, o.appKey = 7, 8, token+".gone" }, "--github-app-key-file", false},
		"with an empty token":                 {func(o *githubOptions) { o.token = write("empty", " \n") }, "is empty", false},
		"with a token that is not there":      {func(o *githubOptions) { o.token = token + ".gone" }, "--github-token-file", false},
		"somewhere, as nobody":                {func(o *githubOptions) { o.url = "https://git.example.com" }, "nobody to go there as", false},
		"over http":                           {func(o *githubOptions) { o.token, o.url = token, "http://git.example.com" }, "https only", false},
		"none at all":                         {func(o *githubOptions) { o.token, o.open = token, 0 }, "at least 1", false},
		"followed all the time":               {func(o *githubOptions) { o.token, o.follow = token, time.Millisecond }, "under a second", false},
		"for repositories that make no sense": {func(o *githubOptions) { o.token, o.only = token, []string{"acme"} }, "owner/name", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := &process{passage: door}
			p.github = githubOptions{open: 5, hourly: 10, follow: time.Minute}
			c.change(&p.github)
			err := p.github.check()
			opened := false
			if err == nil {
				hub, hubErr := p.hub()
				err, opened = hubErr, hub != nil
			}
			switch {
			case c.want == "" && (err != nil || opened == c.none):
				t.Errorf("opened %t, %v", opened, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			case err != nil && strings.Contains(err.Error(), "s3cret"):
				t.Errorf("it shows the token: %v", err)
			}
		})
	}
}
