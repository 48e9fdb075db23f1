package cluster

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"path"
	"slices"
	"strings"
)

// call is what a request is about, as the API server will read it.
type call struct {
	resource  string // with group and subresource: /pods/eviction, moorgate.dev/cases/status; empty: no resource
	namespace string
	name      string
	// spelled is what is wrong with how the path is written, for a write: there is one way to write each.
	spelled error
}

// The subresources that lead out of the API server, to where no guard stands.
var leadOut = []string{"exec", "attach", "portforward", "proxy"}

// overrides are headers by which something on the way may take one method for another.
var overrides = []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"}

// read says what a request is about. An error is why it is refused, be it a read or a write.
func (g *guard) read(req *http.Request) (call, error) {
	if g.host == "" || req.URL.Scheme != g.scheme || req.URL.Host != g.host || (req.Host != "" && req.Host != g.host) {
		return call{}, errors.New("it is not for this API server")
	}
	if req.URL.Opaque != "" {
		return call{}, errors.New("its path is hidden in an opaque URL")
	}
	for header := range req.Header {
		switch canonical := textproto.CanonicalMIMEHeaderKey(header); {
		case slices.Contains(overrides, canonical):
			return call{}, fmt.Errorf("its header %s names another method", canonical)
		case canonical == "Upgrade":
			return call{}, errors.New("it asks for another protocol")
		}
	}
	at, under := strings.CutPrefix(req.URL.Path, g.prefix)
	if !under || (at != "" && at[0] != '/') {
		return call{}, fmt.Errorf("it is not under %s", g.prefix)
	}
	if trimmed := strings.TrimSuffix(at, "/"); trimmed != "" && path.Clean(trimmed) != trimmed {
		return call{}, errors.New("its path goes in circles")
	}
	c, err := callOf(strings.Split(strings.Trim(at, "/"), "/"))
	if strings.HasSuffix(at, "/") || strings.Contains(req.URL.EscapedPath(), "%") {
		c.spelled = errors.New("its path could be written more plainly")
	}
	return c, err
}

// callOf reads a path as the API server does: /api/v1/... or /apis/GROUP/VERSION/..., then namespaces/NAMESPACE where there is
// one, then resource, name and subresource.
func callOf(parts []string) (call, error) {
	group := ""
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		group, parts = parts[1], parts[3:]
	default:
		return call{}, nil
	}
	if parts[0] == "proxy" {
		return call{}, errors.New("it leads through the API server to somewhere else")
	}
	if parts[0] == "watch" {
		parts = parts[1:]
	}
	var c call
	if len(parts) > 2 && parts[0] == "namespaces" && parts[2] != "status" && parts[2] != "finalize" {
		c.namespace, parts = parts[1], parts[2:]
	}
	if len(parts) == 0 {
		return call{}, nil
	}
	c.resource = group + "/" + parts[0]
	if len(parts) > 1 {
		c.name = parts[1]
	}
	if len(parts) > 2 {
		c.resource += "/" + strings.Join(parts[2:], "/")
		if slices.Contains(leadOut, parts[2]) {
			return call{}, fmt.Errorf("%s leads out of the API server", parts[2])
		}
	}
	return c, nil
}
