package drift

import (
	"context"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/render"
)

// Past is what some files held before a commit: package forge's Past has the same fields.
type Past struct {
	Versions []map[string][]byte // the latest first
	Whole    bool                // there are no older ones
}

// forgiving is how long a past that could not be read is not asked for again.
const forgiving = time.Hour

// saidImages are the images that Git said for an object in the past.
type saidImages struct {
	images map[string]bool
	why    string // why there may be more; empty: there are no more
	until  time.Time
}

// older says whether Git once said an image for the object. It is asked once for each commit and object, and only where an image
// differs.
func (d *Detector) older(ctx context.Context, l *look, t tree) func(image string) gate.Fact[bool] {
	if d.Past == nil || t.plans == nil {
		return nil
	}
	return func(image string) gate.Fact[bool] {
		said, known := t.plans.said(l.object.Name)
		if !known || !said.until.IsZero() && !d.Now().Before(said.until) {
			said = d.saidBefore(ctx, l.object, t)
			t.plans.learn(l.object.Name, said)
		}
		if said.images[image] {
			return gate.Known(true)
		}
		if said.why != "" {
			return gate.Unknown[bool](said.why)
		}
		return gate.Known(false)
	}
}

// saidBefore reads the past of what declares an object. A version that cannot be understood says nothing, and leaves open what it
// said.
func (d *Detector) saidBefore(ctx context.Context, o source.Object, t tree) saidImages {
	bounded, cancel := context.WithTimeout(ctx, planTime)
	defer cancel()
	files := []string{o.File}
	if o.Root != "" {
		files = slices.Sorted(maps.Keys(t.ground.files))
	}
	from := t.place()
	secret, certificates := t.secret, client.ObjectKey{}
	if t.delivery != nil {
		secret, certificates = t.delivery.secret, t.delivery.certificates
	}
	from, err := d.entered(bounded, from, secret, certificates)
	var past Past
	if err == nil {
		past, err = d.Past(bounded, from, t.Commit, files)
	}
	if err != nil {
		return saidImages{why: "the past of the repository cannot be read", until: d.Now().Add(forgiving)}
	}
	said := saidImages{images: map[string]bool{}}
	if !past.Whole {
		said.why = "Git says more than was gone back to"
	}
	for _, files := range past.Versions {
		if bounded.Err() != nil {
			said.why, said.until = "there was no time to go through the past of the repository", d.Now().Add(forgiving)
			break
		}
		objects, err := render.Declared(files, t.ground.spec, source.Wanted{Namespace: o.Namespace, Kinds: []schema.GroupKind{{Group: o.Group, Kind: o.Kind}}})
		if err != nil {
			said.why = "what Git said in the past cannot all be understood"
			continue
		}
		if was, declared := source.Find(objects, o.Name); declared && was.Desired != nil {
			imagesIn(was.Desired.Object, said.images)
		}
	}
	return said
}

// imagesIn notes all images in an object.
func imagesIn(v any, images map[string]bool) {
	switch t := v.(type) {
	case map[string]any:
		for name, inner := range t {
			if image, isText := inner.(string); isText && name == "image" {
				images[image] = true
			}
			imagesIn(inner, images)
		}
	case []any:
		for _, inner := range t {
			imagesIn(inner, images)
		}
	}
}

func (p *plans) said(n source.Name) (saidImages, bool) {
	p.lock.Lock()
	defer p.lock.Unlock()
	said, known := p.pasts[n]
	return said, known
}

func (p *plans) learn(n source.Name, said saidImages) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.pasts == nil {
		p.pasts = map[source.Name]saidImages{}
	}
	p.pasts[n] = said
}
