package checks

import (
	"testing"
	"time"

	"moorgate.dev/internal/gate"
)

func TestFailedBefore(t *testing.T) {
	template := PastFailure{At: noon.Add(-3 * time.Hour), How: "Crashed", Where: "Deployment/web"}
	image := PastFailure{At: noon.Add(-3 * time.Hour), How: "OutOfMemory", Image: "registry.example.com:5000/shop/web:1.4"}
	change := func(p PastFailure, f func(*PastFailure)) PastFailure { f(&p); return p }
	through := func(p *PastFailure) { p.Through = true }
	own := func(p *PastFailure) { p.Own = true }
	with := func(all ...PastFailure) func(*Rollout) {
		return func(r *Rollout) { r.World.FailedBefore = gate.Known(all) }
	}
	afterwards := func(r *Rollout) { r.Afterwards = true }
	failedBeforeCheck.tell(t, []tale{
		{name: "nothing failed"},
		{name: "the template failed", change: with(template), points: 25, nature: gate.Recent, text: "this template failed 3 h ago in Deployment/web: Crashed"},
		{name: "it got through since", change: with(change(template, through)), points: 12, nature: gate.Recent, text: "Crashed, got through since"},
		{name: "an image failed in another namespace", change: with(image), points: 20, nature: gate.Recent, text: "image web:1.4 failed 3 h ago in another namespace: OutOfMemory"},
		{name: "an image that got through since", change: with(change(image, through)), points: 10, nature: gate.Recent, text: "got through since"},
		{name: "what nothing speaks for is told", change: with(change(image, through), image), points: 20, nature: gate.Recent, text: "OutOfMemory, and 1 more"},
		{name: "the template says all that its images could", change: with(image, template), points: 25, nature: gate.Recent, text: "this template"},
		{name: "its own failure is not held against what is in", change: steps(with(change(template, own)), afterwards)},
		{name: "that of another is", change: steps(with(template), afterwards), points: 25, nature: gate.Recent},
		{name: "nobody knows", change: func(r *Rollout) { r.World.FailedBefore = gate.Unknown[[]PastFailure]("forbidden") }, unknown: "Cases of failed rollouts: forbidden"},
	})
}

func TestNewImagesAreThoseThatSayWhatTheyAre(t *testing.T) {
	r := sound()
	if got := NewImages(nil, r.New); !got["registry.example.com:5000/shop/web:1.4"] || len(got) != 1 {
		t.Errorf("a create brings %v", got)
	}
	update(&r)
	old := *r.Old
	old.Template = *r.New.Template.DeepCopy()
	if got := NewImages(&old, r.New); len(got) != 0 {
		t.Errorf("what was there is new: %v", got)
	}
	app(&r).Image = "web:latest"
	if got := NewImages(&old, r.New); len(got) != 0 {
		t.Errorf("latest is an exact reference: %v", got)
	}
}
