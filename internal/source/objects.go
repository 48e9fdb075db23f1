package source

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
)

// Name names an object the way a manifest does, whatever the version of its API.
type Name struct {
	Group, Kind, Namespace, Name string
}

// Object is an object that a repository declares.
type Object struct {
	Name
	File     string // path in the repository
	Document int    // which document of the file, from 0
	Line     int    // where the document begins, from 1
	Desired  *unstructured.Unstructured
	// Root is the kustomization file whose rendering made the object: it stands in no single place, so File is Root, and
	// Document and Line are zero. It is empty for an object that File declares itself.
	Root string
	// Unknown is why nobody here can say what the object should be. It has no Desired then, and is not absent.
	Unknown string
}

// Wanted says which objects Read answers in full: those of some kinds in one namespace, or all where Kinds is empty.
type Wanted struct {
	Namespace string // of objects that name none
	Kinds     []schema.GroupKind
	Most      int // how many there may be in full; zero is no bound
}

// inFull reports whether what an object should be is asked for, or only that it is declared.
func (w Wanted) inFull(n Name) bool {
	return len(w.Kinds) == 0 || (n.Namespace == w.Namespace && slices.Contains(w.Kinds, schema.GroupKind{Group: n.Group, Kind: n.Kind}))
}

// Read reads the objects that plain YAML files declare, in the order of their paths. Where some kinds are asked about, an object of
// another kind or namespace comes without Desired: it can be told of, and takes no room. Documents that are no
// Kubernetes objects are passed over; a file that is no YAML, a folder that kustomize or Helm would have to render, a List,
// an object that is declared twice, and more objects than the most are errors, of which the first 20 are reported: where
// one file cannot be understood, the others may not mean what they seem to. No error quotes what a document says, except
// the kind, the name and the namespace of an object.
func Read(files map[string][]byte, w Wanted) ([]Object, error) {
	r := reading{Wanted: w, seen: map[Name]place{}}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if err := r.file(file, files[file]); err != nil {
			r.problem(err)
		}
		if err := r.tooMany(); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(r.problems...); err != nil {
		return nil, err
	}
	return r.objects, nil
}

// reading is what Read has so far.
type reading struct {
	Wanted
	objects  []Object
	here     int // objects in full
	seen     map[Name]place
	problems []error
}

func (r *reading) tooMany() error {
	if r.Most > 0 && r.here > r.Most {
		return fmt.Errorf("there are more than %d objects to compare for namespace %s", r.Most, r.Namespace)
	}
	return nil
}

// mostProblems bounds the problems that are told.
const mostProblems = 20

func (r *reading) problem(err error) {
	if n := len(r.problems); n < mostProblems {
		r.problems = append(r.problems, err)
	} else if n == mostProblems {
		r.problems = append(r.problems, errors.New("and more"))
	}
}

type place struct {
	file string
	line int
}

// nameIn is the name of an object, which is of the given namespace where it names none.
func nameIn(u *unstructured.Unstructured, namespace string) Name {
	group := schema.FromAPIVersionAndKind(u.GetAPIVersion(), u.GetKind()).Group
	return Name{Group: group, Kind: u.GetKind(), Namespace: cmp.Or(u.GetNamespace(), namespace), Name: u.GetName()}
}

// Made are the objects that the rendering of a root made, by the rules of Read.
func Made(root string, made []*unstructured.Unstructured, w Wanted) ([]Object, error) {
	r := reading{Wanted: w, seen: map[Name]place{}}
	for _, u := range made {
		r.add(Object{Name: nameIn(u, w.Namespace), File: root, Desired: u, Root: root})
		if err := r.tooMany(); err != nil {
			return nil, err
		}
	}
	return r.objects, errors.Join(r.problems...)
}

// Unsaid are the wanted objects of which the rendering of a root cannot say what they should be, in the order of their names. why
// is by name.
func Unsaid(root string, why map[Name]string, w Wanted) []Object {
	var objects []Object
	for n, text := range why {
		if n.Namespace = cmp.Or(n.Namespace, w.Namespace); w.inFull(n) {
			objects = append(objects, Object{Name: n, File: root, Root: root, Unknown: text})
		}
	}
	slices.SortFunc(objects, func(a, b Object) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name.Name, b.Name.Name))
	})
	return objects
}

// Find returns the object of that name.
func Find(objects []Object, n Name) (Object, bool) {
	i := slices.IndexFunc(objects, func(o Object) bool { return o.Name == n })
	if i < 0 {
		return Object{}, false
	}
	return objects[i], true
}

func (r *reading) file(file string, b []byte) error {
	switch path.Base(file) {
	case "kustomization.yaml", "kustomization.yml", "Kustomization", "Chart.yaml":
		return fmt.Errorf("%s: this folder has to be rendered first, and only plain manifests are read here", file)
	}
	for i, c := range split(b) {
		u, err := decode(b[c.start:c.end])
		if err != nil {
			return fmt.Errorf("%s: document %d, from line %d: %w", file, i+1, c.line, err)
		}
		if u == nil {
			continue
		}
		r.add(Object{Name: nameIn(u, r.Namespace), File: file, Document: i, Line: c.line + blankLines(b[c.start:c.end]), Desired: u})
		if r.Most > 0 && r.here > r.Most {
			return nil
		}
	}
	return nil
}

func (r *reading) add(o Object) {
	if first, twice := r.seen[o.Name]; twice {
		r.problem(fmt.Errorf("%s %s is declared twice: %s:%d and %s:%d", o.Kind, o.Name.Name, first.file, first.line, o.File, o.Line))
		return
	}
	r.seen[o.Name] = place{file: o.File, line: o.Line}
	if r.inFull(o.Name) {
		r.here++
	} else {
		o.Desired = nil
	}
	r.objects = append(r.objects, o)
}

// decode reads one document as kubectl would: the names of fields are told apart by case. It answers nil for what is no
// Kubernetes object.
func decode(document []byte) (*unstructured.Unstructured, error) {
	asJSON, err := toJSON(document)
	if err != nil {
		return nil, err
	}
	var content any
	if err := json.Unmarshal(asJSON, &content); err != nil {
		return nil, errors.New("it holds what JSON cannot say") // the parser's own words may quote it
	}
	object, _ := content.(map[string]any)
	apiVersion, _ := object["apiVersion"].(string)
	kind, _ := object["kind"].(string)
	switch {
	case apiVersion == "" || kind == "":
		return nil, nil
	case apiVersion == "v1" && kind == "List":
		return nil, errors.New("a List is not supported: write its items as documents of their own")
	}
	metadata, isMap := object["metadata"].(map[string]any)
	if !isMap && object["metadata"] != nil {
		return nil, errors.New("its metadata is no map")
	}
	for _, field := range []string{"name", "namespace"} {
		if _, isText := metadata[field].(string); !isText && metadata[field] != nil {
			return nil, fmt.Errorf("its metadata.%s is no text", field)
		}
	}
	if metadata["name"] == nil || metadata["name"] == "" {
		return nil, nil
	}
	return &unstructured.Unstructured{Object: object}, nil
}

// blankLines counts the lines of a document before its first key: its marker, comments and blank lines.
func blankLines(document []byte) int {
	n := 0
	for line := range bytes.Lines(document) {
		text := bytes.TrimSpace(line)
		if len(text) > 0 && text[0] != '#' && !marker(line) {
			return n
		}
		n++
	}
	return 0
}
