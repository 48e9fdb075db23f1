package forge

import (
	"context"
	"testing"
)

func TestARepositoryIsOneOfTheHostAndMeant(t *testing.T) {
	hub := func(base string, only ...string) *Hub {
		t.Helper()
		h, err := NewHub(HubOptions{Base: base, Only: only, Token: tokenOf, Door: hubDoor(t), Now: (&hubStage{}).now})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	for name, c := range map[string]struct {
		hub   *Hub
		clone string
		want  string
	}{
		"by https":                    {hub(""), "https://github.com/acme/shop", "acme/shop"},
		"with the ending of Git":      {hub(""), "https://GitHub.com/acme/shop.git", "acme/shop"},
		"by ssh":                      {hub(""), "ssh://git@github.com/acme/shop.git", "acme/shop"},
		"of a server of its own":      {hub("https://git.example.com"), "https://git.example.com/acme/shop", "acme/shop"},
		"of another host":             {hub(""), "https://example.com/acme/shop", ""},
		"of a host that begins alike": {hub(""), "https://github.com.example.com/acme/shop", ""},
		"of another port":             {hub("https://git.example.com"), "https://git.example.com:8443/acme/shop", ""},
		"with a user in front":        {hub(""), "https://github.com@example.com/acme/shop", ""},
		"below a group":               {hub(""), "https://github.com/acme/team/shop", ""},
		"on disk":                     {hub(""), "file:///github.com/acme/shop", ""},
		"one of those that are meant": {hub("", "other/x", "Acme/Shop"), "https://github.com/acme/shop", "acme/shop"},
		"of an owner who is meant":    {hub("", "acme/*"), "https://github.com/acme/shop", "acme/shop"},
		"of one who is called alike":  {hub("", "acme/*"), "https://github.com/acme-evil/shop", ""},
		"none of those":               {hub("", "acme/other"), "https://github.com/acme/shop", ""},
	} {
		got, is := c.hub.RepositoryAt(c.clone)
		if is != (c.want != "") || is && got != c.want {
			t.Errorf("%s: %q, %t", name, got, is)
		}
		l, err := c.hub.Login(context.Background(), c.clone)
		if secure := is && c.clone[:6] == "https:"; err != nil || (l == Login{}) == secure {
			t.Errorf("%s: %s, %v", name, l, err)
		}
	}
	if _, err := NewHub(HubOptions{Only: []string{"*/*"}, Token: tokenOf, Door: hubDoor(t), Now: (&hubStage{}).now}); err == nil {
		t.Error("a pattern that means everything is taken")
	}
}
