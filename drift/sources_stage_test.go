package drift_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
)

// delivery is a stage whose repository is served over HTTP, in a cluster that has the kinds of Flux and of Argo CD. Nothing delivers
// there: the story says what was delivered.
type delivery struct {
	*stage
	url     string
	fetches atomic.Int32
	// authorization is what the server wants of everybody who asks; empty: nothing.
	authorization atomic.Value
	events        *events.FakeRecorder
}

const kindsOfDelivery = "../test/scenarios/kinds"

var offered sync.Once

// offer has the cluster serve the kinds of Flux and Argo CD.
func (s *delivery) offer() {
	s.t.Helper()
	s.kubectl("", "apply", "-f", kindsOfDelivery)
	s.kubectl("", "wait", "--for=condition=Established", "--timeout=60s", "-f", kindsOfDelivery)
}

// in has what follows be part of a story inside of the story, so that what it has goes when it ends.
func (s *delivery) in(t *testing.T) {
	outer := s.t
	s.t = t
	t.Cleanup(func() { s.t = outer })
}

// open are the Cases of what differs now.
func (s *stage) open() []v1alpha1.Case {
	s.t.Helper()
	return slices.DeleteFunc(s.cases(), func(k v1alpha1.Case) bool { return drifted(k).Status != metav1.ConditionTrue })
}

func newDelivery(t *testing.T) *delivery {
	t.Helper()
	s := &delivery{stage: newStage(t), events: events.NewFakeRecorder(100)}
	offered.Do(s.offer)
	s.detector = s.detectorAs(s.judge)
	s.detector.Events = s.events
	config, err := s.repo.Config()
	s.ok(err)
	config.Core.IsBare = true
	s.ok(s.repo.SetConfig(config))
	program, err := exec.LookPath("git")
	s.ok(err)
	handler := &cgi.Handler{Path: program, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + s.dir, "GIT_HTTP_EXPORT_ALL=1",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}}
	s.authorization.Store("")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if want := s.authorization.Load(); want != "" && want != r.Header.Get("Authorization") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/git-upload-pack") {
			s.fetches.Add(1)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// have writes an object as whoever runs the cluster, and takes it away when the story ends.
func (s *delivery) have(apiVersion, kind, namespace, name string, content map[string]any) *unstructured.Unstructured {
	s.t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{}}
	b, err := json.Marshal(content) // so that all is of the types that JSON has
	s.ok(err)
	s.ok(json.Unmarshal(b, &u.Object))
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	u.SetNamespace(namespace)
	u.SetName(name)
	s.ok(s.admin.Create(s.t.Context(), u))
	s.t.Cleanup(func() { _ = client.IgnoreNotFound(s.admin.Delete(context.Background(), u)) })
	return u
}

func (s *delivery) gitRepository(spec map[string]any, head string) {
	s.t.Helper()
	if spec["url"] == nil {
		spec["url"] = s.url
	}
	if spec["ref"] == nil {
		spec["ref"] = map[string]any{"branch": "main"}
	}
	s.have("source.toolkit.fluxcd.io/v1", "GitRepository", s.ns, "code", map[string]any{"spec": spec,
		"status": map[string]any{"artifact": map[string]any{"revision": "main@sha1:" + head}}})
}

// kustomization is one that applied Deployments of these names to the stage's namespace at a commit.
func (s *delivery) kustomization(name string, spec map[string]any, commit string, deployments ...string) *unstructured.Unstructured {
	s.t.Helper()
	all := map[string]any{"interval": "10m", "prune": true, "sourceRef": map[string]any{"kind": "GitRepository", "name": "code"}}
	for field, value := range spec {
		all[field] = value
	}
	var entries []any
	for _, d := range deployments {
		entries = append(entries, map[string]any{"id": s.ns + "_" + d + "_apps_Deployment", "v": "v1"})
	}
	return s.have("kustomize.toolkit.fluxcd.io/v1", "Kustomization", s.ns, name, map[string]any{"spec": all,
		"status": map[string]any{"lastAppliedRevision": "main@sha1:" + commit, "inventory": map[string]any{"entries": entries}}})
}

// rounds compares all that is delivered to the stage's namespace, and answers what that is.
func (s *delivery) rounds() []string {
	s.t.Helper()
	keys, err := s.detector.Discover(s.t.Context())
	s.ok(err)
	var names []string
	for _, key := range keys {
		if key.Namespace == s.ns {
			names = append(names, key.Name)
			s.compared(key)
		}
	}
	return names
}

// compared compares what is delivered under a key, as it was when it was discovered.
func (s *delivery) compared(key client.ObjectKey) {
	s.t.Helper()
	_, err := s.detector.ReconcileDelivered(s.t.Context(), reconcile.Request{NamespacedName: key})
	s.ok(err)
}

// applied has the API server store what a controller would apply.
func (s *delivery) applied(manifest string) {
	s.t.Helper()
	s.kubectl(manifest, "apply", "--server-side", "--force-conflicts", "--field-manager=kustomize-controller", "-f", "-")
}

func (s *delivery) told() string {
	var all []string
	for {
		select {
		case text := <-s.events.Events:
			all = append(all, text)
		default:
			return strings.Join(all, "\n")
		}
	}
}

// look is what somebody sees who asks, of what is delivered to the stage's namespace.
func (s *delivery) look() []drift.Report {
	s.t.Helper()
	all, err := s.detector.Deliveries(s.t.Context(), s.ns)
	s.ok(err)
	var reports []drift.Report
	for _, y := range all {
		r, err := s.detector.Look(s.t.Context(), drift.Asked{Namespace: y.Namespace, Source: y.Name, Delivered: &y})
		s.ok(err)
		reports = append(reports, r)
	}
	return reports
}

func drifted(k v1alpha1.Case) metav1.Condition {
	return condition(k.Status.Conditions, drift.CaseDrifted)
}
