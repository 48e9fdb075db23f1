package webhook

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/gate"
)

// copying passes records on to the real log and keeps what it passed.
type copying struct {
	*audit.Log
	kept []gate.Record
}

func (c *copying) Append(ctx context.Context, r gate.Record) (gate.Position, error) {
	c.kept = append(c.kept, r)
	return c.Log.Append(ctx, r)
}

// pulling is a deployment that is refused, with so many made-up names of Secrets.
func pulling(secrets, length int) *appsv1.Deployment {
	d := poor("shop", "web")
	for i := range secrets {
		d.Spec.Template.Spec.ImagePullSecrets = append(d.Spec.Template.Spec.ImagePullSecrets,
			corev1.LocalObjectReference{Name: fmt.Sprintf("%0*d", length, i)})
	}
	return d
}

// A log refuses a record of more than a megabyte, and what is not on record is not refused. So no manifest may make it so large.
func TestNoManifestOutgrowsItsRecord(t *testing.T) {
	many := poor("shop", "web")
	for i := range 400 {
		c := many.Spec.Template.Spec.Containers[0].DeepCopy()
		c.Name = strings.Repeat("c", 55) + fmt.Sprint(i)
		many.Spec.Template.Spec.Containers = append(many.Spec.Template.Spec.Containers, *c)
	}
	for name, d := range map[string]*appsv1.Deployment{"1500 Secrets": pulling(1500, 245), "5000 Secrets": pulling(5000, 245),
		"a name of a megabyte": pulling(3, 1<<20), "400 containers that can never be ready": many} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, rail(gate.AdmissionEnforce))
			for i := range 300 {
				labels := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
				b.shelf.objects = append(b.shelf.objects, &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "shop",
					Name: strings.Repeat("b", 240) + fmt.Sprint(i)}, Spec: policyv1.PodDisruptionBudgetSpec{Selector: labels, MaxUnavailable: new(intstr.FromInt32(0))}})
			}
			log, err := audit.Open(filepath.Join(t.TempDir(), "log"), audit.Options{Now: at(noon)})
			if err != nil {
				t.Fatal(err)
			}
			kept := &copying{Log: log}
			b.Log = kept
			resp := b.Handle(t.Context(), request(t, admissionv1.Create, nil, d))
			if resp.Allowed || resp.Result.Code != http.StatusForbidden {
				t.Errorf("let in: %+v %q", resp.Result, resp.Warnings)
			}
			if err := log.Close(); err != nil || len(kept.kept) != 1 {
				t.Fatalf("%v, %d records", err, len(kept.kept))
			}
			r := kept.kept[0]
			if len(r.Evidence) > 32 || len(r.Facts.Unread) > 32 || len(r.Assessment.Findings) > 32 {
				t.Errorf("%d pieces of evidence, %d unread, %d findings", len(r.Evidence), len(r.Facts.Unread), len(r.Assessment.Findings))
			}
			if n := len(manifest(t, r)); n > 64<<10 {
				t.Errorf("the record has %d bytes", n)
			}
		})
	}
}

func TestEvidenceOfNamesIsBounded(t *testing.T) {
	found := map[string]gate.Fact[bool]{"there": gate.Known(true)}
	for i := range 5000 {
		found[strings.Repeat("x", 1<<10)+fmt.Sprint(i)] = gate.Fact[bool]{}
	}
	seen := namesEvidence("secrets", "Secret", found)
	ids := map[string]bool{}
	for _, e := range seen {
		if ids[e.ID] || len(e.ID)+len(e.Source)+len(e.Unread) > 1<<10 {
			t.Errorf("%+v", e)
		}
		ids[e.ID] = true
	}
	if last := seen[len(seen)-1]; len(seen) != unreadMax+2 || last.Source != "4997 more Secrets" {
		t.Errorf("%d pieces of evidence, the last %+v", len(seen), last)
	}
}
