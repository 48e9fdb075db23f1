package drift

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/render"
)

// What Flux and Argo CD deliver needs no GitSource: their own objects say which repository, which folder and which commit they
// applied last, and which objects came of it. What they deliver to one namespace is compared like a GitSource in it. It is compared with
// the commit that was applied last, and not with the head of a branch: where the head is ahead, that is not delivered yet, and no
// drift.

// Delivered is what Flux or Argo CD delivers to one namespace.
type Delivered struct {
	Namespace string // that it delivers to
	// Name is stable, and no GitSource can have it: kustomization/flux-system/apps.
	Name      string
	From      Repository // with the commit that was applied last
	Suspended bool
	Head      string // the commit that is at hand and was not applied yet; empty where there is none
	// Problem is why it is not compared, and Class one of DeliveryClasses.
	Problem, Class string

	owner   gate.Ref         // the object that delivers it
	between bool             // the Problem is that it is about to be delivered anew
	stored  client.ObjectKey // where Helm keeps what was applied; empty: it is read from Git
	secret  client.ObjectKey // with what its repository is read; empty: with nothing
	// certificates are in another Secret, where one is named: they stand in the place of those that secret has.
	certificates client.ObjectKey
	spec         render.Spec
	flat         bool                 // of a plain folder, the folders in it are not delivered
	ignores      []argoIgnore         // what is passed over, by the word of who delivers
	rules        []fluxIgnore         // likewise
	home         *Delivered           // of a HelmRelease, what delivered that; nil: nobody is known to have
	twin         string               // who brings the HelmRelease out of the same folder to another namespace
	applied      map[source.Name]bool // what came of it, by names that may lack what nobody compares
	stale        map[source.Name]bool // what of that Argo CD would prune
	pruned       bool                 // what Git does not declare any more is taken away
	several      bool                 // it is one of several sources of an Application
	at           time.Time            // when it was applied last; zero: that does not stand there
	unrest       string               // why what is live may be something else than what was applied last
}

// The classes of what is delivered: a closed list.
const (
	DeliveryCompared    = "compared"
	DeliveryUnsupported = "unsupported" // it delivers in a way that this version cannot render, or from where it cannot read
	DeliveryUnknown     = "unknown"     // what it applied last, or what it is made of, could not be read
)

// DeliveryClasses lists all classes.
func DeliveryClasses() []string {
	return []string{DeliveryCompared, DeliveryUnsupported, DeliveryUnknown}
}

// mostDeliveries bounds what is compared: each costs requests in every round.
const mostDeliveries = 2000

var errManyDeliveries = fmt.Errorf("there are more than %d deliveries, and only the first are compared", mostDeliveries)

// Key is the name by which it is compared, as a GitSource is by its own.
func (y Delivered) Key() client.ObjectKey {
	return client.ObjectKey{Namespace: y.Namespace, Name: y.Name}
}

// same reports whether two make the same objects of the same commit.
func (y Delivered) same(other Delivered) bool {
	if y.twin != other.twin || (y.home == nil) != (other.home == nil) || y.home != nil && (y.home.Head != other.home.Head || !y.home.same(*other.home)) {
		return false
	}
	return y.From == other.From && y.stored == other.stored && y.secret == other.secret && y.certificates == other.certificates && y.flat == other.flat && reflect.DeepEqual(y.spec, other.spec) && maps.Equal(y.applied, other.applied)
}

// said tells what people should know of it beside a commit.
func (y *Delivered) said() string {
	if y == nil {
		return ""
	}
	text := "applied last by " + Title(y.Key())
	if y.Suspended {
		text += ", which is suspended"
	}
	if y.Head != "" {
		text += fmt.Sprintf("; commit %.12s is not delivered yet", y.Head)
	}
	return text
}

// deliverers are the kinds of what delivers, by the first part of a Delivered's name.
var deliverers = map[string]string{"kustomization": kustomizationKind.Kind, "application": applicationKind.Kind, "helmrelease": helmReleaseKind.Kind}

// Title names to people what is compared: a GitSource, or who delivers.
func Title(key client.ObjectKey) string {
	kind, name, delivered := strings.Cut(key.Name, "/")
	if !delivered {
		return "GitSource " + key.String()
	}
	return deliverers[kind] + " " + name
}

// unsupported, unknown and between say why something is not compared: between, because it will be once it has come to rest.
type (
	unsupported struct{ text string }
	unknown     struct{ text string }
	between     struct{ text string }
)

func (e unsupported) Error() string { return e.text }
func (e unknown) Error() string     { return e.text }
func (e between) Error() string     { return e.text }

func unsupportedf(format string, args ...any) error { return unsupported{fmt.Sprintf(format, args...)} }
func unknownf(format string, args ...any) error     { return unknown{fmt.Sprintf(format, args...)} }

// fail notes why it is not compared.
func (y *Delivered) fail(err error) {
	y.Class = DeliveryUnknown
	if errors.As(err, &unsupported{}) {
		y.Class = DeliveryUnsupported
	}
	y.between = errors.As(err, &between{})
	y.Problem = line(err.Error())
}

