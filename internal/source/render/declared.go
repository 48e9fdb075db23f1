package render

import (
	"cmp"
	"path"

	"moorgate.dev/internal/source"
)

// Own is how a folder is rendered that nobody says anything more about.
func Own(folder string) Spec { return Spec{Path: folder, Topmost: true} }

// Declared are the objects that a folder of a repository declares: as they are written where the folder is plain and
// nothing is added to it, and as kustomize makes them where the folder, or one in it, holds a kustomization. There the Root of an
// object says so, and Unknown why nobody can say what it should be. Files beyond the folder declare nothing by themselves.
func Declared(files map[string][]byte, s Spec, w source.Wanted) ([]source.Object, error) {
	at, err := inside("", s.Path)
	if err != nil {
		return nil, err
	}
	if len(roots(files, at)) == 0 && s.bare() {
		plain := map[string][]byte{}
		for _, file := range paths(files, at) {
			plain[file] = files[file]
		}
		return source.Read(plain, w)
	}
	s.Path = at
	made, err := Render(files, s)
	if err != nil {
		return nil, err
	}
	root, found := Root(files, at)
	if !found {
		root = cmp.Or(path.Clean(at), ".")
	}
	objects, err := source.Made(root, made.Objects, w)
	return append(objects, source.Unsaid(root, made.Unknown, w)...), err
}
