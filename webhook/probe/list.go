package probe

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// List is the admin's file: what may be probed, and which namespaces may ask about another.
type List struct {
	Probes []Entry `json:"probes,omitempty"`
	// Across lets workloads of one namespace name dependencies in another. Nothing is let without.
	Across []Way `json:"across,omitempty"`
}

// Way is from the namespace of a workload to that of what it depends on.
type Way struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Entry is one host.
type Entry struct {
	Name  string          `json:"name"` // as external/NAME in the annotation
	Host  string          `json:"host"`
	Port  int             `json:"port"`
	TLS   bool            `json:"tls,omitempty"`
	HTTP  *Get            `json:"http,omitempty"` // nil: a connection, and a handshake where TLS is wanted, is enough
	Every metav1.Duration `json:"every,omitzero"`
	// Namespaces are those whose workloads are told of it; "*" is every one.
	Namespaces []string `json:"namespaces"`
	// Private lets the host have an address of a private network.
	Private bool `json:"private,omitempty"`
}

// Get is the one request that is sent.
type Get struct {
	Path   string `json:"path"`
	Status []int  `json:"status,omitempty"` // what is well; left out: 200 to 299
}

const (
	entriesMax   = 200
	usualEvery   = 30 * time.Second
	shortestWait = 5 * time.Second
	listBytes    = 1 << 20
)

// ReadList reads the file. Every problem of it is reported.
func ReadList(path string) (List, error) {
	content, err := readFile(path)
	if err != nil {
		return List{}, fmt.Errorf("read the list of probes %s: %w", path, err)
	}
	return parse(path, content)
}

func readFile(path string) ([]byte, error) {
	stat, err := os.Stat(path)
	if err == nil && stat.Size() > listBytes {
		err = fmt.Errorf("it is larger than %d bytes", listBytes)
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

func parse(path string, content []byte) (List, error) {
	var l List
	err := yaml.UnmarshalStrict(content, &l)
	if err == nil {
		err = l.Check()
	}
	if err != nil {
		return List{}, fmt.Errorf("read the list of probes %s: %w", path, err)
	}
	return l, nil
}

var (
	entryName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	hostName  = regexp.MustCompile(`^[a-zA-Z0-9]([-a-zA-Z0-9.:]{0,251}[a-zA-Z0-9])?$`)
	pathText  = regexp.MustCompile(`^/[!-~]{0,999}$`)
)

// Check fills in what the list leaves out and reports what makes no sense.
func (l *List) Check() error {
	var errs []error
	if len(l.Probes) > entriesMax {
		errs = append(errs, fmt.Errorf("it has %d probes, more than %d", len(l.Probes), entriesMax))
	}
	seen := map[string]bool{}
	for i := range l.Probes {
		e := &l.Probes[i]
		if seen[e.Name] {
			errs = append(errs, fmt.Errorf("%q is there twice", e.Name))
		}
		seen[e.Name] = true
		for _, why := range e.faults() {
			errs = append(errs, fmt.Errorf("probe %d (%q): %s", i+1, e.Name, why))
		}
		if e.Every.Duration == 0 {
			e.Every.Duration = usualEvery
		}
	}
	for _, w := range l.Across {
		if w.From == "" || w.To == "" || w.From == "*" || w.To == "*" {
			errs = append(errs, errors.New("across: each way names one namespace in from and one in to"))
		}
	}
	return errors.Join(errs...)
}

func (e Entry) faults() []string {
	var why []string
	for fault, is := range map[string]bool{
		"name is no lower-case word of letters, digits and dashes":                    !entryName.MatchString(e.Name),
		"host is neither a name nor an address":                                       !hostName.MatchString(e.Host),
		"port is none of 1 to 65535":                                                  e.Port < 1 || e.Port > 65535,
		"every is under 5s":                                                           e.Every.Duration != 0 && e.Every.Duration < shortestWait,
		`namespaces names nobody who is told; write ["*"] for every namespace`:        len(e.Namespaces) == 0 || slices.Contains(e.Namespaces, ""),
		"http.path does not begin with / or holds what is not printable ASCII":        e.HTTP != nil && !pathText.MatchString(e.HTTP.Path),
		"http.status holds what is none of 200 to 599 (a redirect is never followed)": e.HTTP != nil && slices.ContainsFunc(e.HTTP.Status, func(s int) bool { return s < 200 || s > 599 }),
		"http.path holds a query; probes are sent without one":                        e.HTTP != nil && strings.Contains(e.HTTP.Path, "?"),
	} {
		if is {
			why = append(why, fault)
		}
	}
	slices.Sort(why)
	return why
}

// serves is whether workloads of the namespace are told of the entry.
func (e Entry) serves(namespace string) bool {
	return slices.Contains(e.Namespaces, namespace) || slices.Contains(e.Namespaces, "*")
}

func (g Get) well(status int) bool {
	if len(g.Status) == 0 {
		return status >= http.StatusOK && status < http.StatusMultipleChoices
	}
	return slices.Contains(g.Status, status)
}

// Of is the part of the list that serves these namespaces.
func (l List) Of(namespaces []string) List {
	l.Probes = slices.DeleteFunc(slices.Clone(l.Probes), func(e Entry) bool { return !slices.ContainsFunc(namespaces, e.serves) })
	return l
}
