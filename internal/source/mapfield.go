package source

import (
	"errors"
	"maps"
	"reflect"
	"slices"
)

// mostRenders bounds how many renders one field may take.
const mostRenders = 400

// Origin is the one scalar in a repository that makes a rendered field.
type Origin struct {
	File     string
	Document int
	Path     Path // within the document
	Line     int
	Part     Part // of the rendered value that the scalar makes
	Value    any  // the rendered value as it is
	Renders  int  // that it took
}

// MapField finds the scalar that makes one rendered field, by trying: it changes a scalar to a value that nothing else has,
// renders again and looks where that value comes out, many scalars at once and then by halves. roots are all that may read
// the files, by their folders, the tracked one among them. The scalar wins where it moves this field of this object alone,
// in all roots: an overlay's own place is found before a base because it is the one that has the last word, and a base that
// others share is refused. The error is a *Refusal; a value is never repeated in it.
func MapField(files map[string][]byte, roots map[string]Renderer, root string, object Name, p Path) (Origin, error) {
	return mapField(files, roots, root, object, p, func(any, Part) error { return nil })
}

// mapField finds the scalar that makes the part of the field that fits.
func mapField(files map[string][]byte, roots map[string]Renderer, root string, object Name, p Path, fits func(value any, part Part) error) (Origin, error) {
	m := &mapper{files: files, roots: roots, root: root, path: p, left: mostRenders}
	if err := m.begin(object); err != nil {
		return Origin{}, err
	}
	value, depth := follow(m.before[m.object], p)
	if depth < len(p) {
		return Origin{}, refuse(NotFound, "%s is not in what is rendered", p)
	}
	switch value.(type) {
	case map[string]any, []any, nil:
		return Origin{}, refuse(NotScalar, "%s is not a single value", p)
	}
	m.value = value
	all := candidates(files, value, p)
	for _, near := range []bool{true, false} {
		m.search(slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return c.near != near }))
		if len(m.makers) > 0 || m.left <= 0 {
			break
		}
	}
	o, err := m.verdict(fits)
	o.Renders = mostRenders - m.left
	return o, err
}

type mapper struct {
	files  map[string][]byte
	roots  map[string]Renderer
	root   string
	object Name
	path   Path
	value  any
	before rendered
	left   int // renders that may still be made
	makers []maker
}

// maker is a candidate that moves the field.
type maker struct {
	candidate
	whole bool // the field becomes what the candidate is dyed with
	alone bool // nothing else in the root moves
}

func (m *mapper) begin(object Name) error {
	r, known := m.roots[m.root]
	if !known {
		return refuse(NotRead, "there is no root of that name")
	}
	var err error
	if m.before, err = render(r, m.files); err != nil {
		return refuse(NotRead, "the root cannot be rendered")
	}
	var found bool
	if m.object, found = m.before.find(object); !found {
		return refuse(NotRead, "the root does not render %s %s", object.Kind, object.Name)
	}
	return nil
}

// search tries a set of candidates at once, and by halves where the field moves or the root no longer renders.
func (m *mapper) search(set []candidate) {
	if len(set) == 0 || m.left <= 0 {
		return
	}
	after, err := m.dye(set)
	is, reached := follow(after[m.object], m.path)
	if err == nil && reached == len(m.path) && same(is, m.value) {
		return
	}
	if len(set) > 1 {
		m.search(set[:len(set)/2])
		m.search(set[len(set)/2:])
		return
	}
	c := set[0]
	switch {
	case err != nil:
		return
	case reached == len(m.path) && c.dye != nil && same(is, replaced(m.value, c.part, c.dye)):
		alone := len(m.before.others(after, m.object)) == 0 && moved(m.before[m.object], after[m.object], Set, m.path, is)
		m.makers = append(m.makers, maker{candidate: c, whole: true, alone: alone})
	case c.refusal != nil || reached == len(m.path):
		m.makers = append(m.makers, maker{candidate: c})
	}
}

func (m *mapper) dye(set []candidate) (rendered, error) {
	m.left--
	files := maps.Clone(m.files)
	ordered := slices.SortedFunc(slices.Values(set), func(a, b candidate) int { return b.from - a.from })
	for _, c := range ordered {
		old := files[c.file]
		files[c.file] = slices.Concat(old[:c.from], []byte(c.text), old[c.to:])
	}
	return render(m.roots[m.root], files)
}

// verdict is the one maker that may be edited, or why there is none.
func (m *mapper) verdict(fits func(any, Part) error) (Origin, error) {
	switch {
	case m.left <= 0:
		return Origin{}, refuse(Costly, "%s was not found in %d renders", m.path, mostRenders)
	case len(m.makers) == 0:
		return Origin{}, refuse(NotFound, "no single value in Git makes %s", m.path)
	}
	slices.SortStableFunc(m.makers, func(a, b maker) int { return a.rank() - b.rank() })
	best := m.makers[max(0, slices.IndexFunc(m.makers, func(k maker) bool { return k.whole && fits(m.value, k.part) == nil }))]
	switch misfit := fits(m.value, best.part); {
	case best.refusal != nil:
		return Origin{}, m.unfit(best.candidate, best.refusal)
	case !best.whole:
		return Origin{}, m.unfit(best.candidate, refuse(Composite, "it makes %s together with others", m.path))
	case misfit != nil:
		return Origin{}, m.unfit(best.candidate, misfit)
	case best.alone:
		return m.origin(best.candidate)
	}
	why := refuse(Shared, "a change there would move more than %s", m.path)
	if _, err := Splice(m.files[best.file], best.document, best.path, best.dye); err != nil {
		_ = errors.As(err, &why) // an anchor is shared too, and the more exact answer
	}
	return Origin{}, m.unfit(best.candidate, why)
}

// rank puts what makes the whole field first, alone before with others, and what may not be edited before what is no
// scalar of its own.
func (k maker) rank() int {
	switch {
	case k.whole && k.alone && k.refusal == nil:
		return 0
	case k.whole:
		return 1
	case k.refusal != nil:
		return 2
	}
	return 3
}

// origin is the place of a candidate, if it can be edited and no other root reads it.
func (m *mapper) origin(c candidate) (Origin, error) {
	e, err := Splice(m.files[c.file], c.document, c.path, c.dye)
	if err != nil {
		return Origin{}, m.unfit(c, asRefusal(err))
	}
	after := maps.Clone(m.files)
	after[c.file] = e.Bytes
	if err := m.elsewhere(after); err != nil {
		return Origin{}, m.unfit(c, err)
	}
	return Origin{File: c.file, Document: c.document, Path: c.path, Line: c.line, Part: c.part, Value: m.value}, nil
}

// elsewhere refuses files that change what any other root renders. What cannot be rendered before cannot be compared. A
// Renderer that refuses them itself, with a *Refusal, has said why.
func (m *mapper) elsewhere(after map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(m.roots)) {
		if name == m.root {
			continue
		}
		was, err := render(m.roots[name], m.files)
		if err != nil {
			return refuse(NotRead, "the root %s, which may read it too, cannot be rendered", name)
		}
		is, err := render(m.roots[name], after)
		m.left -= 2
		if why := (*Refusal)(nil); errors.As(err, &why) {
			return why
		}
		if err != nil || !reflect.DeepEqual(was, is) {
			return refuse(Shared, "it moves the root %s too", name)
		}
	}
	return nil
}

// unfit names the place with why it is not edited.
func (m *mapper) unfit(c candidate, err error) error {
	why := asRefusal(err)
	return refuse(why.Rule, "%s:%d: %s", c.file, c.line, why.Text)
}
