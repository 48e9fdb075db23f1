package causes

import (
	"testing"

	"moorgate.dev/internal/gate"
)

// TestShared shows what workloads share that is why they fare badly, beside what is of each for itself.
func TestShared(t *testing.T) {
	stuck := func(symptom Symptom, change func(*World, *Pod)) World {
		p := Pod{Ref: gate.Ref{Kind: "Pod", Name: "web-a"}, State: Stuck, Image: "r.example/shop/web:1"}
		w := world(nil)
		w.Symptom, w.Root.Namespace = symptom, "shop"
		change(&w, &p)
		w.Pods = []Pod{p}
		return w
	}
	pull := func(told Told, image string) World {
		return stuck(ImagePull, func(_ *World, p *Pod) { p.Told, p.Image = told, image })
	}
	lacks := func(there bool, more ...Reference) World {
		settings := Reference{Kind: "ConfigMap", Name: "settings"}
		return stuck(CannotStart, func(w *World, p *Pod) {
			p.Told, p.Meant.References = toldNoConfigMap, append([]Reference{settings}, more...)
			w.References = map[Reference]gate.Fact[bool]{settings: gate.Known(there)}
			for _, r := range more {
				w.References[r] = gate.Known(false)
			}
		})
	}
	quota := func(seen gate.Fact[bool]) World {
		w := shown(PodsRefused, "Deployment")
		w.Root.Namespace = "shop"
		w.Refusal = &Refusal{Class: RefusedByQuota, Name: "compute", Seen: seen}
		return w
	}
	class := func(name string) World {
		w := shown(ClaimPending, "PersistentVolumeClaim")
		w.Claim = &Claim{Class: gate.Known(name), ClassThere: gate.Known(false)}
		return w
	}
	for name, c := range map[string]struct {
		w    World
		want Share
	}{
		"a registry that is away":               {pull(toldUnreachable, "r.example/shop/web:1"), Share{Kind: "Registry", Name: "r.example", Cause: "registry-unreachable"}},
		"a registry that counts":                {pull(toldRateLimited, "shop/web"), Share{Kind: "Registry", Name: "docker.io", Cause: "image-rate-limited"}},
		"a registry that refuses a namespace":   {pull(toldUnauthorized, "r.example/shop/web:1"), Share{Kind: "Registry", Namespace: "shop", Name: "r.example", Cause: "image-unauthorized"}},
		"an image that is not there":            {pull(toldNotFound, "r.example/shop/web:1"), Share{}},
		"an image whose name is none":           {pull(toldUnreachable, "r.example/<!channel>"), Share{}},
		"a ConfigMap that is missing":           {lacks(false), Share{Kind: "ConfigMap", Namespace: "shop", Name: "settings", Cause: "missing-config-map"}},
		"a ConfigMap that has come":             {lacks(true), Share{}},
		"two ConfigMaps, and which is not told": {lacks(false, Reference{Kind: "ConfigMap", Name: "more"}), Share{}},
		"a quota that is seen to be full":       {quota(gate.Known(true)), Share{Kind: "ResourceQuota", Namespace: "shop", Name: "compute", Cause: "quota-exceeded"}},
		"a quota of which somebody speaks":      {quota(gate.Unknown[bool]("not read")), Share{}},
		"a class that is missing":               {class("fast"), Share{Kind: "StorageClass", Name: "fast", Cause: "storage-class-missing"}},
		"a crash":                               {world(failing(2, Exit{Code: 1, Reason: "Error"})), Share{}},
	} {
		if got := Shared(c.w); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// TestTheOpinionOnWhatIsShared shows that it has the cause of each, and nothing that could be done to one of them.
func TestTheOpinionOnWhatIsShared(t *testing.T) {
	a := AssessShared(Share{Kind: "Registry", Name: "r.example", Cause: "registry-unreachable"}, 10, 2)
	if score, _ := a.Score.Get(); a.Cause != "registry-unreachable" || score != 100-20-pointsChoice || a.Findings[0].Text != "The registry cannot be reached (Registry/r.example): 10 workloads in 2 namespaces for that" {
		t.Errorf("the opinion is %+v", a)
	}
	if unknown := AssessShared(Share{Kind: "Registry", Name: "r.example", Cause: "made-up"}, 3, 1); unknown.Cause != gate.CauseOther {
		t.Errorf("a cause of nobody's is %q", unknown.Cause)
	}
}
