package drift_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/drift"
	"moorgate.dev/internal/source"
)

// counted counts the requests of a client about one namespace, by method: other tests leave GitSources in others.
type counted struct {
	sync.Mutex
	next  http.RoundTripper
	about string
	n     map[string]int
}

func (s *stage) counting(config *rest.Config) (*rest.Config, *counted) {
	c := &counted{about: "/namespaces/" + s.ns + "/", n: map[string]int{}}
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		c.next = next
		return c
	})
	return config, c
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, c.about) {
		c.Lock()
		c.n[r.Method]++
		c.Unlock()
	}
	return c.next.RoundTrip(r)
}

// since are the requests since the last time.
func (c *counted) since() map[string]int {
	c.Lock()
	defer c.Unlock()
	n := c.n
	c.n = map[string]int{}
	return n
}

// delivered are ways in which people bring Git to a cluster.
var delivered = map[string][]string{"applied by a client": {"apply", "-f", "-"}, "applied by the server": {"apply", "--server-side", "-f", "-"},
	"applied by the server for Flux": {"apply", "--server-side", "--field-manager=kustomize-controller", "-f", "-"}, "created": {"create", "-f", "-"}}

// What says Git in the same letters is known to do so without a dry run, however it was delivered.
func TestWhatIsCleanIsKnownWithoutADryRun(t *testing.T) {
	for how, args := range delivered {
		t.Run(how, func(t *testing.T) {
			s := newStage(t)
			s.kubectl(everyKind, args...)
			objects, err := source.Read(map[string][]byte{"all.yaml": []byte(everyKind)}, source.Wanted{Namespace: s.ns})
			s.ok(err)
			for _, o := range objects {
				// What the API server fills into a list that it takes for one value, as that of claims or subjects, or leaves out of it, only
				// a dry run can tell, or what stands in its place.
				if says, err := drift.Says(s.liveOf(o), s.desired(o)); err != nil || says == slices.Contains([]string{"StatefulSet", "Role", "RoleBinding"}, o.Kind) {
					t.Errorf("%s/%s: %t, %v", o.Kind, o.Name.Name, says, err)
				}
			}
		})
	}
}

func (s *stage) liveOf(o source.Object) *unstructured.Unstructured {
	s.t.Helper()
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(o.Desired.GroupVersionKind())
	s.ok(s.admin.Get(s.t.Context(), client.ObjectKey{Namespace: s.ns, Name: o.Name.Name}, live))
	return live
}

func (s *stage) desired(o source.Object) *unstructured.Unstructured {
	u := o.Desired.DeepCopy()
	u.SetNamespace(s.ns)
	return u
}

// changes are what people and controllers do to a Deployment: strategic merge patches, of which some leave it as Git has it.
var changes = []string{
	`{"spec":{"replicas":5}}`, `{"spec":{"replicas":null}}`, `{"spec":{"paused":true}}`, `{"spec":{"paused":false}}`, `{"spec":{"revisionHistoryLimit":3}}`,
	`{"metadata":{"labels":{"x":"y"}}}`, `{"metadata":{"labels":{"app":null}}}`, `{"metadata":{"annotations":{"x":"y"}}}`, `{"metadata":{"finalizers":["example.com/x"]}}`,
	`{"spec":{"template":{"metadata":{"labels":{"x":"y"}}}}}`,
	`{"spec":{"template":{"spec":{"nodeSelector":{"disk":"ssd"}}}}}`, `{"spec":{"template":{"spec":{"nodeSelector":{"pool":"b"}}}}}`, `{"spec":{"template":{"spec":{"nodeSelector":null}}}}`,
	`{"spec":{"template":{"spec":{"tolerations":[{"key":"a","operator":"Exists","effect":"NoSchedule"}]}}}}`, `{"spec":{"template":{"spec":{"tolerations":[{"key":"a"}]}}}}`,
	`{"spec":{"template":{"spec":{"hostNetwork":true}}}}`, `{"spec":{"template":{"spec":{"serviceAccountName":"x"}}}}`,
	`{"spec":{"template":{"spec":{"securityContext":{"runAsNonRoot":true}}}}}`, `{"spec":{"template":{"spec":{"volumes":[{"name":"tmp","$patch":"delete"}],"containers":[{"name":"app","volumeMounts":[{"mountPath":"/tmp","$patch":"delete"}]}]}}}}`,
	`{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:1"}]}}}}`,
	`{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"shop/web:1.5"}]}}}}`, `{"spec":{"template":{"spec":{"containers":[{"name":"app","args":["--a","--c"]}]}}}}`,
	`{"spec":{"template":{"spec":{"containers":[{"name":"app","args":["--b","--a"]}]}}}}`, `{"spec":{"template":{"spec":{"containers":[{"name":"app","args":null}]}}}}`,
	`{"spec":{"template":{"spec":{"containers":[{"name":"app","env":[{"name":"A","value":"2"}]}]}}}}`, `{"spec":{"template":{"spec":{"containers":[{"name":"app","env":[{"name":"B","value":"2"}]}]}}}}`,
	`{"spec":{"template":{"spec":{"containers":[{"name":"app","env":[{"name":"A","$patch":"delete"}]}]}}}}`, `{"spec":{"template":{"spec":{"containers":[{"name":"app","env":[{"name":"E","value":"full"}]}]}}}}`,
	`{"spec":{"template":{"spec":{"containers":[{"name":"app","ports":[{"containerPort":9090}]}]}}}}`, `{"spec":{"template":{"spec":{"containers":[{"name":"app","ports":[{"containerPort":8080,"name":"http","protocol":"TCP"}]}]}}}}`,
	`{"spec":{"template":{"spec":{"containers":[{"name":"app","resources":{"requests":{"cpu":"2"}}}]}}}}`, `{"spec":{"template":{"spec":{"containers":[{"name":"app","resources":{"requests":{"cpu":"500m"}}}]}}}}`,
	`{"spec":{"template":{"spec":{"containers":[{"name":"app","resources":{"limits":{"memory":"1Gi"}}}]}}}}`, `{"spec":{"template":{"spec":{"containers":[{"name":"app","resources":null}]}}}}`,
	`{"spec":{"template":{"spec":{"containers":[{"name":"app","readinessProbe":{"httpGet":{"path":"/other"}}}]}}}}`, `{"spec":{"template":{"spec":{"containers":[{"name":"app","readinessProbe":{"httpGet":{"httpHeaders":[{"name":"A","value":"x"}]}}}]}}}}`,
	`{"spec":{"template":{"spec":{"containers":[{"name":"app","readinessProbe":{"failureThreshold":9}}]}}}}`, `{"spec":{"template":{"spec":{"containers":[{"name":"app","readinessProbe":null}]}}}}`,
	`{"spec":{"template":{"spec":{"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"ScheduleAnyway","labelSelector":{"matchLabels":{"a":"b"}}}]}}}}`,
	`{"spec":{"strategy":{"rollingUpdate":{"maxSurge":3}}}}`, `{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}`,
}

