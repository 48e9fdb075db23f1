package webhook

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

var worldNoon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// wholeCluster answers as a cluster that holds the files' objects and nothing else, and notes what it was asked for.
type wholeCluster struct {
	*Files
	fail  map[string]error // by Go type
	hang  string           // the Go type whose reads wait for the end of their context
	mu    *sync.Mutex
	asked map[string]bool
}

func clusterOf(t *testing.T, objects ...client.Object) wholeCluster {
	t.Helper()
	files, err := NewFiles("shop", objects...)
	if err != nil {
		t.Fatal(err)
	}
	return wholeCluster{Files: files, fail: map[string]error{}, mu: &sync.Mutex{}, asked: map[string]bool{}}
}

func (c wholeCluster) note(ctx context.Context, into runtime.Object) error {
	kind := strings.TrimPrefix(fmt.Sprintf("%T", into), "*")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked[kind+" "+into.GetObjectKind().GroupVersionKind().Kind] = true
	if kind == c.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return c.fail[kind]
}

func (c wholeCluster) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	if err := c.note(ctx, into); err != nil {
		return err
	}
	if err := c.Files.Get(ctx, key, into, opts...); errors.Is(err, errOffline) {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	return nil
}

func (c wholeCluster) List(ctx context.Context, into client.ObjectList, opts ...client.ListOption) error {
	if err := c.note(ctx, into); err != nil {
		return err
	}
	if err := c.Files.List(ctx, into, opts...); !errors.Is(err, errOffline) {
		return err
	}
	return nil
}

func (c wholeCluster) world() World {
	return World{Reader: c, Secrets: c.Files, Now: func() time.Time { return worldNoon }}
}

// webDeployment is one that refers to one of each kind.
func webDeployment(image string) *appsv1.Deployment {
	labels := map[string]string{"app": "web"}
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "web-uid"}}
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	d.Spec.Template.Labels = labels
	d.Spec.Template.Spec = corev1.PodSpec{ServiceAccountName: "robot",
		Containers: []corev1.Container{{Name: "app", Image: image, EnvFrom: []corev1.EnvFromSource{
			{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "db"}}},
			{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "conf"}}}}}},
		Volumes: []corev1.Volume{
			{Name: "a", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "disk"}}},
			{Name: "b", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{VolumeClaimTemplate: &corev1.PersistentVolumeClaimTemplate{}}}}}}
	return d
}

func inShop(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "shop", Name: name} }

func ownedMeta(meta metav1.ObjectMeta, kind, name, uid string) metav1.ObjectMeta {
	yes := true
	meta.UID = types.UID(meta.Name + "-uid")
	meta.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: name, UID: types.UID(uid), Controller: &yes}}
	meta.Labels = map[string]string{"app": "web"}
	return meta
}

func boundPod(meta metav1.ObjectMeta, node, cpu string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: meta}
	p.Spec.NodeName = node
	p.Spec.Containers = []corev1.Container{{Resources: corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}}}}
	return p
}

func shopObjects() []client.Object {
	set := &appsv1.ReplicaSet{ObjectMeta: ownedMeta(inShop("web-1"), "Deployment", "web", "web-uid")}
	set.Annotations = map[string]string{"deployment.kubernetes.io/revision": "3"}
	set.Spec.Template = webDeployment("web:1").Spec.Template
	sick := boundPod(inShop("api-0"), "n2", "2")
	sick.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}}}
	posing := boundPod(inShop("posing"), "n1", "1")
	posing.Labels = map[string]string{"app": "web"}
	return []client.Object{
		&corev1.ConfigMap{ObjectMeta: inShop("conf")}, &corev1.ServiceAccount{ObjectMeta: inShop("robot")},
		&corev1.PersistentVolumeClaim{ObjectMeta: inShop("disk")}, &corev1.Secret{ObjectMeta: inShop("db")},
		&storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "fast", Annotations: map[string]string{defaultClass: "true"}}},
		&corev1.ResourceQuota{ObjectMeta: inShop("compute")}, &corev1.LimitRange{ObjectMeta: inShop("limits")},
		&policyv1.PodDisruptionBudget{ObjectMeta: inShop("budget")},
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n2"}},
		set, boundPod(ownedMeta(inShop("web-1-a"), "ReplicaSet", "web-1", "web-1-uid"), "n1", "500m"), sick, posing,
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "other", Name: "x"}},
	}
}

