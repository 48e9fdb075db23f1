package forge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// locked serves what the address serves to whoever sends one of the headers.
func locked(t *testing.T, address string, wants ...string) string {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(at)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		for _, want := range wants {
			if req.Header.Get("Authorization") == want {
				proxy.ServeHTTP(w, req)
				return
			}
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func loginOf(t *testing.T, secret map[string]string) (Login, error) {
	t.Helper()
	data := map[string][]byte{}
	for k, v := range secret {
		data[k] = []byte(v)
	}
	return LoginOf(data)
}

func TestReadSendsALogin(t *testing.T) {
	r := newRepo(t)
	commit := r.commit(map[string]string{"web.yaml": "a: 1\n"})
	fetches := 0
	address := locked(t, r.serve(&fetches), "Basic Z2l0OnBsYW50ZWQ=", "Bearer planted")
	reader := Reader{Local: true, Shelf: &Shelf{}}
	for name, secret := range map[string]map[string]string{"a password": {"username": "git", "password": "planted\n"}, "a token": {"bearerToken": "planted"}} {
		login, err := loginOf(t, secret)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := reader.Read(t.Context(), Repository{URL: address, Branch: "main", Commit: commit, Login: login}, "")
		if err != nil || tree.Commit != commit {
			t.Errorf("%s: got %v, %v", name, tree.Commit, err)
		}
	}
	wrong, err := loginOf(t, map[string]string{"bearerToken": "planted-wrong"})
	if err != nil {
		t.Fatal(err)
	}
	for name, login := range map[string]Login{"none": {}, "another": wrong} {
		_, err := reader.Read(t.Context(), Repository{URL: address, Branch: "main", Commit: commit, Login: login}, "")
		if err == nil || !strings.Contains(err.Error(), "it asks for credentials, or for other ones") || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: what others read by their login is on the shelf: %v", name, err)
		}
	}
}

// TestALoginGoesToNobodyElse has a server send Git on to another one.
func TestALoginGoesToNobodyElse(t *testing.T) {
	seen := ""
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { seen += req.Header.Get("Authorization") }))
	t.Cleanup(other.Close)
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, strings.Replace(other.URL, "127.0.0.1", "localhost", 1)+req.URL.String(), http.StatusFound)
	}))
	t.Cleanup(first.Close)
	login, err := loginOf(t, map[string]string{"bearerToken": "planted"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Reader{Local: true}).Read(t.Context(), Repository{URL: first.URL, Branch: "main", Login: login}, ""); err == nil || seen != "" {
		t.Errorf("the other server saw %q, and the error is %v", seen, err)
	}
	_, err = Reader{}.Read(t.Context(), Repository{URL: "http://git.example/x", Branch: "main", Login: login}, "")
	if err == nil || !strings.Contains(err.Error(), "is sent over https alone") {
		t.Errorf("got %v", err)
	}
}

func TestALoginIsNeverShown(t *testing.T) {
	login, err := loginOf(t, map[string]string{"username": "planted-user", "password": "planted"})
	if err != nil {
		t.Fatal(err)
	}
	repo := Repository{URL: "https://git.example", Login: login}
	b, err := json.Marshal(repo)
	if text := fmt.Sprintf("%v %+v %#v %s %q %s", repo, repo, repo, login, login, b); err != nil || strings.Contains(text, "planted") {
		t.Errorf("shown: %s, %v", text, err)
	}
}

func TestLoginOfSaysWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct {
		secret map[string]string
		want   string
	}{
		"nothing":       {nil, "neither username and password nor bearerToken"},
		"half":          {map[string]string{"password": "planted"}, "neither username and password nor bearerToken"},
		"no key":        {map[string]string{"identity": "planted", "known_hosts": "git.example " + strangersKey}, "its identity is no key for SSH"},
		"no hosts":      {map[string]string{"identity": "planted"}, "a key for SSH without known_hosts"},
		"bad hosts":     {map[string]string{"identity": "planted", "known_hosts": "planted and planted"}, "its known_hosts cannot be read"},
		"empty hosts":   {map[string]string{"identity": "planted", "known_hosts": "# planted"}, "its known_hosts knows no host"},
		"vouching":      {map[string]string{"identity": "planted", "known_hosts": "@cert-authority * " + strangersKey}, "a line with @"},
		"a long key":    {map[string]string{"identity": strings.Repeat("planted", 99999), "known_hosts": "x"}, "too long"},
		"an App":        {map[string]string{"githubAppID": "1"}, "no githubAppInstallationID"},
		"an App's name": {map[string]string{"githubAppID": "planted"}, "githubAppID is no number"},
		"an App's key":  {map[string]string{"githubAppID": "1", "githubAppInstallationID": "2", "githubAppPrivateKey": "planted"}, "no RSA private key"},
		"a certificate": {map[string]string{"username": "a", "password": "b", "ca.crt": "planted"}, "its ca.crt holds no certificate"},
		"half a pair":   {map[string]string{"tls.crt": "planted"}, "no certificate with its key"},
		"two lines":     {map[string]string{"bearerToken": "planted\r\nX: y"}, "cannot be sent by HTTP"},
		"a flood":       {map[string]string{"bearerToken": strings.Repeat("planted", 9999)}, "cannot be sent by HTTP"},
	} {
		if l, err := loginOf(t, test.secret); err == nil || l != (Login{}) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: got %v, %v, want %q", name, l, err, test.want)
		}
	}
}
