package render

import (
	"cmp"
	"path"

	"moorgate.dev/internal/source"
)

// Own is how a folder is rendered that nobody says anything more about.
func Own(folder string) Spec { return Spec{Path: folder, Topmost: true} }

// Declared are the objects that a folder of a repository declares: as they are written where the folder is plain, and
// as kustomize makes them where the folder, or one in it, holds a kustomization. There the Root of an object says so. Files
// beyond the folder declare nothing by themselves.
func Declared(files map[string][]byte, folder string, w source.Wanted) ([]source.Object, error) {
	at, err := inside("", folder)
	if err != nil {
		return nil, err
	}
	if len(roots(files, at)) == 0 {
		plain := map[string][]byte{}
		for _, file := range paths(files, at) {
			plain[file] = files[file]
		}
		return source.Read(plain, w)
	}
	made, err := Render(files, Own(at))
	if err != nil {
		return nil, err
	}
	root, found := Root(files, at)
	if !found {
		root = cmp.Or(path.Clean(at), ".")
	}
	return source.Made(root, made.Objects, w)
}
