package notify

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Address reads where events are posted to. Without TLS it may only be a Service of the cluster, by a name that ends in .svc or
// .svc.cluster.local, or this machine: everywhere else others could read what differs from Git. It holds no login, which a list of
// processes would show; an error repeats no address that holds one.
func Address(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("it is no URL") // the error of the library repeats it
	}
	switch {
	case u.User != nil:
		return nil, errors.New("it holds a login, and the notification-controller asks for none")
	case u.Hostname() == "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("%q is not of the form http://HOST:PORT/", raw)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%q begins with neither https nor http", raw)
	case u.Scheme == "http" && !near(u.Hostname()):
		return nil, fmt.Errorf("%q is neither a Service of the cluster (NAME.NAMESPACE.svc.cluster.local) nor this machine, so it takes https", raw)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// near reports whether what is sent to a host stays in the cluster or on this machine.
func near(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".svc") || strings.HasSuffix(host, ".svc.cluster.local")
}
