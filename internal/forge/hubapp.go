package forge

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"
)

// App is a GitHub App, as which pull requests are opened, or repositories read, by one installation.
type App struct {
	ID, Installation int64
	Key              *rsa.PrivateKey
}

// ParseKey reads the private key of an App, as GitHub gives it out: PEM, in either of its two forms.
func ParseKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("read the key of a GitHub App: it is not PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if any, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if key, ok := any.(*rsa.PrivateKey); ok {
			return key, nil
		}
	}
	return nil, errors.New("read the key of a GitHub App: it is no RSA private key")
}

// jwt says who the App is, for nine minutes; GitHub allows ten. It begins a minute ago, because clocks differ.
func (a App) jwt(now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{"iat": now.Add(-time.Minute).Unix(), "exp": now.Add(9 * time.Minute).Unix(), "iss": strconv.FormatInt(a.ID, 10)})
	if err != nil {
		return "", fmt.Errorf("say who the App is: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.Key, crypto.SHA256, sum[:])
	if err != nil {
		return "", errors.New("sign as a GitHub App: its key does not sign")
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// installation holds the token of an installation, which runs out after an hour.
type installation struct {
	app    App
	api    *github.Client
	now    func() time.Time
	rights github.InstallationPermissions

	lock  sync.Mutex
	held  string
	until time.Time
}

// early is how long before it runs out a token is renewed.
const early = 10 * time.Minute

// token asks for no more rights than are needed, whatever the App has: among them is none to workflows.
func (i *installation) token(ctx context.Context) (string, error) {
	i.lock.Lock()
	defer i.lock.Unlock()
	if i.held != "" && i.now().Add(early).Before(i.until) {
		return i.held, nil
	}
	t, _, err := i.api.Apps.CreateInstallationToken(ctx, i.app.Installation, &github.InstallationTokenOptions{Permissions: &i.rights})
	if err != nil {
		return "", refuse("ask for a token as a GitHub App: %v", plain(err, noHub))
	}
	i.held, i.until = t.GetToken(), t.GetExpiresAt().Time
	return i.held, nil
}