func TestLookFindsWhatIsThere(t *testing.T) {
	r, seen, unread, err := clusterOf(t, shopObjects()...).world().Look(context.Background(), webDeployment("web:2"), webDeployment("web:1"))
	if err != nil || len(unread) > 0 {
		t.Fatalf("unread %v, %v", unread, err)
	}
	for what, m := range map[string]map[string]gate.Fact[bool]{"db": r.World.Secrets, "conf": r.World.ConfigMaps,
		"robot": r.World.ServiceAccounts, "disk": r.World.Claims, "": r.World.StorageClasses} {
		if there, _ := m[what].Get(); !there {
			t.Errorf("%q was not found", what)
		}
	}
	pods, _ := r.World.Pods.Get()
	failures, _ := r.World.Failures.Get()
	if len(pods) != 1 || pods[0].Name != "web-1-a" || failures.Pods != 2 || failures.Failing != 1 {
		t.Errorf("own pods %v, failures %+v: want the one that its ReplicaSet owns, and 1 of 2 others", pods, failures)
	}
	nodes, _ := r.World.Nodes.Get()
	if len(nodes) != 2 || nodes[0].Requested.Cpu().String() != "1500m" || nodes[0].Pods != 2 {
		t.Errorf("nodes %+v", nodes)
	}
	if rollback, failing := checks.Facts(r); !reflect.DeepEqual(rollback, gate.Known(true)) || !reflect.DeepEqual(failing, gate.Known(false)) {
		t.Errorf("rollback %v failing %v, want true and false", rollback, failing)
	}
	ids := map[string]bool{}
	for _, e := range seen {
		if ids[e.ID] || e.Source == "" || e.Text == "" || !e.At.Equal(worldNoon) || e.Trust != gate.FromAPI {
			t.Errorf("evidence %+v", e)
		}
		ids[e.ID] = true
	}
	for _, f := range checks.Assess(r, nil).Findings {
		for _, id := range f.Evidence {
			if !ids[id] {
				t.Errorf("%s cites %s, which nobody collected", f.ID, id)
			}
		}
	}
}

func TestLookNeverReadsSecretsNorContent(t *testing.T) {
	c := clusterOf(t, shopObjects()...)
	if _, _, _, err := c.world().Look(context.Background(), nil, webDeployment("web:1")); err != nil {
		t.Fatal(err)
	}
	for kind := range c.asked {
		for _, bad := range []string{"Secret", "v1.ServiceAccount"} {
			if strings.Contains(kind, bad) {
				t.Errorf("read %s", kind)
			}
		}
	}
	if !c.asked["v1.PartialObjectMetadata ServiceAccount"] {
		t.Errorf("asked %v, want the metadata of a ServiceAccount among them", c.asked)
	}
}

func TestWhatIsNotThereIsMissingAndWhatFailsIsUnknown(t *testing.T) {
	r, _, unread, err := clusterOf(t).world().Look(context.Background(), nil, webDeployment("web:1"))
	if err != nil {
		t.Fatal(err)
	}
	if there, known := r.World.ConfigMaps["conf"].Get(); there || !known {
		t.Error("a ConfigMap that is not there is not missing")
	}
	if !slices.Equal(unread, []string{"Secret/db"}) {
		t.Errorf("unread %v, want the Secret that nothing is known of", unread)
	}
}

