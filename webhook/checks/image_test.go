package checks

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestImage(t *testing.T) {
	set := func(image string) func(*Rollout) { return func(r *Rollout) { app(r).Image = image } }
	imageCheck.tell(t, []tale{
		{name: "a tag is enough"},
		{name: "latest is no tag", change: set("nginx:latest"), points: 10, text: "app (nginx:latest)"},
		{name: "no tag means latest", change: set("shop/web"), points: 10, text: "app (shop/web)"},
		{name: "the port of a registry is no tag", change: set("registry:5000/web"), points: 10, text: "registry:5000/web"},
		{name: "a digest says what runs", change: set("web@sha256:0123")},
		{name: "a digest beside latest says what runs", change: set("web:latest@sha256:0123")},
		{name: "a tag that only contains latest is a tag", change: set("web:1.2-latest")},
		{name: "an empty tag is none", change: set("web:"), points: 10},
		{name: "init containers count too", points: 10, text: "migrate (migrate)", change: func(r *Rollout) {
			r.New.Template.Spec.InitContainers = []corev1.Container{{Name: "migrate", Image: "migrate"}}
		}},
		{name: "two loose images take points once", points: 10, text: "and 1 other", change: func(r *Rollout) {
			r.New.Template.Spec.InitContainers = []corev1.Container{{Name: "migrate", Image: "migrate"}}
			app(r).Image = "web"
		}},
		{name: "an image volume counts too", points: 10, text: "volume models", change: func(r *Rollout) {
			r.New.Template.Spec.Volumes = []corev1.Volume{{Name: "models", VolumeSource: corev1.VolumeSource{
				Image: &corev1.ImageVolumeSource{Reference: "models"}}}}
		}},
		{name: "what could move a terminal is dropped", points: 10, text: "app (web[31mred)", change: set("web\x1b[31mred\u202e")},
	})
}
