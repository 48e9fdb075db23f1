package cluster

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
)

func TestBookkeepingPassesAndNothingElse(t *testing.T) {
	const (
		cases  = "/apis/moorgate.dev/v1alpha1/namespaces/shop/cases"
		maps   = "/api/v1/namespaces/moorgate-system/configmaps/"
		leases = "/apis/coordination.k8s.io/v1/namespaces/moorgate-system/leases"
	)
	owns := map[string]Own{"webhook": OwnOfWebhook(), "judge": OwnOfJudge(), "act": OwnOfAct(), "review": OwnOfReview(), "diff": OwnOfDiff(), "nobody": nil}
	lease := func(name string) string {
		return `{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"` + name + `","namespace":"moorgate-system"}}`
	}
	for _, tt := range []struct {
		name               string
		method, path, body string
		who                string // for whom it passes
	}{
		{"read", "GET", "/api/v1/namespaces/shop/pods?watch=true", "", "webhook judge act review diff nobody"},
		{"read what no resource is", "GET", "/version", "", "webhook judge act review diff nobody"},
		{"open a case", "POST", cases, "{}", "webhook judge"},
		{"write a case's status", "PATCH", cases + "/x/status", "{}", "webhook judge act"},
		{"write a case", "PATCH", cases + "/x", "{}", ""},
		{"write the status of all cases", "PATCH", cases, "{}", ""},
		{"delete a case", "DELETE", cases + "/x", "{}", "judge"},
		{"delete all cases", "DELETE", cases, "", ""},
		{"write an approval's status", "PUT", "/apis/moorgate.dev/v1alpha1/namespaces/shop/approvals/x/status", "{}", "act"},
		{"approve", "POST", "/apis/moorgate.dev/v1alpha1/namespaces/shop/approvals", "{}", ""},
		{"write a guardrail's status", "PATCH", "/apis/moorgate.dev/v1alpha1/guardrails/x/status", "{}", "judge"},
		{"write a guardrail", "PATCH", "/apis/moorgate.dev/v1alpha1/guardrails/x", "{}", ""},
		{"write a gitsource's status", "PATCH", "/apis/moorgate.dev/v1alpha1/namespaces/shop/gitsources/x/status", "{}", "judge"},
		{"record an event", "POST", "/apis/events.k8s.io/v1/namespaces/shop/events", "{}", "judge act"},
		{"spend from the ledger", "PUT", maps + "moorgate-ledger", "{}", "act"},
		{"make a ledger", "POST", strings.TrimSuffix(maps, "/"), `{"metadata":{"name":"moorgate-ledger"}}`, ""},
		{"remember an anchor", "PUT", maps + "moorgate-audit-anchors", "{}", "judge act"},
		{"write a look-alike of the ledger", "PUT", "/api/v1/namespaces/shop/configmaps/moorgate-ledger", "{}", ""},
		{"write another configmap", "PUT", maps + "other", "{}", ""},
		{"take the lease of act", "POST", leases, lease("moorgate-act"), "act"},
		{"take the lease of judge", "POST", leases, lease("moorgate-judge"), "judge"},
		{"say that a model can be asked: the second name on the list", "POST", leases, lease("moorgate-advice"), "judge"},
		{"take a lease that cannot be read", "POST", leases, "lease", ""},
		{"renew the lease of act", "PUT", leases + "/moorgate-act", "{}", "act"},
		{"renew the lease of act under another path", "PUT", leases + "/x%2F..%2Fmoorgate-act", "{}", ""},
		{"keep the certificate", "PATCH", "/api/v1/namespaces/moorgate-system/secrets/moorgate-webhook-certificate", "{}", "webhook"},
		{"keep another secret", "PATCH", "/api/v1/namespaces/moorgate-system/secrets/other", "{}", ""},
		{"create a secret", "POST", "/api/v1/namespaces/shop/secrets", "{}", ""},
		{"try to create a secret", "POST", "/api/v1/namespaces/shop/secrets?dryRun=All", "{}", "webhook judge"},
		{"try to create a secret, or not", "POST", "/api/v1/namespaces/shop/secrets?dryRun=All&dryRun=", "{}", ""},
		{"try to create a secret, oddly", "POST", "/api/v1/namespaces/shop/secrets?dryRun=All;x=y", "{}", ""},
		{"try to delete a secret", "DELETE", "/api/v1/namespaces/shop/secrets/x?dryRun=All", "{}", ""},
		{"register the webhook", "PATCH", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/moorgate", "{}", "webhook"},
		{"register another", "PATCH", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/other", "{}", ""},
		{"change a deployment", "PATCH", "/apis/apps/v1/namespaces/shop/deployments/web", "{}", ""},
		{"try to change a deployment", "PATCH", "/apis/apps/v1/namespaces/shop/deployments/web?dryRun=All&force=true", "{}", "judge review diff"},
		{"change a service", "PATCH", "/api/v1/namespaces/shop/services/web?force=true", "{}", ""},
		{"try to change a service", "PATCH", "/api/v1/namespaces/shop/services/web?dryRun=All&force=true", "{}", "judge diff"},
		{"change the settings", "PATCH", "/api/v1/namespaces/shop/configmaps/web", "{}", ""},
		{"try to change the settings", "PATCH", "/api/v1/namespaces/shop/configmaps/web?dryRun=All&force=true", "{}", "judge diff"},
		{"try to change the settings, or not", "PATCH", "/api/v1/namespaces/shop/configmaps/web?dryRun=All&dryRun=", "{}", ""},
		{"try to change a network policy", "PATCH", "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/web?dryRun=All", "{}", "judge diff"},
		{"change a network policy", "PATCH", "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/web", "{}", ""},
		{"try to change a role", "PATCH", "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/web?dryRun=All", "{}", ""},
		{"try to change a secret", "PATCH", "/api/v1/namespaces/shop/secrets/web?dryRun=All", "{}", ""},
		{"try to scale a deployment", "PATCH", "/apis/apps/v1/namespaces/shop/deployments/web/scale?dryRun=All", "{}", ""},
		{"try to evict a pod", "POST", "/api/v1/namespaces/shop/pods/web-1/eviction?dryRun=All", "{}", ""},
		{"evict a pod", "POST", "/api/v1/namespaces/shop/pods/web-1/eviction", "{}", ""},
		{"delete a pod", "DELETE", "/api/v1/namespaces/shop/pods/web-1", "", ""},
		{"ask what it may do", "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "{}", "webhook judge act"},
		{"ask who calls", "POST", "/apis/authentication.k8s.io/v1/tokenreviews", "{}", "judge act"},
		{"ask what a caller may do", "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", "{}", "judge act"},
		{"take a token", "POST", "/api/v1/namespaces/moorgate-system/serviceaccounts/moorgate-act/token", "{}", ""},
		{"finalize a namespace", "PUT", "/api/v1/namespaces/shop/finalize", "{}", ""},
		{"write to what no resource is", "POST", "/metrics", "{}", ""},
		{"run a command", "POST", "/api/v1/namespaces/shop/pods/web-1/exec?command=id", "", ""},
		{"run a command by GET", "GET", "/api/v1/namespaces/shop/pods/web-1/exec?command=id", "", ""},
		{"run a command by GET, spelled oddly", "GET", "/api/v1/namespaces/shop/pods/web-1/%65xec", "", ""},
		{"run a command by GET, with two slashes", "GET", "/api/v1/namespaces/shop/pods/web-1//exec", "", ""},
		{"attach", "GET", "/api/v1/namespaces/shop/pods/web-1/attach", "", ""},
		{"forward a port", "GET", "/api/v1/namespaces/shop/pods/web-1/portforward", "", ""},
		{"reach through to a pod", "GET", "/api/v1/namespaces/shop/pods/web-1/proxy/admin", "", ""},
		{"reach through to a node", "GET", "/api/v1/nodes/node-1/proxy/run", "", ""},
		{"reach through in the old way", "GET", "/api/v1/proxy/namespaces/shop/pods/web-1", "", ""},
		{"read a service whose name is proxy", "GET", "/api/v1/namespaces/shop/services/proxy", "", "webhook judge act review diff nobody"},
	} {
		for who, own := range owns {
			t.Run(tt.name+" as "+who, func(t *testing.T) {
				r := newReceiver(t)
				_, c := r.guarded(t, own)
				req, err := http.NewRequestWithContext(t.Context(), tt.method, r.URL+tt.path, strings.NewReader(tt.body))
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(" "+tt.who+" ", " "+who+" ") {
					r.refuses(t, c, req)
					return
				}
				r.answer = func(_ http.ResponseWriter, got *http.Request) {
					if b, err := io.ReadAll(got.Body); err != nil || string(b) != tt.body {
						t.Errorf("the body arrived as %q, %v", b, err)
					}
				}
				resp, err := c.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
			})
		}
	}
}

func TestRedirectsSmuggleNothing(t *testing.T) {
	elsewhere := newReceiver(t)
	for name, to := range map[string]func(*receiver) string{
		"to another object": func(r *receiver) string { return r.URL + "/api/v1/namespaces/shop/pods/web-2/eviction" },
		"to the same place": func(r *receiver) string { return r.URL + "/api/v1/namespaces/shop/pods/web-1/eviction" },
		"to another host":   func(*receiver) string { return elsewhere.URL + "/api/v1/namespaces/shop/pods/web-1/eviction" },
	} {
		for _, code := range []int{http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
			t.Run(name, func(t *testing.T) {
				r := newReceiver(t)
				_, c := r.guarded(t, OwnOfAct())
				r.answer = func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, to(r), code) }
				plan := evicting(t, web1)
				req := attempt(t, r.URL, plan, permit(t, plan))
				resp, err := c.Do(req) // a client that follows: its request can be sent again
				if err == nil {
					_ = resp.Body.Close()
					t.Error("the redirect was followed")
				}
				if got := r.got.Load(); got != 1 || elsewhere.got.Load() != 0 {
					t.Errorf("%d requests arrived, and %d elsewhere", got, elsewhere.got.Load())
				}
			})
		}
	}
	t.Run("a read is led to another host", func(t *testing.T) {
		r := newReceiver(t)
		_, c := r.guarded(t, OwnOfAct())
		r.answer = func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, elsewhere.URL, http.StatusFound) }
		resp, err := c.Get(r.URL + "/api/v1/pods")
		if err == nil {
			_ = resp.Body.Close()
			t.Error("it was followed")
		}
	})
}

