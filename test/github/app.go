package github

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// issue answers an App that asks for a token: its JSON web token is checked as GitHub checks it.
func (s *Server) issue(r *http.Request, body []byte) (int, any) {
	app := s.options.App
	if app == nil || r.PathValue("installation_id") != strconv.FormatInt(app.Installation, 10) {
		return missing()
	}
	jwt, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if err := app.check(jwt, s.options.Now()); err != nil {
		return http.StatusUnauthorized, Object{"message": err.Error()}
	}
	var asked struct {
		Permissions  map[string]string `json:"permissions"`
		Repositories []string          `json:"repositories"`
	}
	_ = json.Unmarshal(body, &asked) // it fits the description
	secret := make([]byte, 16)
	_, _ = rand.Read(secret)
	token, until := "ghs_"+hex.EncodeToString(secret), s.options.Now().Add(time.Hour)
	s.issued[token] = until
	permissions := Object{}
	for name, level := range asked.Permissions {
		permissions[name] = level
	}
	return http.StatusCreated, Object{"token": token, "expires_at": until.UTC().Format(time.RFC3339), "permissions": permissions}
}

func (a App) check(jwt string, now time.Time) error {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return errors.New("A JSON web token could not be decoded") //nolint:staticcheck // GitHub's words
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(a.Key, crypto.SHA256, sum[:], signature); err != nil {
		return err
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var c struct {
		Issuer  string `json:"iss"`
		Issued  int64  `json:"iat"`
		Expires int64  `json:"exp"`
	}
	if err := json.Unmarshal(claims, &c); err != nil {
		return err
	}
	if c.Issuer != strconv.FormatInt(a.ID, 10) || c.Issued > now.Unix() || c.Expires <= now.Unix() || c.Expires > now.Add(10*time.Minute).Unix() {
		return errors.New("'Expiration time' claim ('exp') is too far in the future, or the token is somebody else's")
	}
	return nil
}