func TestEachReadFailsByItself(t *testing.T) {
	for kind, source := range map[string]string{"v1.ResourceQuotaList": "ResourceQuotas", "v1.LimitRangeList": "LimitRanges",
		"v1.PodDisruptionBudgetList": "PodDisruptionBudgets", "v1.NodeList": "Nodes", "v1.ReplicaSetList": "earlier revisions",
		"v1.PartialObjectMetadataList": "StorageClass/"} {
		t.Run(source, func(t *testing.T) {
			c := clusterOf(t, shopObjects()...)
			c.fail[kind] = apierrors.NewForbidden(schema.GroupResource{}, "", errors.New("no"))
			r, seen, unread, err := c.world().Look(context.Background(), webDeployment("web:2"), webDeployment("web:1"))
			if err != nil || !slices.Equal(unread, []string{source}) {
				t.Errorf("unread %q, %v; want only %q", unread, err, source)
			}
			at := slices.IndexFunc(seen, func(e gate.Evidence) bool { return e.Unread != "" })
			if at < 0 || seen[at].Unread != "not allowed to read it" {
				t.Errorf("no evidence says why: %+v", seen)
			}
			whole, _ := checks.Assess(r, nil).Confidence.Get()
			if source != "earlier revisions" && source != "LimitRanges" && whole >= 100 {
				t.Errorf("confidence %d though %s is unknown", whole, source)
			}
		})
	}
}

func TestAReadThatHangsLeavesTheOthersTheirAnswers(t *testing.T) {
	c := clusterOf(t, shopObjects()...)
	c.hang, c.mu = "v1.ResourceQuotaList", &sync.Mutex{}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(context.DeadlineExceeded)
	_, _, unread, err := c.world().Look(ctx, nil, webDeployment("web:1"))
	if err != nil || !slices.Equal(unread, []string{"ResourceQuotas"}) {
		t.Errorf("unread %v, %v; want only the quotas", unread, err)
	}
}

func TestAStatefulSetsRevisionsAreReadFromItsControllerRevisions(t *testing.T) {
	set := func(image string) *appsv1.StatefulSet {
		s := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "db", UID: "db-uid"}}
		s.Spec.Selector, s.Spec.Template = webDeployment(image).Spec.Selector, webDeployment(image).Spec.Template
		return s
	}
	kept := &appsv1.ControllerRevision{ObjectMeta: ownedMeta(inShop("db-1"), "StatefulSet", "db", "db-uid"), Revision: 1}
	kept.Data.Raw = []byte(`{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"app":"web"}},"spec":{"serviceAccountName":"robot",
		"containers":[{"name":"app","image":"web:1","resources":{},"envFrom":[{"secretRef":{"name":"db"}},{"configMapRef":{"name":"conf"}}]}],
		"volumes":[{"name":"a","persistentVolumeClaim":{"claimName":"disk"}},{"name":"b","ephemeral":{"volumeClaimTemplate":{"spec":{"resources":{}}}}}]}}}}`)
	stranger := &appsv1.ControllerRevision{ObjectMeta: ownedMeta(inShop("other-1"), "StatefulSet", "other", "other-uid")}
	r, _, _, err := clusterOf(t, append(shopObjects(), kept, stranger)...).world().Look(context.Background(), set("web:2"), set("web:1"))
	if err != nil {
		t.Fatal(err)
	}
	if rollback, _ := checks.Facts(r); !reflect.DeepEqual(rollback, gate.Known(true)) {
		t.Errorf("rollback %v, want true", rollback)
	}
	kept.Data.Raw = []byte("{")
	r, _, unread, _ := clusterOf(t, kept).world().Look(context.Background(), set("web:2"), set("web:1"))
	if rollback, _ := checks.Facts(r); rollback.Why() == "" || !slices.Contains(unread, "earlier revisions") {
		t.Errorf("rollback %v, want unknown where a revision cannot be read", rollback)
	}
}

func TestLookRefusesWhatIsNoWorkload(t *testing.T) {
	if _, _, _, err := clusterOf(t).world().Look(context.Background(), nil, &corev1.Service{}); err == nil {
		t.Error("a Service is no workload")
	}
	if _, _, _, err := clusterOf(t).world().Look(context.Background(), &corev1.Service{}, webDeployment("web:1")); err == nil {
		t.Error("nor was it one before")
	}
}
