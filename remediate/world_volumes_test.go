package remediate

import (
	"context"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

func TestNeeds(t *testing.T) {
	optional := true
	settings := corev1.LocalObjectReference{Name: "settings"}
	for name, c := range map[string]struct {
		volume corev1.VolumeSource
		want   []need
	}{
		"a ConfigMap":               {corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: settings}}, []need{{"ConfigMap", "settings"}}},
		"a ConfigMap, or not":       {corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: settings, Optional: &optional}}, nil},
		"a Secret":                  {corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "token"}}, []need{{"Secret", "token"}}},
		"both, put together":        {corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: settings}}, {Secret: &corev1.SecretProjection{LocalObjectReference: settings}}}}}, []need{{"ConfigMap", "settings"}, {"Secret", "settings"}}},
		"an empty directory":        {corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}, nil},
		"a claim, which is another": {corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "disk"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := needs(&corev1.Volume{VolumeSource: c.volume}); !slices.Equal(got, c.want) {
				t.Errorf("it needs %v", got)
			}
		})
	}
}

// TestASecretThatNobodyAskedFor shows that one of which nobody can say whether it is there is neither missing nor taken to be there.
func TestASecretThatNobodyAskedFor(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Volumes: []corev1.Volume{{VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "token"}}}}}}
	known := func(f gate.Fact[bool]) func(context.Context, string, string) gate.Fact[bool] {
		return func(context.Context, string, string) gate.Fact[bool] { return f }
	}
	for name, c := range map[string]struct {
		asked func(context.Context, string, string) gate.Fact[bool]
		want  causes.Start
	}{
		"it is not there":    {known(gate.Known(false)), causes.Start{Missing: "Secret token"}},
		"it is there":        {known(gate.Known(true)), causes.Start{}},
		"asking was refused": {known(gate.Unknown[bool]("no")), causes.Start{Unasked: true}},
		"nobody asks":        {nil, causes.Start{Unasked: true}},
	} {
		t.Run(name, func(t *testing.T) {
			v := volumes{eye: eye{secrets: c.asked}}
			if got, err := v.of(t.Context(), pod); got != c.want || err != nil {
				t.Errorf("it needs %+v, %v", got, err)
			}
		})
	}
}
