package drift_test

import (
	"encoding/pem"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// TestARepositoryIsReadWithTheCertificatesThatItsGitRepositoryNames has a server whose certificate only who has its authority can trust,
// and a GitRepository that names a Secret for it, beside or without one for the password.
func TestARepositoryIsReadWithTheCertificatesThatItsGitRepositoryNames(t *testing.T) {
	s := newDelivery(t)
	to, err := url.Parse(s.url)
	s.ok(err)
	server := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(to))
	t.Cleanup(server.Close)
	s.url = server.URL
	trusted := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	s.kubectl("", "create", "secret", "generic", "certificates", "--from-literal=ca.crt="+trusted, "--from-literal=username=planted-aside")
	s.kubectl("", "create", "secret", "generic", "others", "--from-literal=username=ana", "--from-literal=password=planted")
	s.kubectl("", "create", "secret", "generic", "login", "--from-literal=username=ana", "--from-literal=password=pass", "--from-literal=ca.crt=planted")
	s.kubectl("", "create", "secret", "generic", "closed", "--from-literal=ca.crt="+trusted)
	s.kubectl("", "create", "role", "git", "--verb=get", "--resource=secrets", "--resource-name=certificates", "--resource-name=others", "--resource-name=login")
	s.kubectl("", "create", "rolebinding", "git", "--role=git", "--serviceaccount=moorgate-system:moorgate-judge")
	commit := s.commit(map[string]string{"apps/web.yaml": web})
	s.applied(web)
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	named := func(secret string) map[string]any { return map[string]any{"name": secret} }
	for _, test := range []struct {
		name, authorization string
		spec                map[string]any
		want                string // that is told; empty: it is compared
	}{
		{"no certificates", "", map[string]any{}, "its certificate is not one to trust"},
		{"those of a Secret that may not be read", "", map[string]any{"certSecretRef": named("closed")}, "/closed, which may not be read here"},
		{"those of a Secret that has none", "", map[string]any{"certSecretRef": named("others")}, "/others, which holds neither ca.crt nor tls.crt"},
		{"those of a Secret", "", map[string]any{"certSecretRef": named("certificates")}, ""},
		{"those of a Secret, in place of those beside the password", "Basic YW5hOnBhc3M=", map[string]any{"certSecretRef": named("certificates"), "secretRef": named("login")}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.in(t)
			s.rounds() // what was there before is not there any more
			s.told()
			s.authorization.Store(test.authorization)
			s.gitRepository(test.spec, commit)
			s.kustomization("apps", map[string]any{"path": "apps"}, commit, "web")
			s.detector.Git = s.detectorAs(s.judge).Git // whose Shelf holds nothing
			s.rounds()
			told := s.told()
			if open := s.open(); (len(open) == 1) != (test.want == "") || !strings.Contains(told, test.want) || strings.Contains(told, "planted") {
				t.Errorf("Cases %s; told %q, want %q", asJSON(open), told, test.want)
			}
		})
	}
}
