package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-billy/v5/memfs"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	gitcache "github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

const (
	person   = "alice@shop.example"
	hidden   = "hunter2-planted-Zx81Qv"
	frontend = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 1, selector: {matchLabels: {app: web}},
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "registry.example/web:1"}]}}}}
`
)

// watched is a namespace whose objects Git declares, and the API server tells of what people change in it.
type watched struct {
	*house
	t  *testing.T
	ns string
}

func (h *house) watched(t *testing.T) watched {
	t.Helper()
	w := watched{house: h, t: t, ns: h.c.Namespace(t, nil)}
	source := &v1alpha1.GitSource{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "shop"}, Spec: v1alpha1.GitSourceSpec{URL: "file://" + declared(t), Branch: "main", Path: "deploy"}}
	if err := h.admin.Create(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	h.eventually(t, "the API server tells of changes", func() error {
		var config admissionregistrationv1.ValidatingWebhookConfiguration
		if err := h.admin.Get(t.Context(), client.ObjectKey{Name: "moorgate"}, &config); err != nil {
			return err
		}
		if len(config.Webhooks) < 2 {
			return errors.New("it does not yet")
		}
		return nil
	})
	return w
}

// declared is a repository that declares the frontend.
func declared(t *testing.T) string {
	t.Helper()
	dir, tree := t.TempDir(), memfs.New()
	repo, err := git.InitWithOptions(filesystem.NewStorage(osfs.New(dir), gitcache.NewObjectLRUDefault()), tree, git.InitOptions{DefaultBranch: plumbing.Main})
	if err != nil {
		t.Fatal(err)
	}
	f, err := tree.Create("deploy/web.yaml")
	if err == nil {
		_, err = f.Write([]byte(frontend))
		err = errors.Join(err, f.Close())
	}
	work, werr := repo.Worktree()
	if err = errors.Join(err, werr); err == nil {
		_, err = work.Add("deploy/web.yaml")
	}
	if err == nil {
		_, err = work.Commit("web", &git.CommitOptions{Author: &object.Signature{Name: "t", Email: "t@example.com", When: time.Unix(1, 0)}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// by runs kubectl as a user who may do everything.
func (w watched) by(user, manifest string, args ...string) (string, error) {
	w.t.Helper()
	return w.kubectl(w.t, manifest, append([]string{"-n", w.ns, "--as", user, "--as-group", "system:masters"}, args...)...)
}

func (w watched) does(user string, args ...string) {
	w.t.Helper()
	if out, err := w.by(user, "", args...); err != nil {
		w.t.Fatalf("%v\n%s", err, out)
	}
}

const flux = "system:serviceaccount:flux-system:kustomize-controller"

// put has the delivery bring an image to the cluster.
func (w watched) put(image string) {
	w.t.Helper()
	w.does(flux, "set", "image", "deployment/web", "web="+image, "--field-manager=kustomize-controller")
}

// seen are the Cases of what people were seen to do.
func (w watched) seen() []v1alpha1.Case {
	w.t.Helper()
	var list v1alpha1.CaseList
	if err := w.admin.List(w.t.Context(), &list, client.InNamespace(w.ns), client.MatchingLabels{v1alpha1.LabelWitnessed: "true"}); err != nil {
		w.t.Fatal(err)
	}
	return list.Items
}

// about finds the Cases of a change of a field that was put back, or that stands.
func (w watched) about(path string, reverted bool) []v1alpha1.Case {
	w.t.Helper()
	return slices.DeleteFunc(w.seen(), func(c v1alpha1.Case) bool {
		return c.Spec.Witness == nil || !slices.Contains(c.Spec.Witness.Paths, path) || (c.Spec.Witness.RevertedBy != "") != reverted
	})
}

// told waits for one.
func (w watched) told(path string, reverted bool) func() error {
	return func() error {
		if len(w.about(path, reverted)) == 0 {
			return fmt.Errorf("of %d Cases none tells of %s", len(w.seen()), path)
		}
		return nil
	}
}

const (
	imageField    = "spec.template.spec.containers[name=web].image"
	replicasField = "spec.replicas"
	envField      = "spec.template.spec.containers[name=web].env"
)

// TestWhatPeopleChangeIsWitnessed has a person change what Git declares, on a cluster whose API server tells two webhooks of it: what
// somebody put back within seconds, and what stands, are each one Case with the person's name, judged and on record. What was only tried,
// what something refused, and what the cluster's own controllers do, leave none; nobody is refused anything; and no value leaves.
func TestWhatPeopleChangeIsWitnessed(t *testing.T) {
	w := moored(t).watched(t)
	if out, err := w.by(flux, frontend, "apply", "-f", "-", "--server-side", "--field-manager=kustomize-controller"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.eventually(t, "what was put back is told", func() error { // the webhooks may not know of the GitSource yet
		w.does(person, "set", "image", "deployment/web", "web=registry.example/web:2", "--dry-run=server")
		w.does(person, "set", "image", "deployment/web", "web=registry.example/web:3")
		w.put("registry.example/web:1")
		return w.told(imageField, true)()
	})
	w.does(person, "set", "env", "deployment/web", "TOKEN="+hidden)
	w.does(flux, "set", "env", "deployment/web", "TOKEN-", "--field-manager=kustomize-controller")
	w.eventually(t, "a value that may be secret is told by its place", w.told(envField, true))
	w.refusedLater()
	w.large()
	w.flood()
	w.does(person, "scale", "deployment/web", "--replicas=3")
	w.eventually(t, "what stands is told", w.told(replicasField, false))
	if n := len(w.about(envField, true)); n != 1 {
		t.Errorf("one change put back is %d Cases of two webhooks", n)
	}
	if n := len(w.about(replicasField, false)); n != 1 {
		t.Errorf("one change that stands is %d Cases of two webhooks", n)
	}
	w.judged()
	busy := 0
	for _, c := range w.seen() {
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if c.Spec.Witness == nil || c.Spec.Witness.User != person {
			t.Errorf("a Case tells of somebody else: %s", b)
		}
		if strings.Contains(string(b), hidden[:12]) {
			t.Errorf("a value is on a Case: %s", b)
		}
		if c.Spec.Subject.Name == "busy" {
			busy++
		}
		if c.Spec.Subject.Name == "refused" {
			t.Errorf("what was refused is on a Case: %s", b)
		}
	}
	if busy > 8*len(webhooks) {
		t.Errorf("one object has %d Cases", busy)
	}
	w.unnamed()
}

// unnamed waits until a model was asked about the drift, and looks whether it was told who made it.
func (w watched) unnamed() {
	w.t.Helper()
	asked := func() (bodies []string) {
		for _, r := range w.model.Requests() {
			if strings.Contains(r.Body, w.ns) && strings.Contains(r.Body, "happening: FieldDrift") {
				bodies = append(bodies, r.Body)
			}
		}
		return bodies
	}
	w.eventually(w.t, "a model is asked about the drift, and told that somebody was seen", func() error {
		if all := asked(); !slices.ContainsFunc(all, func(body string) bool { return strings.Contains(body, "a person who was seen") }) {
			return fmt.Errorf("it was asked %d times", len(all))
		}
		return nil
	})
	for _, body := range asked() {
		if strings.Contains(body, "alice") {
			w.t.Errorf("a model reads who it was: %s", body)
		}
	}
}

// refusedLater has a person create something that a quota refuses, after the webhook was told of it.
func (w watched) refusedLater() {
	w.t.Helper()
	w.does(flux, "create", "quota", "none", "--hard=count/services=0")
	w.eventually(w.t, "the quota refuses", func() error {
		out, err := w.by(person, "", "create", "service", "clusterip", "refused", "--tcp=80")
		if err == nil {
			w.does(flux, "delete", "service", "refused")
			return errors.New("it does not yet")
		}
		if !strings.Contains(out, "exceeded quota") {
			w.t.Fatalf("refused by something else: %s", out)
		}
		return nil
	})
}

// flood has a person change one object as fast as the API server takes it, from many sides. None of that is refused, and an hour has
// few Cases of it.
func (w watched) flood() {
	w.t.Helper()
	config := w.asPerson()
	config.QPS = -1
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		w.t.Fatal(err)
	}
	objects := clients.CoreV1().ConfigMaps(w.ns)
	if _, err := objects.Create(w.t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "busy"}}, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	var sides sync.WaitGroup
	for side := range 8 {
		sides.Go(func() {
			for i := range 50 {
				change := fmt.Appendf(nil, `{"data":{"side-%d":"%d"}}`, side, i)
				if _, err := objects.Patch(w.t.Context(), "busy", types.MergePatchType, change, metav1.PatchOptions{}); err != nil {
					w.t.Errorf("a change among many was not let in: %v", err)
					return
				}
			}
		})
	}
	sides.Wait()
}

// asPerson is how a person who may do everything comes to the cluster.
func (w watched) asPerson() *rest.Config {
	config := w.c.Config()
	config.Impersonate = rest.ImpersonationConfig{UserName: person, Groups: []string{"system:masters"}}
	return config
}

// large has a person write an object that is too large for any webhook here to be told of: in JSON each of its bytes is six, and before
// and after are more than a request to a webhook may have. It goes in all the same.
func (w watched) large() {
	w.t.Helper()
	config := w.asPerson()
	config.ContentType = runtime.ContentTypeProtobuf
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		w.t.Fatal(err)
	}
	o := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "large"}, Data: map[string]string{"x": strings.Repeat("\x01", 1_000_000)}}
	o, err = clients.CoreV1().ConfigMaps(w.ns).Create(w.t.Context(), o, metav1.CreateOptions{})
	if err == nil {
		o.Data["x"] = o.Data["x"][1:]
		_, err = clients.CoreV1().ConfigMaps(w.ns).Update(w.t.Context(), o, metav1.UpdateOptions{})
	}
	if err != nil {
		w.t.Errorf("what nobody can be told of was not let in: %v", err)
	}
}

// judged waits until the judge has judged what was seen, and until the drift that stands has the person's name.
func (w watched) judged() {
	w.t.Helper()
	says := func(c v1alpha1.Case, status metav1.ConditionStatus, reason, cause string) error {
		got := meta.FindStatusCondition(c.Status.Conditions, "Drifted")
		switch {
		case !meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.CaseRecorded) || c.Status.Audit == nil:
			return fmt.Errorf("it is not on record: %+v", c.Status.Conditions)
		case got == nil || got.Status != status || got.Reason != reason:
			return fmt.Errorf("it says %+v, want %s %s", got, status, reason)
		case cause != "" && c.Status.Cause != cause, !strings.HasPrefix(c.Status.Owner, person), !strings.Contains(c.Status.Summary, person):
			return fmt.Errorf("it says %s, owner %s, cause %s", c.Status.Summary, c.Status.Owner, c.Status.Cause)
		}
		return nil
	}
	w.eventually(w.t, "what was put back is judged", func() error {
		for _, c := range w.about(imageField, true) {
			if err := says(c, metav1.ConditionFalse, "Reverted", "reverted"); err != nil {
				return err
			}
		}
		return nil
	})
	w.eventually(w.t, "the drift that stands has a name", func() error {
		var list v1alpha1.CaseList
		if err := w.admin.List(w.t.Context(), &list, client.InNamespace(w.ns)); err != nil {
			return err
		}
		at := slices.IndexFunc(list.Items, func(c v1alpha1.Case) bool {
			return c.Spec.Witness == nil && meta.IsStatusConditionTrue(c.Status.Conditions, "Drifted")
		})
		if at < 0 {
			return errors.New("no drift stands")
		}
		if owner := list.Items[at].Status.Owner; !strings.HasPrefix(owner, person+", seen by the API server") {
			return fmt.Errorf("its owner is %q", owner)
		}
		return says(w.about(replicasField, false)[0], metav1.ConditionUnknown, "Superseded", "")
	})
}
