package drift

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"path"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/kustomize/api/types"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/render"
)

var (
	kustomizationKind = schema.GroupKind{Group: "kustomize.toolkit.fluxcd.io", Kind: "Kustomization"}
	gitRepositoryKind = schema.GroupKind{Group: "source.toolkit.fluxcd.io", Kind: "GitRepository"}
	// fluxVersions are those of Flux's kinds whose fields are known here, the newest first.
	fluxVersions = []string{"v1", "v1beta2"}
)

// fluxSpec are the fields of a Kustomization that say what is applied.
type fluxSpec struct {
	SourceRef               fluxRef          `json:"sourceRef"`
	Path                    string           `json:"path"`
	TargetNamespace         string           `json:"targetNamespace"`
	NamePrefix              string           `json:"namePrefix"`
	NameSuffix              string           `json:"nameSuffix"`
	Patches                 []types.Patch    `json:"patches"`
	Images                  []types.Image    `json:"images"`
	Components              []string         `json:"components"`
	IgnoreMissingComponents bool             `json:"ignoreMissingComponents"`
	CommonMetadata          fluxMetadata     `json:"commonMetadata"`
	PostBuild               fluxPostBuild    `json:"postBuild"`
	KubeConfig              *json.RawMessage `json:"kubeConfig"`
	Ignore                  []fluxIgnore     `json:"ignore"`
}

type fluxRef struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Namespace  string `json:"namespace"`
	Optional   bool   `json:"optional"`
}

type fluxMetadata struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

type fluxPostBuild struct {
	Substitute     map[string]string `json:"substitute"`
	SubstituteFrom []fluxRef         `json:"substituteFrom"`
}

// fluxTiming are the fields that say when and how things are applied, and not what. Any other field may change what is applied, so
// that nothing is compared where one is not known.
var fluxTiming = []string{"interval", "retryInterval", "timeout", "prune", "deletionPolicy", "force", "wait", "healthChecks", "healthCheckExprs",
	"dependsOn", "serviceAccountName", "suspend", "decryption"}

// kustomizations are what Flux delivers by its Kustomizations.
func (d *Detector) kustomizations(ctx context.Context, namespace string) ([]Delivered, error) {
	items, err := d.every(ctx, kustomizationKind, namespace, fluxVersions...)
	var all []Delivered
	sources := map[client.ObjectKey]fluxSource{}
	for i := range items {
		all = append(all, d.kustomization(ctx, &items[i], sources)...)
	}
	return all, err
}

func (d *Detector) kustomization(ctx context.Context, u *unstructured.Unstructured, sources map[client.ObjectKey]fluxSource) []Delivered {
	revision, _, _ := unstructured.NestedString(u.Object, "status", "lastAppliedRevision")
	if revision == "" {
		return nil // it never applied anything
	}
	y := Delivered{Name: "kustomization/" + u.GetNamespace() + "/" + u.GetName(), Class: DeliveryCompared, owner: refOf(u)}
	y.Suspended, _ = cluster.Reconciled(u)
	y.pruned, _, _ = unstructured.NestedBool(u.Object, "spec", "prune")
	y.at, y.unrest = fluxRest(u, revision)
	if err := d.flux(ctx, &y, u, revision, sources); err != nil {
		y.fail(err)
	}
	return y.split(inventory(u))
}

// flux fills in what a Kustomization applied.
func (d *Detector) flux(ctx context.Context, y *Delivered, u *unstructured.Unstructured, revision string, sources map[client.ObjectKey]fluxSource) error {
	var s fluxSpec
	if err := strictly(u, fluxTiming, &s); err != nil {
		return err
	}
	observed, known, _ := unstructured.NestedInt64(u.Object, "status", "observedGeneration")
	switch {
	case s.KubeConfig != nil:
		return unsupportedf("it delivers to another cluster")
	case known && observed < u.GetGeneration() && !y.Suspended:
		return between{"it was changed, and what it says now was not applied yet"}
	case s.SourceRef.Kind != gitRepositoryKind.Kind:
		return unsupportedf("its source is of the kind %s, and only what a GitRepository holds is read", cmp.Or(s.SourceRef.Kind, "(none)"))
	}
	commit, err := commitOf(revision)
	if err != nil {
		return err
	}
	if y.spec, err = d.fluxSpec(ctx, u.GetNamespace(), s); err != nil {
		return err
	}
	y.rules = s.Ignore
	key := client.ObjectKey{Namespace: cmp.Or(s.SourceRef.Namespace, u.GetNamespace()), Name: s.SourceRef.Name}
	from, read := sources[key]
	if !read {
		from = d.gitRepository(ctx, key)
		sources[key] = from
	}
	if from.err != nil {
		return from.err
	}
	y.From, y.secret, y.certificates = from.Repository, from.secret, from.certificates
	y.From.Path, y.From.Commit = reachOf(y.spec), commit
	if from.head != "" && from.head != commit {
		y.Head = from.head
	}
	return nil
}

// strictly reads the spec of an object of a kind that is somebody else's, but for fields that do not matter.
func strictly(u *unstructured.Unstructured, but []string, into any) error {
	spec, _, _ := unstructured.NestedMap(u.Object, "spec")
	for _, field := range but {
		delete(spec, field)
	}
	return decodeStrictly(spec, into)
}

