package cluster_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

func TestMain(m *testing.M) {
	if file := os.Getenv(actorVar); file != "" {
		fmt.Fprintln(os.Stderr, act(file))
		os.Exit(1)
	}
	os.Exit(testcluster.Main(m))
}

func TestInstall(t *testing.T) {
	c := testcluster.Shared(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var lines []string
	say := func(line string) { lines = append(lines, line) }
	if err := cluster.Install(ctx, c.Config(), charts.Files, cluster.InstallOptions{Progress: say}); err != nil {
		t.Fatal(err)
	}
	rightsAfterFences(t, lines)

	t.Run("a second time leaves what Moorgate filled in alone", func(t *testing.T) {
		k, err := client.New(c.Config(), client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		key := client.ObjectKey{Namespace: "moorgate-system", Name: "moorgate-webhook-certificate"}
		var filled, after corev1.Secret
		if err := k.Get(ctx, key, &filled); err != nil {
			t.Fatal(err)
		}
		filled.Data = map[string][]byte{"tls.crt": []byte("a certificate")}
		if err := k.Update(ctx, &filled); err != nil {
			t.Fatal(err)
		}
		if err := cluster.Install(ctx, c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := k.Get(ctx, key, &after); err != nil {
			t.Fatal(err)
		}
		if !equality.Semantic.DeepEqual(after.Data, filled.Data) {
			t.Errorf("the Secret's data changed from %v to %v", filled.Data, after.Data)
		}
	})
	t.Run("what is enabled is bound in its namespace, and nowhere else", func(t *testing.T) {
		namespace := c.Namespace(t, nil)
		enable, err := cluster.Enabling([]string{"evict"}, []string{namespace})
		if err != nil {
			t.Fatal(err)
		}
		if err := cluster.Install(ctx, c.Config(), charts.Files, cluster.InstallOptions{Enable: enable}); err != nil {
			t.Fatal(err)
		}
		act, err := c.ServiceAccount(ctx, cluster.OwnNamespace, "moorgate-act")
		if err != nil {
			t.Fatal(err)
		}
		kube, err := kubernetes.NewForConfig(act)
		if err != nil {
			t.Fatal(err)
		}
		for in, want := range map[string]bool{namespace: true, "default": false, "": false} {
			may := false
			err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 10*time.Second, true, func(ctx context.Context) (bool, error) {
				answer, err := kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
					ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: in, Verb: "create", Resource: "pods", Subresource: "eviction"}}}, metav1.CreateOptions{})
				may = err == nil && answer.Status.Allowed
				return may == want, err
			})
			if err != nil {
				t.Errorf("moorgate-act may evict in %q: %t, %v", in, may, err)
			}
		}
	})
	t.Run("the fences hold, and waiting for them says so at once", func(t *testing.T) {
		if err := cluster.WaitFences(ctx, c.Config(), charts.Files); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a fence that is not there is waited for until the context ends", func(t *testing.T) {
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		err := cluster.WaitFences(short, c.Config(), fstest.MapFS{"x.yaml": {Data: []byte(absentFence)}})
		if err == nil || !strings.Contains(err.Error(), "absent") || !strings.Contains(err.Error(), "let through") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what the API server refuses is named", func(t *testing.T) {
		bad := fstest.MapFS{"x.yaml": {Data: []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad_Name, namespace: default}\n")}}
		err := cluster.Install(ctx, c.Config(), bad, cluster.InstallOptions{})
		if err == nil || !strings.Contains(err.Error(), "apply ConfigMap default/Bad_Name") {
			t.Errorf("got %v", err)
		}
	})
}

const absentFence = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: absent
  annotations:
    moorgate.dev/fence-probe: '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "default", "name": "x"}}'
`

func rightsAfterFences(t *testing.T, lines []string) {
	t.Helper()
	all := strings.Join(lines, "\n")
	fence, right := strings.LastIndex(all, "ValidatingAdmissionPolicy"), strings.Index(all, "ClusterRole")
	if fence < 0 || right < fence {
		t.Errorf("rights were granted before the fences stood:\n%s", all)
	}
}

func TestManifests(t *testing.T) {
	for _, c := range []struct {
		name, content, wrong string
		count                int
	}{
		{name: "several documents, comments and empty ones", count: 2,
			content: "# first\n---\napiVersion: v1\nkind: A\nmetadata: {name: a}\n---\n---\n# nothing\n---\napiVersion: v1\nkind: B\nmetadata: {name: b}\n"},
		{name: "a key that is there twice", content: "apiVersion: v1\nkind: A\nkind: B\nmetadata: {name: a}\n", wrong: `x.yaml: document 1: `},
		{name: "no kind", content: "apiVersion: v1\nmetadata: {name: a}\n", wrong: "x.yaml: document 1: "},
		{name: "no name", content: "apiVersion: v1\nkind: A\n", wrong: "x.yaml: document 1: A without"},
		{name: "no apiVersion", content: "kind: A\nmetadata: {name: a}\n", wrong: "x.yaml: document 1: A without"},
		{name: "a list where an object should be", content: "- a\n", wrong: "x.yaml: document 1: "},
		{name: "not YAML", content: "a: [", wrong: "x.yaml: document 1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := cluster.Manifests(fstest.MapFS{"folder/x.yaml": {Data: []byte(c.content)}, "README.md": {Data: []byte("a: [")}})
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("got %v, want %q", err, c.wrong)
				}
				return
			}
			if err != nil || len(got) != c.count {
				t.Errorf("got %d objects and %v, want %d", len(got), err, c.count)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("apiVersion: v1\nkind: A\nmetadata: {name: a}\n---\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		objects, err := cluster.Decode(content)
		for _, u := range objects {
			if err == nil && (u.GetKind() == "" || u.GetName() == "" || u.GetAPIVersion() == "") {
				t.Errorf("an object without kind, apiVersion or name: %v", u.Object)
			}
		}
	})
}

func TestOnlyWhatThereIsIsEnabledAndOnlyWhereItMay(t *testing.T) {
	for name, tt := range map[string]struct{ actions, namespaces []string }{
		"nowhere":               {[]string{"evict"}, nil},
		"nothing":               {nil, []string{"shop"}},
		"what there is not":     {[]string{"delete"}, []string{"shop"}},
		"in the control plane":  {[]string{"evict"}, []string{"shop", "kube-system"}},
		"among Moorgate's own":  {[]string{"evict"}, []string{"moorgate-system"}},
		"in what is no name":    {[]string{"evict"}, []string{"shop/web"}},
		"in the whole cluster":  {[]string{"evict"}, []string{""}},
		"in the whole cluster!": {[]string{"evict"}, []string{"*"}},
	} {
		t.Run(name, func(t *testing.T) {
			if bindings, err := cluster.Enabling(tt.actions, tt.namespaces); err == nil {
				t.Errorf("%v", bindings)
			}
		})
	}
	if bindings, err := cluster.Enabling(nil, nil); err != nil || len(bindings) != 0 {
		t.Errorf("%v, %v", bindings, err)
	}
}
