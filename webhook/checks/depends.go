package checks

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// DependsOn is the annotation, on a workload or its template, that names what it depends on: a list with commas of
// service/NAME, statefulset/NAME, deployment/NAME and external/NAME, where the last is a name on the admin's list of probes.
// kind/NAMESPACE/NAME names what is in another namespace, where an admin lets this one ask about it.
const DependsOn = "moorgate.dev/depends-on"

// The kinds of what can be depended on.
const (
	DependService     = "Service"
	DependStatefulSet = "StatefulSet"
	DependDeployment  = "Deployment"
	DependExternal    = "external"
)

// Dependency is one thing that a workload talks to. What is external has no namespace.
type Dependency struct{ Kind, Namespace, Name string }

func (d Dependency) String() string { return d.Kind + " " + name(d.Name) }

// Needed is a dependency with the place that names it. A guess is a bare word that need not be the name of a Service; what a
// variable holds may be secret, so a guess is told by its place alone until a Service of that name is known.
type Needed struct {
	Dependency
	Where string
	Guess bool
}

// Told names it for whoever reads that it could not be looked up.
func (n Needed) Told() string {
	if n.Guess {
		return "the Service that " + name(n.Where) + " may name"
	}
	return n.String()
}

// Needs is what a workload depends on, as far as it says.
type Needs struct {
	List []Needed
	// Left says in words what of it nobody looks at.
	Left []string
}

// Beyond these nothing is read: what looking costs must not grow with a manifest.
const (
	needsMax     = 32
	valueMax     = 4096 // bytes of one value that is searched for hosts
	hostsMax     = 16   // hosts of one value
	declaredMax  = 64   // entries of one annotation
	declaredText = "an entry of " + DependsOn + " is none of service/NAME, statefulset/NAME, deployment/NAME, external/NAME"
)

// DependenciesOf reads what the workload depends on from its annotations, its environment and its arguments. What variables
// and arguments say counts only within its own namespace.
func DependenciesOf(w Workload) Needs {
	r := reading{namespace: w.Ref.Namespace, seen: map[Dependency]int{}}
	r.declared(w.DependsOn)
	r.declared(w.Template.Annotations[DependsOn])
	for _, c := range everyContainer(&w.Template.Spec) {
		r.container(c)
	}
	own := Dependency{Kind: w.Ref.Kind, Namespace: w.Ref.Namespace, Name: w.Ref.Name}
	r.List = slices.DeleteFunc(r.List, func(n Needed) bool { return n.Dependency == own })
	return r.Needs
}

// reading collects Needs.
type reading struct {
	Needs
	namespace string
	seen      map[Dependency]int
	full      bool
}

func (r *reading) add(n Needed) {
	if at, ok := r.seen[n.Dependency]; ok {
		if r.List[at].Guess && !n.Guess {
			r.List[at] = n
		}
		return
	}
	if len(r.List) < needsMax {
		r.seen[n.Dependency] = len(r.List)
		r.List = append(r.List, n)
	} else if !r.full {
		r.full = true
		r.left("more than 32 dependencies; the rest were not looked at")
	}
}

func (r *reading) left(why string) {
	if !slices.Contains(r.Left, why) {
		r.Left = append(r.Left, why)
	}
}

func (r *reading) declared(list string) {
	entries := strings.SplitN(list, ",", declaredMax+1)
	for i, entry := range entries {
		entry = strings.TrimSpace(entry)
		d, ok := r.parse(entry)
		switch {
		case entry == "":
		case i == declaredMax || !ok:
			r.left(declaredText)
		default:
			r.add(Needed{Dependency: d, Where: "annotation"})
		}
	}
}

func (r *reading) parse(entry string) (Dependency, bool) {
	kinds := map[string]string{"service": DependService, "statefulset": DependStatefulSet, "deployment": DependDeployment, "external": DependExternal}
	word, rest, _ := strings.Cut(entry, "/")
	d := Dependency{Kind: kinds[word], Namespace: r.namespace, Name: rest}
	if ns, other, ok := strings.Cut(rest, "/"); ok {
		d.Namespace, d.Name = ns, other
	}
	if d.Kind == DependExternal {
		d.Namespace, d.Name = "", rest
	}
	return d, d.Kind != "" && named(d.Name) && (d.Namespace == "" || label(d.Namespace))
}

// bareNames are endings of variables that hold where something is.
var bareNames = []string{"_HOST", "_ADDR", "_ADDRESS", "_URL", "_URI", "_ENDPOINT", "_SERVICE"}

func (r *reading) container(c *corev1.Container) {
	for _, e := range c.Env {
		located := slices.ContainsFunc(bareNames, func(end string) bool { return strings.HasSuffix(strings.ToUpper(e.Name), end) })
		r.value(e.Value, "env "+e.Name+" of "+c.Name, located)
	}
	for _, a := range c.Args {
		if len(a) > valueMax {
			continue
		}
		for i, word := range strings.Fields(a) {
			if i == hostsMax {
				break
			}
			if flag, value, ok := strings.Cut(word, "="); ok && !strings.ContainsAny(flag, ":/") {
				word = value
			}
			r.value(strings.Trim(word, `"'`), "args of "+c.Name, false)
		}
	}
}

// value adds the Services that one value names. Where nothing says that it holds a place, only URLs count, and names
// under .svc.
func (r *reading) value(v, where string, located bool) {
	for _, h := range hosts(v) {
		name, certain := service(h.name, r.namespace)
		if name != "" && (certain || located || h.url) {
			r.add(Needed{Dependency{DependService, r.namespace, name}, where, !certain})
		}
	}
}

// host is what may be the name of one, and whether it stands in a URL.
type host struct {
	name string
	url  bool
}

// hosts finds them in a value: the host of a URL without who asks, HOST:PORT, or a bare name; lists with commas too.
func hosts(v string) []host {
	v = strings.TrimSpace(v)
	if v == "" || len(v) > valueMax {
		return nil
	}
	_, rest, url := strings.Cut(v, "://")
	if url {
		v = rest
		if end := strings.IndexAny(v, "/?#"); end >= 0 {
			v = v[:end]
		}
		v = v[strings.LastIndexByte(v, '@')+1:]
	}
	var out []host
	for _, part := range strings.SplitN(v, ",", hostsMax+1) {
		name, port, ported := strings.Cut(strings.TrimSpace(part), ":")
		if len(out) < hostsMax && (!ported || portNumber(port)) {
			out = append(out, host{strings.ToLower(name), url})
		}
	}
	return out
}

func portNumber(s string) bool {
	return s != "" && len(s) <= 5 && strings.Trim(s, "0123456789") == ""
}

// service is the Service of the namespace that a host means, empty if none, and whether it can mean nothing else.
func service(h, namespace string) (name string, certain bool) {
	h = strings.TrimSuffix(strings.TrimSuffix(h, "."), ".cluster.local")
	inside, certain := strings.CutSuffix(h, ".svc")
	if !certain {
		if h == "localhost" || !label(h) {
			return "", false
		}
		return h, false
	}
	parts := strings.Split(inside, ".")
	if n := len(parts); (n == 2 || n == 3) && parts[n-1] == namespace && label(parts[n-2]) { // a third is one pod of it
		return parts[n-2], true
	}
	return "", false
}

// label is whether s can be the name of a Service or a namespace: a DNS label that is no number.
func label(s string) bool {
	return len(s) <= 63 && !strings.Contains(s, ".") && named(s)
}

// named is whether s can be the name of an object.
func named(s string) bool {
	if s == "" || len(s) > 253 || strings.Trim(s, "0123456789.-") == "" {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return strings.Trim(s, "-.") == s
}
