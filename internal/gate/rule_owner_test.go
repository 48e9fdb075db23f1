package gate

import "testing"

func TestOwner(t *testing.T) {
	owned := func(o Fact[Owner], change func(a *Assessment, f *Facts)) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, f *Facts) {
			f.Owner, r.Actions[2].Bounds = o, nil
			change(a, f)
			if a.Choice[0] == "scale" {
				f.History = Known(Tally{Cause: "crash", Verb: "scale", Tried: 40, Healed: 40})
			}
		}
	}
	evict := func(*Assessment, *Facts) {}
	scale := func(a *Assessment, _ *Facts) { a.Choice = []string{"scale"} }
	propose := func(a *Assessment, _ *Facts) { a.Choice = []string{"propose"} }
	edit := func(path, from, to string) func(*Assessment, *Facts) {
		return func(a *Assessment, f *Facts) { a.Choice, f.Menu[2].Edits = []string{"scale"}, []Edit{{path, from, to}} }
	}
	hpa, vpa, flux := Known(Owner{Scaler: "HorizontalPodAutoscaler/web"}), Known(Owner{Sizer: "VerticalPodAutoscaler/web"}), Known(Owner{Source: "Flux"})
	weigh(t, "owner", []weighed{
		{"nobody's replicas", owned(Known(Owner{}), scale), Allow, ""},
		{"an unknown owner's replicas", owned(Unknown[Owner]("forbidden"), scale), Hold, "forbidden"},
		{"a pull request about what is an unknown owner's", owned(Fact[Owner]{}, propose), Hold, "nobody looked"},
		{"an eviction from an unknown owner", owned(Fact[Owner]{}, evict), Allow, ""},
		{"an eviction from Flux", owned(flux, evict), Allow, ""},
		{"an eviction that edits", owned(flux, func(_ *Assessment, f *Facts) { f.Menu[0].Edits = []Edit{{"spec.x", "1", "2"}} }), Hold, "Flux owns"},
		{"a live change to what is Flux's", owned(flux, scale), Hold, "takes a pull request"},
		{"a pull request about what is Flux's", owned(flux, propose), Allow, ""},
		{"an autoscaler's replicas", owned(hpa, scale), Deny, "HorizontalPodAutoscaler/web sets the replicas"},
		{"an autoscaler's replicas by pull request", owned(hpa, func(a *Assessment, f *Facts) {
			a.Choice, f.Menu[1].Edits = []string{"propose"}, []Edit{{"spec.replicas", "1", "2"}}
		}), Deny, "sets the replicas"},
		{"an autoscaler's replicas as part of the whole", owned(hpa, edit("spec", `{"replicas":1}`, `{"replicas":2}`)), Deny, "sets the replicas"},
		{"a whole that is spelled out, without an autoscaler's replicas", owned(hpa, edit("spec", `{"paused":false}`, `{"paused":true}`)), Allow, ""},
		{"the image of what an autoscaler scales", owned(hpa, edit("spec.template.spec.containers[name=app].image", `"a"`, `"b"`)), Allow, ""},
		{"the template of what an autoscaler scales", owned(hpa, edit("spec.template", `"5d4"`, `"6f7"`)), Allow, ""},
		{"the resources of what an autoscaler sizes", owned(vpa, edit("spec.template.spec.containers[name=app].resources.limits.memory", `"1"`, `"2"`)), Deny, "VerticalPodAutoscaler/web sets the resources"},
		{"the template of what an autoscaler sizes", owned(vpa, edit("spec.template", `"5d4"`, `"6f7"`)), Deny, "sets the resources"},
		{"the replicas of what an autoscaler sizes", owned(vpa, scale), Allow, ""},
		{"an annotation on what is an unknown owner's", owned(Fact[Owner]{}, func(a *Assessment, _ *Facts) { a.Choice = []string{"mark"} }), Allow, ""},
	})
}
