package forge

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"moorgate.dev/test/github"
)

// TestARepositoryIsReadAsAGitHubApp reads for more than two hours what only an App may read, and never with a token that has run out.
func TestARepositoryIsReadAsAGitHubApp(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	clock := func() time.Time { return now }
	server := github.Start(t.TempDir(), github.Options{App: &github.App{ID: 7, Installation: 8, Key: &key.PublicKey}, Now: clock})
	t.Cleanup(server.Close)
	shop, err := server.Add("acme", "shop")
	if err != nil {
		t.Fatal(err)
	}
	shop.Push("main", map[string]string{"deploy/web.yaml": "a: 1\n"})
	head := shop.Head("main")
	secret := map[string]string{"githubAppID": "7", "githubAppInstallationID": "8", "githubAppBaseURL": server.URL,
		"githubAppPrivateKey": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))}
	login, err := loginOf(t, secret)
	if err != nil {
		t.Fatal(err)
	}
	r := Reader{Local: true, Apps: &Apps{Now: clock}}
	repo := Repository{URL: shop.Clone(), Branch: "main", Path: "deploy", Login: login}
	for range 20 {
		now = now.Add(7 * time.Minute)
		if tree, err := r.Read(t.Context(), repo, ""); err != nil || len(tree.Files) != 1 {
			t.Fatalf("read %v, %v", tree.Files, err)
		}
	}
	if _, err := r.Past(t.Context(), repo, head, []string{"deploy/web.yaml"}); err != nil {
		t.Error(err)
	}
	issued := 0
	for _, asked := range server.Requests() {
		if asked.Operation == github.Operations[0] {
			issued++
			if asked.Body != `{"permissions":{"contents":"read"}}`+"\n" {
				t.Errorf("it asks for %s", asked.Body)
			}
		}
	}
	if issued != 3 {
		t.Errorf("%d tokens for 140 minutes", issued)
	}

	stolen := 0
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen++ }))
	t.Cleanup(thief.Close)
	repo.URL = thief.URL + "/acme/shop"
	if _, err := r.Read(t.Context(), repo, ""); err == nil || !strings.Contains(err.Error(), "for another host") || stolen != 0 {
		t.Errorf("another host was asked %d times, %v", stolen, err)
	}
	repo.URL = shop.Clone()
	if _, err := (Reader{Local: true}).Read(t.Context(), repo, ""); err == nil || !strings.Contains(err.Error(), "token of a GitHub App") {
		t.Errorf("got %v", err)
	}
	secret["githubAppID"] = "9"
	if repo.Login, err = loginOf(t, secret); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(t.Context(), repo, ""); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("another App: %v", err)
	}
}