func decodeStrictly(content, into any) error {
	b, err := json.Marshal(content)
	if err != nil {
		return unknownf("it cannot be read")
	}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		if field, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
			return unsupportedf("it has the field %s, which this version does not know", field)
		}
		return unsupportedf("its spec is not of the form that this version knows")
	}
	return nil
}

// fluxSpec is how Flux renders what a Kustomization says.
func (d *Detector) fluxSpec(ctx context.Context, namespace string, s fluxSpec) (render.Spec, error) {
	for _, p := range s.Patches {
		if p.Path != "" {
			return render.Spec{}, unsupportedf("one of its patches names a file")
		}
	}
	spec := render.Spec{Path: folderOf(s.Path), TargetNamespace: s.TargetNamespace, NamePrefix: s.NamePrefix, NameSuffix: s.NameSuffix,
		Labels: s.CommonMetadata.Labels, Annotations: s.CommonMetadata.Annotations, Patches: s.Patches, Images: s.Images,
		Components: s.Components, IgnoreMissingComponents: s.IgnoreMissingComponents,
		Substitution: render.Substitution{Values: s.PostBuild.Substitute}}
	for _, from := range s.PostBuild.SubstituteFrom {
		values, err := d.values(ctx, namespace, from)
		if err != nil {
			return render.Spec{}, err
		}
		spec.Substitution.From = append(spec.Substitution.From, values...)
	}
	return spec, nil
}

// values are what a ConfigMap sets. A Secret is named and not read: what it may set is unknown.
func (d *Detector) values(ctx context.Context, namespace string, from fluxRef) ([]render.Values, error) {
	switch from.Kind {
	case "Secret":
		return []render.Values{{Secret: from.Name}}, nil
	case "ConfigMap":
	default:
		return nil, unsupportedf("its variables come from the kind %s", cmp.Or(from.Kind, "(none)"))
	}
	var m corev1.ConfigMap
	err := d.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: from.Name}, &m)
	if apierrors.IsNotFound(err) && from.Optional {
		return nil, nil
	}
	if err != nil {
		return nil, unknownf("ConfigMap %s, which sets variables of it, cannot be read: %s", from.Name, unanswered(err))
	}
	return []render.Values{{Data: m.Data}}, nil
}

// folderOf is a folder as it is written, as a path from the root of a repository; empty is the root. One that leads out stays as it
// is, for whoever reads to refuse.
func folderOf(written string) string {
	clean := strings.TrimPrefix(path.Clean(written), "/")
	if clean == "." {
		return ""
	}
	return clean
}

// reachOf is the folder that has to be read for a rendering: the one that holds the folder and all components that are added to it.
func reachOf(s render.Spec) string {
	reach := s.Path
	for _, c := range s.Components {
		at := folderOf(path.Join(s.Path, c))
		for reach != "" && at != reach && !strings.HasPrefix(at, reach+"/") && !strings.HasPrefix(at, "..") {
			reach = folderOf(path.Dir(reach))
		}
	}
	return reach
}

var revisions = []*regexp.Regexp{
	regexp.MustCompile(`^(?:[^@]{1,256}@)?sha1:([0-9a-f]{40})$`),
	regexp.MustCompile(`^(?:.{1,256}/)?([0-9a-f]{40})$`), // before Flux 2
}

// commitOf is the commit that a revision names: main@sha1:0123… .
func commitOf(revision string) (string, error) {
	for _, form := range revisions {
		if m := form.FindStringSubmatch(revision); m != nil {
			return m[1], nil
		}
	}
	return "", unsupportedf("the revision that it applied last is no commit of Git by SHA-1: %s", line(revision[:min(len(revision), 128)]))
}

// inventory is what a Kustomization applied. An entry that cannot be read names nothing.
func inventory(u *unstructured.Unstructured) map[source.Name]bool {
	raw, _, _ := unstructured.NestedSlice(u.Object, "status", "inventory", "entries")
	applied := map[source.Name]bool{}
	for _, entry := range raw {
		one, _ := entry.(map[string]any)
		id, _ := one["id"].(string)
		if part := strings.Split(id, "_"); len(part) == 4 {
			applied[source.Name{Namespace: part[0], Name: part[1], Group: part[2], Kind: part[3]}] = true
		}
	}
	return applied
}

// fluxRest is when a Kustomization applied last, as far as that is known, and why it may have applied something else since.
func fluxRest(u *unstructured.Unstructured, applied string) (at time.Time, unrest string) {
	if attempted, _, _ := unstructured.NestedString(u.Object, "status", "lastAttemptedRevision"); attempted != "" && attempted != applied {
		unrest = "another commit was tried"
	}
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range conditions {
		switch one, _ := c.(map[string]any); {
		case one["type"] == "Ready" && one["status"] == "True":
			at = latest(at, one["lastTransitionTime"])
		case one["type"] == "Ready" && one["status"] != "False", one["type"] == "Reconciling" && one["status"] == "True":
			unrest = "it is at work"
		}
	}
	history, _, _ := unstructured.NestedSlice(u.Object, "status", "history")
	for _, h := range history {
		one, _ := h.(map[string]any)
		at = latest(at, one["lastReconciled"])
	}
	return at, unrest
}

// latest is the later of a time and one that is written somewhere. What is written in another way says no time.
func latest(at time.Time, written any) time.Time {
	text, _ := written.(string)
	if t, err := time.Parse(time.RFC3339, text); err == nil && t.After(at) {
		return t
	}
	return at
}