// Deliveries are what Flux and Argo CD deliver, as far as their objects are in the given namespace, or in any where it is empty. A
// cluster without their kinds has none. What a GitSource compares already is left to it. The error says what could not be listed; the
// rest is answered beside it.
func (d *Detector) Deliveries(ctx context.Context, namespace string) ([]Delivered, error) {
	var all []Delivered
	kustomizations, err := d.kustomizations(ctx, namespace)
	all = append(all, kustomizations...)
	applications, appErr := d.applications(ctx, namespace)
	all = append(all, applications...)
	releases, helmErr := d.helmReleases(ctx, namespace)
	if len(releases) > 0 && namespace != "" {
		kustomizations, _ = d.kustomizations(ctx, "") // where these cannot be listed, no value is edited
	}
	housed(releases, kustomizations)
	all = append(all, releases...)
	if err = errors.Join(err, appErr, helmErr); len(all) == 0 {
		return nil, err
	}
	taken, takenErr := d.taken(ctx)
	if takenErr != nil {
		return nil, errors.Join(err, takenErr) // or a folder would be compared twice
	}
	all = slices.DeleteFunc(all, func(y Delivered) bool {
		return y.From.URL != "" && taken[placeOf(y.Namespace, y.From.URL, y.spec.Path)]
	})
	slices.SortFunc(all, func(a, b Delivered) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace))
	})
	if len(all) > mostDeliveries {
		err = errors.Join(err, errManyDeliveries)
		all = all[:mostDeliveries]
	}
	return all, err
}

// taken are the folders that GitSources compare, by their namespaces.
func (d *Detector) taken(ctx context.Context) (map[[3]string]bool, error) {
	var list v1alpha1.GitSourceList
	if err := d.Client.List(ctx, &list); err != nil && !meta.IsNoMatchError(err) && !apierrors.IsForbidden(err) {
		return nil, fmt.Errorf("list GitSources: %w", err)
	}
	taken := map[[3]string]bool{}
	for _, g := range list.Items {
		taken[placeOf(g.Namespace, g.Spec.URL, g.Spec.Path)] = true
	}
	return taken, nil
}

// placeOf names a folder of a repository, however it is written, and the namespace that it is for.
func placeOf(namespace, url, folder string) [3]string {
	return [3]string{namespace, strings.TrimSuffix(strings.TrimRight(url, "/"), ".git"), folderOf(folder)}
}

// served is the first of the versions of a kind that the cluster serves. Where it serves none, that is a NoMatch error.
func (d *Detector) served(kind schema.GroupKind, versions ...string) (served schema.GroupVersionKind, err error) {
	for _, version := range versions {
		var mapping *meta.RESTMapping
		if mapping, err = d.Client.RESTMapper().RESTMapping(kind, version); !meta.IsNoMatchError(err) {
			if err == nil {
				served = mapping.GroupVersionKind
			}
			return served, err
		}
	}
	return served, err
}

// every lists the objects of a kind that the cluster may not have, in the first of the versions that it serves.
func (d *Detector) every(ctx context.Context, kind schema.GroupKind, namespace string, versions ...string) ([]unstructured.Unstructured, error) {
	as, err := d.served(kind, versions...)
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for %ss: %w", kind.Kind, err)
	}
	var list unstructured.UnstructuredList
	list.SetGroupVersionKind(as.GroupVersion().WithKind(kind.Kind + "List"))
	if err := d.Client.List(ctx, &list, client.InNamespace(namespace)); err != nil && !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
		return nil, fmt.Errorf("list %ss: %w", kind.Kind, err)
	}
	return list.Items, nil
}

// unanswered is why something could not be read, without the API server's own words.
func unanswered(err error) string {
	if reason := apierrors.ReasonForError(err); reason != metav1.StatusReasonUnknown {
		return string(reason)
	}
	return silentFailure(err)
}

// refOf is an object, as it is named elsewhere.
func refOf(u *unstructured.Unstructured) gate.Ref {
	k := u.GroupVersionKind()
	return gate.Ref{Group: k.Group, Version: k.Version, Kind: k.Kind, Namespace: u.GetNamespace(), Name: u.GetName(), UID: string(u.GetUID())}
}

// split make one for each namespace that something was applied to. Where that is not known, or it is nothing, there is one
// for the namespace of the object that delivers only if something has to be said.
func (y Delivered) split(applied map[source.Name]bool) []Delivered {
	per := map[string]map[source.Name]bool{}
	for n := range applied {
		if n.Namespace == "" {
			continue
		}
		if per[n.Namespace] == nil {
			per[n.Namespace] = map[source.Name]bool{}
		}
		per[n.Namespace][n] = true
	}
	if len(per) == 0 && y.Problem != "" {
		per[y.owner.Namespace] = nil
	}
	var all []Delivered
	for _, namespace := range slices.Sorted(maps.Keys(per)) {
		one := y
		one.Namespace, one.applied = namespace, per[namespace]
		all = append(all, one)
	}
	return all
}
