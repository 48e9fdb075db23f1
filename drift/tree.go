package drift

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/render"
)

// mostObjects is how many objects a GitSource may declare for its namespace: each of them costs requests.
const mostObjects = 5000

// tree is what was read of a repository, and when. It keeps no more than what is compared of the namespace and the files that
// an edit may be about, or that show what an edit moves: ground has them, and Files none.
type tree struct {
	Tree
	ground                            ground
	plans                             *plans
	from                              Repository
	secret                            client.ObjectKey // with what it is read; empty: with nothing
	delivery                          *Delivered       // nil: of a GitSource
	sealer                            *Sealer          // of the values of Secrets; nil: these are not compared
	more                              *More            // kinds that are compared too
	at                                time.Time
	objects                           []folded
	past                              map[source.Name]*past
	elsewhere, impossible, uncompared names
	unsound                           error // what is wrong with the commit
	unread                            error // why the repository could not be read the last time
}

func (t tree) err() error {
	if t.unread != nil {
		return t.unread
	}
	return t.unsound
}

// tree is the repository as it is now. Within the interval it is what was read last, or the error that was; after it, a head
// that has not moved costs one question. moved reports whether the GitSource named another place before.
func (d *Detector) tree(ctx context.Context, key client.ObjectKey, from Repository, secret client.ObjectKey) (t tree, moved bool) {
	d.lock.Lock()
	last, known := d.last[key]
	d.lock.Unlock()
	last.sealer, last.more = d.Secrets, d.More
	if moved = known && last.from != from; moved || !known || last.secret != secret {
		last = tree{from: from, secret: secret, sealer: d.Secrets, more: d.More}
	} else if d.Now().Sub(last.at) < d.interval() {
		return last, false
	}
	read, err := d.read(ctx, from, secret, last.Commit)
	switch {
	case err != nil:
		last.unread = err
	case last.Commit != "" && read.Commit == last.Commit:
		last.unread = nil
	default:
		last = parse(read, last, key.Namespace, render.Own(from.Path))
		last.from, last.secret = from, secret
	}
	last.at = d.Now()
	d.remember(key, last)
	return last, moved
}

// read reads the head of a branch.
func (d *Detector) read(ctx context.Context, from Repository, secret client.ObjectKey, known string) (Tree, error) {
	from, err := d.entered(ctx, from, secret, client.ObjectKey{})
	if err != nil {
		return Tree{}, err
	}
	return d.Git(ctx, from, known)
}

// parse makes a tree of what was read. What is known of an object's past stays known while its manifest stays the same.
func parse(read Tree, before tree, namespace string, spec render.Spec) tree {
	t := tree{Tree: read, past: map[source.Name]*past{}, plans: &plans{}, sealer: before.sealer, more: before.more}
	compared := comparedKinds(t.sealer != nil, t.more)
	objects, err := render.Declared(read.Files, spec, source.Wanted{Namespace: namespace, Kinds: compared, Most: mostObjects})
	t.Files = nil
	if err != nil {
		t.unsound, t.past = err, before.past // what was seen of objects is known when the next commit is sound
		return t
	}
	known := make(map[source.Name]string, len(before.objects))
	for _, k := range before.objects {
		known[k.Name] = k.text
	}
	others := map[string]int{}
	for _, o := range objects {
		at := whence(o)
		if !slices.Contains(compared, schema.GroupKind{Group: o.Group, Kind: o.Kind}) {
			others[kindName(o.Name)]++
			continue
		}
		switch {
		case o.Namespace != namespace:
			t.elsewhere.add(fmt.Sprintf("%s in namespace %s (%s)", called(o.Name), gate.OneLine(o.Namespace, 128), at))
			continue
		case len(validation.IsDNS1123Subdomain(o.Name.Name)) > 0:
			t.impossible.add(fmt.Sprintf("%q (%s)", gate.OneLine(o.Name.Name, 128), at))
			continue
		}
		if secretName(o.Name) && o.Unknown == "" {
			var why string
			if o.Desired, why = t.sealer.sealed(o.Desired, namespace); why != "" {
				others["Secret: "+why]++
				continue
			}
		}
		k := fold(o)
		t.objects = append(t.objects, k)
		t.past[o.Name] = &past{since: read.Time, exact: before.Commit != "" && before.unsound == nil}
		if old := before.past[o.Name]; old != nil {
			t.past[o.Name].there, t.past[o.Name].loss = old.there, old.loss
		}
		if was, declared := known[o.Name]; declared && was == k.text {
			t.past[o.Name] = before.past[o.Name]
		}
	}
	t.ground = groundOf(read, spec, t.objects)
	for _, kind := range slices.Sorted(maps.Keys(others)) {
		t.uncompared.add(fmt.Sprintf("%s (%d)", kind, others[kind]))
	}
	return t
}

// called is how an object is named to people, whose name may be anything.
func called(n source.Name) string { return n.Kind + "/" + gate.OneLine(n.Name, 128) }

// kindName is how a kind is named to people that is not compared, and which may be called anything; with why, where that is known.
func kindName(n source.Name) string {
	k := schema.GroupKind{Group: n.Group, Kind: n.Kind}
	name := gate.OneLine(k.String(), 128)
	if why := uncompared[k]; why != "" {
		return name + ": " + why
	}
	return name
}

func (d *Detector) remember(key client.ObjectKey, t tree) {
	d.lock.Lock()
	defer d.lock.Unlock()
	if d.last == nil {
		d.last = map[client.ObjectKey]tree{}
	}
	d.last[key] = t
}

func (d *Detector) forget(key client.ObjectKey) {
	d.lock.Lock()
	defer d.lock.Unlock()
	delete(d.last, key)
	delete(d.standing, key)
	delete(d.sweep, key)
	delete(d.searched, key)
}

// names are the first few of many, and how many there are.
type names struct {
	first []string
	all   int
}

func (n *names) add(name string) {
	const shown = 5
	if n.all++; n.all <= shown {
		n.first = append(slices.Clip(n.first), name)
	}
}

var plainFile = regexp.MustCompile(`^[A-Za-z0-9._/@+-]{1,256}$`)

// whence tells where an object is declared.
func whence(o source.Object) string {
	if o.Root != "" {
		return "rendered by kustomize from " + fileName(o.Root)
	}
	return fmt.Sprintf("%s:%d", fileName(o.File), o.Line)
}

// fileName is how a file of a repository is named to people: in quotes where its name could be read as something else.
func fileName(file string) string {
	if plainFile.MatchString(file) {
		return file
	}
	return strconv.Quote(gate.OneLine(file, 256))
}