func TestBehindAProxyTheGuardKnowsItsPrefix(t *testing.T) {
	r := newReceiver(t)
	config := Guarded(&rest.Config{Host: r.URL + "/k8s/clusters/c-1/"}, OwnOfAct())
	h, err := NewHand(config)
	if err != nil {
		t.Fatal(err)
	}
	plan := evicting(t, web1)
	var at string
	r.answer = func(w http.ResponseWriter, req *http.Request) { at = req.URL.Path; _, _ = io.WriteString(w, success) }
	if outcome, err := h.Act(t.Context(), permit(t, plan), plan); err != nil || at != "/k8s/clusters/c-1"+plan.Request.Path {
		t.Errorf("%s, %v, at %s", outcome, err, at)
	}
	c, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, outside := range []string{"/api/v1/pods", "/k8s/clusters/c-12/api/v1/pods", "/k8s/clusters/c-1/../c-2/api/v1/pods"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL+outside, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.refuses(t, c, req)
	}
}

// What is written without a Permit is written in one way only, and to where the config says.
func TestBookkeepingIsSpelledInOneWay(t *testing.T) {
	const status = "/apis/moorgate.dev/v1alpha1/namespaces/shop/cases/web/status"
	for name, spoil := range map[string]func(*http.Request){
		"as it should be":      func(*http.Request) {},
		"a trailing slash":     func(r *http.Request) { r.URL.Path += "/" },
		"an escaped letter":    func(r *http.Request) { r.URL.RawPath = strings.Replace(status, "web", "%77eb", 1) },
		"an opaque URL":        func(r *http.Request) { r.URL.Opaque = "//" + r.URL.Host + "/api/v1/namespaces/shop/pods/web" },
		"another scheme":       func(r *http.Request) { r.URL.Scheme = "https" },
		"another host":         func(r *http.Request) { r.URL.Host = "localhost:1" },
		"another host by name": func(r *http.Request) { r.Host = "elsewhere" },
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			_, c := r.guarded(t, OwnOfAct())
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, r.URL+status, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			spoil(req)
			if name != "as it should be" {
				r.refuses(t, c, req)
				return
			}
			resp, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
		})
	}
}
