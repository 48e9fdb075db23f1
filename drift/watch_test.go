package drift

import (
	"errors"
	"io"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/source"
)

func TestASweepComesNowAndThenAndAfterAWatchThatFailed(t *testing.T) {
	now := time.Unix(1e9, 0)
	d := &Detector{Now: func() time.Time { return now }, Interval: time.Minute}
	one, other := client.ObjectKey{Namespace: "shop", Name: "a"}, client.ObjectKey{Namespace: "shop", Name: "b"}
	if !d.sweeps(one) || !d.sweeps(other) || d.sweeps(one) {
		t.Error("the first round is a sweep, and the second is none")
	}
	now = now.Add((sweepEvery - sweepSpread) * time.Minute)
	if d.sweeps(one) {
		t.Error("a sweep comes too early")
	}
	if now = now.Add(sweepSpread * time.Minute); !d.sweeps(one) || !d.sweeps(other) {
		t.Error("no sweep comes")
	}
	for _, harmless := range []error{io.EOF, apierrors.NewResourceExpired("too old")} {
		if d.doubt(harmless); d.sweeps(one) {
			t.Errorf("a sweep comes because of %v", harmless)
		}
	}
	for _, bad := range []error{errors.New("connection refused"), apierrors.NewForbidden(schema.GroupResource{Resource: "services"}, "", errors.New("no"))} {
		if d.doubt(bad); !d.sweeps(one) || !d.sweeps(other) {
			t.Errorf("no sweep comes after %v", bad)
		}
	}
}

func TestAFingerprintTellsWhatMatters(t *testing.T) {
	base := func() *metav1.PartialObjectMetadata {
		m := &metav1.PartialObjectMetadata{}
		m.Name, m.UID, m.Generation, m.ResourceVersion = "web", "1", 3, "10"
		m.Labels, m.Annotations = map[string]string{"app": "web"}, map[string]string{"a": "b"}
		m.ManagedFields = []metav1.ManagedFieldsEntry{managed("kubectl-edit", "Update", "", `{"f:spec":{"f:replicas":{}}}`, 4), managed("x", "Update", "status", `{"f:status":{}}`, 5)}
		return m
	}
	for _, tt := range []struct {
		name   string
		change func(*metav1.PartialObjectMetadata)
		same   bool
	}{
		{"nothing", func(*metav1.PartialObjectMetadata) {}, true},
		{"a status", func(m *metav1.PartialObjectMetadata) { m.ResourceVersion = "11"; m.ManagedFields[1].Manager = "y" }, true},
		{"the order in which fields are written", func(m *metav1.PartialObjectMetadata) {
			m.ManagedFields[0].FieldsV1 = metav1.NewFieldsV1(` { "f:spec" : {"f:replicas":{} } } `)
		}, true},
		{"the spec", func(m *metav1.PartialObjectMetadata) { m.Generation = 4 }, false},
		{"another object of the name", func(m *metav1.PartialObjectMetadata) { m.UID = "2" }, false},
		{"a label", func(m *metav1.PartialObjectMetadata) { m.Labels["app"] = "x" }, false},
		{"a label that is an annotation now", func(m *metav1.PartialObjectMetadata) {
			m.Labels, m.Annotations = map[string]string{}, map[string]string{"a": "b", "app": "web"}
		}, false},
		{"an annotation", func(m *metav1.PartialObjectMetadata) { delete(m.Annotations, "a") }, false},
		{"an owner", func(m *metav1.PartialObjectMetadata) { m.ManagedFields[0].Manager = "helm" }, false},
		{"when the owner wrote", func(m *metav1.PartialObjectMetadata) { m.ManagedFields[0].Time = nil }, false},
		{"what is owned", func(m *metav1.PartialObjectMetadata) {
			m.ManagedFields[0].FieldsV1 = metav1.NewFieldsV1(`{"f:spec":{"f:paused":{}}}`)
		}, false},
		{"what is owned, so that nobody can read it", func(m *metav1.PartialObjectMetadata) { m.ManagedFields[0].FieldsV1 = metav1.NewFieldsV1(`{`) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := base()
			tt.change(m)
			if same := fingerprint(m) == fingerprint(base()); same != tt.same {
				t.Errorf("the same: %t", same)
			}
			uncounted, bare := base(), base()
			tt.change(uncounted)
			uncounted.Generation, bare.Generation, uncounted.ResourceVersion = 0, 0, "12"
			if fingerprint(uncounted) == fingerprint(bare) {
				t.Error("without a generation every write counts")
			}
		})
	}
	slim := (&slimmer{}).slim
	once, err := slim(base())
	if err != nil {
		t.Fatal(err)
	}
	twice, err := slim(once)
	if err != nil || twice.(*metav1.PartialObjectMetadata).UID != types.UID(fingerprint(base())) {
		t.Errorf("slimmed twice it is %+v, %v", twice, err)
	}
}

func TestOnlyWhatIsDeclaredConcernsAGitSource(t *testing.T) {
	d, key := &Detector{}, client.ObjectKey{Namespace: "shop", Name: "a"}
	web := source.Name{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"}
	if !d.declares(key, web) {
		t.Error("of a GitSource that was not read yet nothing is known")
	}
	d.remember(key, tree{past: map[source.Name]*past{web: {}}})
	if !d.declares(key, web) || d.declares(key, source.Name{Kind: "ConfigMap", Namespace: "shop", Name: "web"}) {
		t.Error("what is declared concerns it, and nothing else")
	}
}
