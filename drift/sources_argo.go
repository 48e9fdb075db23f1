package drift

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/kustomize/api/types"

	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/render"
)

var applicationKind = schema.GroupKind{Group: "argoproj.io", Kind: "Application"}

// argoSpec are the fields of an Application that say what is applied and what of it is watched.
type argoSpec struct {
	Source            *argoSource  `json:"source"`
	Sources           []argoSource `json:"sources"`
	Destination       argoCluster  `json:"destination"`
	IgnoreDifferences []argoIgnore `json:"ignoreDifferences"`
}

type argoCluster struct {
	Server    string `json:"server"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

type argoSource struct {
	RepoURL        string           `json:"repoURL"`
	Path           string           `json:"path"`
	TargetRevision string           `json:"targetRevision"`
	Chart          string           `json:"chart"`
	Ref            string           `json:"ref"`
	Name           string           `json:"name"`
	Helm           *json.RawMessage `json:"helm"`
	Plugin         *json.RawMessage `json:"plugin"`
	Directory      *argoDirectory   `json:"directory"`
	Kustomize      *argoKustomize   `json:"kustomize"`
}

type argoDirectory struct {
	Recurse bool `json:"recurse"`
}

type argoKustomize struct {
	NamePrefix              string        `json:"namePrefix"`
	NameSuffix              string        `json:"nameSuffix"`
	Namespace               string        `json:"namespace"`
	Images                  []string      `json:"images"`
	Patches                 []types.Patch `json:"patches"`
	Components              []string      `json:"components"`
	IgnoreMissingComponents bool          `json:"ignoreMissingComponents"`
}

// argoTiming are the fields that say when and how things are applied, and not what.
var argoTiming = []string{"project", "syncPolicy", "info", "revisionHistoryLimit"}

// synced is what an Application synced last.
type synced struct {
	Revision  string       `json:"revision"`
	Revisions []string     `json:"revisions"`
	Source    *argoSource  `json:"source"`
	Sources   []argoSource `json:"sources"`
}

// argoStatus are the fields of an Application's status that say what was applied. The others are many and do not matter.
type argoStatus struct {
	Sync struct {
		Status    string   `json:"status"`
		Revision  string   `json:"revision"`
		Revisions []string `json:"revisions"`
	} `json:"sync"`
	History []struct {
		ID int64 `json:"id"`
		synced
		DeployedAt string `json:"deployedAt"`
	} `json:"history"`
	Resources []struct {
		Group, Kind, Namespace, Name string
		RequiresPruning, Hook        bool
	} `json:"resources"`
}

// applications are what Argo CD delivers by its Applications.
func (d *Detector) applications(ctx context.Context, namespace string) ([]Delivered, error) {
	items, err := d.every(ctx, applicationKind, namespace, "v1alpha1")
	var all []Delivered
	for i := range items {
		all = append(all, application(&items[i])...)
	}
	return all, err
}

// application answers each source of an Application that has a folder, at the revision that was synced last.
func application(u *unstructured.Unstructured) []Delivered {
	y := Delivered{Name: "application/" + u.GetNamespace() + "/" + u.GetName(), Class: DeliveryCompared, owner: refOf(u)}
	var status argoStatus
	var spec argoSpec
	said, _, _ := unstructured.NestedMap(u.Object, "status")
	b, err := json.Marshal(said)
	if err == nil {
		err = json.Unmarshal(b, &status)
	}
	if err != nil {
		y.fail(unknownf("its status cannot be read"))
		return y.split(nil)
	}
	applied := map[source.Name]bool{}
	y.stale = map[source.Name]bool{}
	for _, r := range status.Resources {
		n := source.Name{Group: r.Group, Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}
		applied[n] = true
		if r.RequiresPruning && !r.Hook {
			y.stale[n] = true
		}
	}
	y.pruned, _, _ = unstructured.NestedBool(u.Object, "spec", "syncPolicy", "automated", "prune")
	for _, h := range status.History {
		y.at = latest(y.at, h.DeployedAt)
	}
	if len(applied) == 0 {
		return nil // it never applied anything
	}
	if err := strictly(u, argoTiming, &spec); err != nil {
		y.fail(err)
		return y.split(applied)
	}
	y.ignores = spec.IgnoreDifferences
	if to := spec.Destination; (to.Server != "" && to.Server != "https://kubernetes.default.svc") || (to.Name != "" && to.Name != "in-cluster") {
		y.fail(unsupportedf("it delivers to another cluster"))
		return y.split(applied)
	}
	last, err := status.last(spec)
	if err != nil {
		y.fail(err)
		return y.split(applied)
	}
	var all []Delivered
	for i, s := range last.Sources {
		one := y
		if len(last.Sources) > 1 {
			one.Name, one.several = fmt.Sprintf("%s/%d", y.Name, i+1), true
		}
		if s.Ref != "" && s.Path == "" && s.Chart == "" {
			continue // others read values from it; it applies nothing
		}
		if err := one.argo(s, last.Revisions[i]); err != nil {
			one.fail(err)
		}
		if len(status.Sync.Revisions) == 0 && status.Sync.Revision != last.Revisions[i] {
			one.Head = status.Sync.Revision
		}
		all = append(all, one.split(applied)...)
	}
	return all
}

// last is what was synced last: by the last entry of the history, or else what the Application says of now, where that is synced.
func (s argoStatus) last(spec argoSpec) (synced, error) {
	var last synced
	id := int64(-1)
	for _, h := range s.History {
		if h.ID > id {
			id, last = h.ID, h.synced
		}
	}
	if id < 0 {
		if s.Sync.Status != "Synced" {
			return synced{}, unknownf("what it synced last is not known")
		}
		last = synced{Revision: s.Sync.Revision, Revisions: s.Sync.Revisions}
	}
	if last.Source == nil && len(last.Sources) == 0 {
		last.Source, last.Sources = spec.Source, spec.Sources
	}
	if len(last.Sources) == 0 && last.Source != nil {
		last.Sources, last.Revisions = []argoSource{*last.Source}, []string{last.Revision}
	}
	if len(last.Sources) == 0 || len(last.Sources) != len(last.Revisions) {
		return synced{}, unknownf("which revision it synced of which source is not known")
	}
	return last, nil
}

var fullCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// argo fills in what one source of an Application applied.
func (y *Delivered) argo(s argoSource, revision string) error {
	switch {
	case s.Chart != "" || s.Helm != nil:
		return unsupportedf("it is rendered by Helm")
	case s.Plugin != nil:
		return unsupportedf("it is rendered by a plugin")
	case !strings.HasPrefix(s.RepoURL, "http://") && !strings.HasPrefix(s.RepoURL, "https://"):
		return unsupportedf("its repository is not read over https or http")
	case !fullCommit.MatchString(revision):
		return unsupportedf("the revision that it synced last is no commit of Git by SHA-1")
	}
	y.From = Repository{URL: s.RepoURL, Commit: revision}
	if s.TargetRevision != "HEAD" && !fullCommit.MatchString(s.TargetRevision) {
		y.From.Branch = s.TargetRevision
	}
	y.spec = render.Spec{Path: folderOf(s.Path)}
	if s.Kustomize != nil {
		y.spec.Components = s.Kustomize.Components
	}
	y.From.Path = reachOf(y.spec)
	y.flat = s.Directory == nil || !s.Directory.Recurse
	k := s.Kustomize
	if k == nil {
		return nil
	}
	for _, p := range k.Patches {
		if p.Path != "" {
			return unsupportedf("one of its patches names a file")
		}
	}
	y.spec.NamePrefix, y.spec.NameSuffix, y.spec.TargetNamespace = k.NamePrefix, k.NameSuffix, k.Namespace
	y.spec.Patches, y.spec.IgnoreMissingComponents = k.Patches, k.IgnoreMissingComponents
	for _, text := range k.Images {
		y.spec.Images = append(y.spec.Images, imageOf(text))
	}
	return nil
}

// imageOf reads an image as kustomize edit set image does: name=new:tag, new:tag or name=new@digest.
func imageOf(text string) types.Image {
	name, rest, renamed := strings.Cut(text, "=")
	if !renamed {
		rest = text
	}
	var image types.Image
	rest, image.Digest, _ = strings.Cut(rest, "@")
	if i := strings.LastIndex(rest, ":"); i > strings.LastIndex(rest, "/") {
		rest, image.NewTag = rest[:i], rest[i+1:]
	}
	if image.Name = name; renamed {
		image.NewName = rest
	} else {
		image.Name = rest
	}
	return image
}

// shallow are the files that Argo CD reads of a plain folder: those of the folders in it are not among them, unless it is told so.
func (y Delivered) shallow(files map[string][]byte) map[string][]byte {
	if _, rendered := render.Root(files, y.spec.Path); !y.flat || rendered {
		return files
	}
	own := map[string][]byte{}
	for file, content := range files {
		if cmp.Or(strings.TrimPrefix(path.Dir(file), "."), "") == y.spec.Path {
			own[file] = content
		}
	}
	return own
}