const rich = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {pool: a}
      tolerations: [{key: a, operator: Exists}]
      volumes: [{name: tmp, emptyDir: {}}]
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}
      containers:
      - name: app
        image: shop/web:1.4
        args: [--a, --b]
        ports: [{containerPort: 8080, name: http}]
        env: [{name: A, value: "1"}, {name: E, value: ""}]
        resources: {requests: {cpu: 500m}}
        readinessProbe: {httpGet: {path: /ready, port: http}, failureThreshold: 4}
        volumeMounts: [{name: tmp, mountPath: /tmp}]
`

// Whatever the comparison with a dry run calls drift, or cannot tell, is never known to be clean without one: by whomever it was done.
func TestNothingIsKnownToBeCleanThatDiffers(t *testing.T) {
	s := newStage(t)
	plain := strings.Replace(rich, `, {name: E, value: ""}`, "", 1) // an empty value is one that a dry run has to tell
	all := map[string]string{}
	for i, manifest := range []string{plain, rich} {
		for j := range changes {
			all[fmt.Sprintf("web-%d-%d", i, j)] = manifest
		}
	}
	files, owners := map[string]string{}, []string{"kubectl-edit", "kube-controller-manager", "somebody", "kustomize-controller"}
	var b strings.Builder
	for name, manifest := range all {
		text := strings.Replace(manifest, "name: web,", "name: "+name+",", 1)
		files["deploy/"+name+".yaml"] = text
		b.WriteString("---\n" + text)
	}
	s.commit(files)
	s.kubectl(b.String(), "apply", "--server-side", "--field-manager=kustomize-controller", "-f", "-")
	for name := range all {
		var i, j int
		_, err := fmt.Sscanf(name, "web-%d-%d", &i, &j)
		s.ok(err)
		s.kubectl("", "patch", "deployment/"+name, "--field-manager="+owners[(i+j)%len(owners)], "-p", changes[j])
	}
	report, err := s.detector.Look(t.Context(), drift.Asked{Namespace: s.ns, From: drift.Repository{URL: "file://" + s.dir, Branch: "main", Path: "deploy"}})
	s.ok(err)
	differs := map[string]bool{}
	for _, sight := range report.Sights {
		differs[sight.Subject.Name] = true
	}
	clean, asked := 0, 0
	for name, manifest := range all {
		objects, err := source.Read(map[string][]byte{"x.yaml": []byte(strings.Replace(manifest, "name: web,", "name: "+name+",", 1))}, source.Wanted{Namespace: s.ns})
		s.ok(err)
		says, err := drift.Says(s.liveOf(objects[0]), s.desired(objects[0]))
		s.ok(err)
		switch {
		case says && differs[name]:
			t.Errorf("%s differs, and is taken for clean", name)
		case says:
			clean++
		case !differs[name]:
			asked++
		}
	}
	t.Logf("of %d objects %d differ; of the others %d are known to be clean, and %d need a dry run", len(all), len(differs), clean, asked)
	if len(differs) < len(all)/2 || clean == 0 {
		t.Error("the changes change nothing, or nothing is known")
	}
}
