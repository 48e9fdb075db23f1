package webhook

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"moorgate.dev/internal/gate"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/webhook/checks"
)

// settings is a ConfigMap as kubectl applies it, with its values in an annotation and its keys in a field manager.
func settings(n int) *corev1.ConfigMap {
	values := map[string]string{}
	for i := range 4 {
		values[fmt.Sprintf("key-%d", i)] = strings.Repeat("hunter2 ", 64)
	}
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprint("settings-", n), UID: "abcd", ResourceVersion: "12345",
		Annotations:   map[string]string{corev1.LastAppliedConfigAnnotation: strings.Repeat("hunter2 ", 256)},
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl", FieldsV1: metav1.NewFieldsV1(`{"f:data":{"f:key-0":{},"f:key-1":{},"f:key-2":{},"f:key-3":{}}}`)}}},
		Data: values, BinaryData: map[string][]byte{"logo.png": []byte("hunter2")}}
}

func TestOfConfigMapsOnlyTheNamesOfTheirKeysAreKept(t *testing.T) {
	slim, err := Slim(settings(1))
	if err != nil {
		t.Fatal(err)
	}
	m := slim.(*corev1.ConfigMap)
	text, err := yaml.Marshal(m)
	if err != nil || strings.Contains(string(text), "hunter2") {
		t.Errorf("%v\n%s", err, text)
	}
	want := []string{"key-0", "key-1", "key-2", "key-3", "logo.png"}
	if got := slices.Sorted(maps.Keys(m.Data)); !slices.Equal(got, want) || m.Name != "settings-1" || m.Namespace != "shop" || m.UID == "" || m.ResourceVersion == "" {
		t.Errorf("keys %v of %+v", got, m.ObjectMeta)
	}
}

// lookForKey looks at a workload that makes a variable of a key of the ConfigMap conf.
func lookForKey(t *testing.T, world World, key string) (gate.Fact[bool], []string) {
	t.Helper()
	d := webDeployment("web:1")
	d.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "COLOUR", ValueFrom: &corev1.EnvVarSource{
		ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "conf"}, Key: key}}}}
	r, _, unread, err := world.Look(context.Background(), nil, d)
	if err != nil {
		t.Fatal(err)
	}
	return r.World.ConfigMapKeys[checks.Key{ConfigMap: "conf", Name: key}], unread
}

func TestKeysOfConfigMapsAreLookedUp(t *testing.T) {
	conf := &corev1.ConfigMap{ObjectMeta: inShop("conf"), Data: map[string]string{"colour": "blue"}, BinaryData: map[string][]byte{"logo": nil}}
	objects := slices.Concat(shopObjects()[1:], []client.Object{conf})
	live, files := clusterOf(t, objects...).world(), clusterOf(t, objects...).Files
	for _, tt := range []struct {
		name  string
		world World
		key   string
		want  gate.Fact[bool]
	}{
		{"text", live, "colour", gate.Known(true)},
		{"bytes", live, "logo", gate.Known(true)},
		{"a key that is not there", live, "size", gate.Known(false)},
		{"in files", World{Reader: files, Secrets: files}, "colour", gate.Known(true)},
		{"what files do not hold is unknown", World{Reader: files, Secrets: files}, "size", gate.Unknown[bool](errOffline.Error())},
	} {
		if got, unread := lookForKey(t, tt.world, tt.key); got != tt.want || (got.Why() != "") != slices.Contains(unread, "ConfigMap key/conf/"+tt.key) {
			t.Errorf("%s: %v, unread %v; want %v", tt.name, got, unread, tt.want)
		}
	}
}

func TestAReviewTakesTheKeysOfItsFilesTogetherWithThoseOfTheCluster(t *testing.T) {
	look := func(live *corev1.ConfigMap, key string) checks.Rollout {
		objects := shopObjects()[1:]
		if live != nil {
			objects = append(objects, live)
		}
		d := webDeployment("web:1")
		d.Spec.Template.Spec.Volumes[0].VolumeSource = corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: "conf"}, Items: []corev1.KeyToPath{{Key: key}}}}
		r, _, _, err := clusterOf(t, objects...).world().Look(context.Background(), nil, d)
		if err != nil {
			t.Fatal(err)
		}
		files, err := NewFiles("shop", &corev1.ConfigMap{ObjectMeta: inShop("conf"), Data: map[string]string{"new": ""}})
		if err != nil {
			t.Fatal(err)
		}
		files.Complete(&r)
		return r
	}
	live := &corev1.ConfigMap{ObjectMeta: inShop("conf"), Data: map[string]string{"old": ""}}
	for _, tt := range []struct {
		live *corev1.ConfigMap
		key  string
		want bool
	}{{live, "old", true}, {live, "new", true}, {live, "none", false}, {nil, "new", true}, {nil, "old", false}} {
		if got := look(tt.live, tt.key).World.ConfigMapKeys[checks.Key{ConfigMap: "conf", Name: tt.key}]; got != gate.Known(tt.want) {
			t.Errorf("%s, live %t: %v, want %t", tt.key, tt.live != nil, got, tt.want)
		}
	}
}

// TestFiveThousandConfigMapsAreSmall says in its log what a cache holds of a ConfigMap, beside what it is whole, and as the metadata
// that a cache of metadata holds.
func TestFiveThousandConfigMapsAreSmall(t *testing.T) {
	const count = 5000
	held := func(keep func(*corev1.ConfigMap) any) int {
		all := make([]any, count)
		before := heap()
		for i := range all {
			all[i] = keep(settings(i))
		}
		after := heap()
		runtime.KeepAlive(all)
		return int(int64(after)-int64(before)) / count
	}
	keys := held(func(m *corev1.ConfigMap) any { slim, _ := Slim(m); return slim })
	whole := held(func(m *corev1.ConfigMap) any { return m })
	metadata := held(func(m *corev1.ConfigMap) any {
		m.ManagedFields = nil
		return &metav1.PartialObjectMetadata{ObjectMeta: m.ObjectMeta}
	})
	t.Logf("bytes a ConfigMap of 5 keys and 2 KiB: %d of its keys, %d of its metadata, %d whole; 5,000 of them: %.1f, %.1f and %.1f MiB", keys, metadata, whole,
		mebibytes(keys*count), mebibytes(metadata*count), mebibytes(whole*count))
	if keys > 2048 {
		t.Errorf("%d bytes each", keys)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func mebibytes(n int) float64 { return float64(n) / (1 << 20) }
