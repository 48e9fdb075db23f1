package drift

import (
	"context"
	"strings"
	"sync"
	"testing"

	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/render"
)

// TestEditsAreFoundSideBySide has several looks at one tree at once, as where somebody waits for the answer.
func TestEditsAreFoundSideBySide(t *testing.T) {
	made := parse(treeOf(estate(4, 3)), tree{}, "shop", render.Own("deploy"))
	var at sync.WaitGroup
	for range 3 {
		for _, o := range made.objects {
			at.Go(func() {
				l := newLook(o.unfold(), "c0ffee")
				l.drifts = []Drift{{Path: fieldsOf("spec", "replicas"), Git: int64(2), Live: int64(5)}}
				(&Detector{}).plan(t.Context(), l, made, false)
				if p := l.proposals[0]; p.why != "" || !strings.HasPrefix(p.where, "deploy/kustomization.yaml:") {
					t.Errorf("%s: %+v", o.Name.Name, p)
				}
			})
		}
	}
	at.Wait()
}

func TestNothingIsEditedAmongTooManyOthers(t *testing.T) {
	made := parse(treeOf(estate(1, 600)), tree{}, "shop", render.Own("deploy"))
	l := newLook(made.objects[0].unfold(), "c0ffee")
	l.drifts = []Drift{{Path: fieldsOf("spec", "replicas"), Git: int64(2), Live: int64(5)}}
	(&Detector{}).plan(t.Context(), l, made, false)
	if p := l.proposals[0]; !strings.Contains(p.why, "too many other kustomizations") {
		t.Errorf("got %+v", p)
	}
}

func TestAPlanHoldsForTheSameDriftAlone(t *testing.T) {
	made := parse(treeOf(map[string]string{"deploy/web.yaml": baseOfWeb}), tree{}, "shop", render.Own("deploy"))
	o, _ := made.find(source.Name{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"})
	planned := func(ctx context.Context, live any) proposal {
		l := newLook(o.unfold(), "c0ffee")
		l.drifts = []Drift{{Path: fieldsOf("spec", "replicas"), Git: int64(2), Live: live}}
		(&Detector{}).plan(ctx, l, made, false)
		return l.proposals[0]
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if p := planned(over, int64(5)); p.why == "" {
		t.Errorf("there was no time, and there is an edit: %+v", p)
	}
	if p := planned(t.Context(), int64(5)); p.edit.New != "5" {
		t.Errorf("a lack of time is remembered: %+v", p)
	}
	made.ground.files = nil // whatever is looked for now is not found
	if p := planned(t.Context(), int64(5)); p.edit.New != "5" {
		t.Errorf("the same drift is looked for again: %+v", p)
	}
	if p := planned(t.Context(), int64(6)); p.why == "" {
		t.Errorf("another value has the old edit: %+v", p)
	}
}
