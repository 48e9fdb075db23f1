package cluster

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/redact"
)

func TestADescriptionTellsWhatMattersAndNoValueThatMayBeSecret(t *testing.T) {
	door, err := redact.New(redact.Options{Key: bytes.Repeat([]byte{7}, redact.KeyBytes)})
	if err != nil {
		t.Fatal(err)
	}
	template := &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}, Annotations: map[string]string{"note": "swordfish"}},
		Spec: corev1.PodSpec{DNSPolicy: corev1.DNSClusterFirst, SchedulerName: "default-scheduler", InitContainers: []corev1.Container{{Name: "init", Image: "init:1"}},
			Containers: []corev1.Container{{Name: "app", Image: "web:1.4", Args: []string{"--greeting=swordfish"}, Env: []corev1.EnvVar{{Name: "GREETING", Value: "swordfish"},
				{Name: "DB", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "db"}, Key: "url"}}}}}}}}
	all := strings.Join(Describe(template, "", door), "\n")
	for _, want := range []string{"metadata.labels.app: web", "spec.containers[name=app].image: web:1.4", "spec.initContainers[name=init].image: init:1", "env[name=GREETING].value: [masked:", "env[name=DB].valueFrom.secretKeyRef.key: url"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
	for _, no := range []string{"swordfish", "ClusterFirst", "default-scheduler"} {
		if strings.Contains(all, no) {
			t.Errorf("%q is in\n%s", no, all)
		}
	}
	if one := Describe(template, "app", door); !slices.IsSorted(one) || strings.Contains(strings.Join(one, "\n"), "init:1") {
		t.Errorf("of one container: %q", one)
	}
	for i := range 300 {
		template.Spec.Containers[0].Env = append(template.Spec.Containers[0].Env, corev1.EnvVar{Name: strings.Repeat("X", i+1), Value: "1"})
	}
	if lines := Describe(template, "", door); len(lines) != describedMost+1 || !strings.Contains(lines[describedMost], "more fields") {
		t.Errorf("%d lines", len(lines))
	}
	if lines := Describe(template, "", nil); strings.Contains(strings.Join(lines, ""), "web:1.4") {
		t.Errorf("without a door: %q", lines)
	}
}
