package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"

	"moorgate.dev/internal/audit"
)

// logFlags say which logs are read, and how.
type logFlags struct {
	dirs       []string
	servers    []string
	ca         string
	tokenFile  string
	kubeconfig string
}

func (l *logFlags) add(f *pflag.FlagSet) {
	f.StringArrayVar(&l.dirs, "dir", nil, "folder of an audit log (repeatable; default: "+defaultAuditDir+", unless --server is given)")
	f.StringArrayVar(&l.servers, "server", nil, "URL of a running Moorgate whose audit log is read (repeatable)")
	f.StringVar(&l.ca, "server-ca", "", "with --server: file with the roots to trust (default: those that the cluster remembers)")
	f.StringVar(&l.tokenFile, "token-file", "", "with --server: file with the bearer token (default: the kubeconfig's)")
	f.StringVar(&l.kubeconfig, "kubeconfig", "", "kubeconfig for what is asked of the cluster (default: $KUBECONFIG or ~/.kube/config)")
}

// folders are the folders to read.
func (l *logFlags) folders() []string {
	if len(l.dirs) == 0 && len(l.servers) == 0 {
		return []string{defaultAuditDir}
	}
	return l.dirs
}

// several is whether more than one log is read.
func (l *logFlags) several() bool { return len(l.folders())+len(l.servers) > 1 }

// names are what the logs are read from, for messages.
func (l *logFlags) names() string { return strings.Join(slices.Concat(l.folders(), l.servers), ", ") }

// onlyFolders says why a command does not read from a server, if one was given.
func (l *logFlags) onlyFolders(why string) error {
	if len(l.servers) > 0 {
		return errors.New("--server does not go with this: " + why)
	}
	return nil
}

// entries reads all the logs as one.
func (l *logFlags) entries(ctx context.Context) (entries, error) {
	served, err := l.served(ctx)
	if err != nil {
		return nil, err
	}
	var logs []entries
	for _, dir := range l.folders() {
		logs = append(logs, named(dir, audit.Read(dir)))
	}
	return merge(append(logs, served...)), nil
}

// served are the logs of the servers.
func (l *logFlags) served(ctx context.Context) ([]entries, error) {
	if len(l.servers) == 0 {
		return nil, nil
	}
	c, err := l.client(ctx)
	if err != nil {
		return nil, err
	}
	logs := make([]entries, len(l.servers))
	for i, server := range l.servers {
		logs[i] = c.entries(ctx, server, "")
	}
	return logs, nil
}

// client speaks to the servers.
func (l *logFlags) client(ctx context.Context) (*auditClient, error) {
	config := &rest.Config{}
	if l.ca == "" || l.tokenFile == "" {
		var err error
		if config, err = restConfig(l.kubeconfig); err != nil {
			return nil, err
		}
	}
	token, err := bearer(config, l.tokenFile)
	if err != nil {
		return nil, err
	}
	roots, err := l.roots(ctx)
	if err != nil {
		return nil, err
	}
	return newAuditClient(roots, token)
}

// roots are the certificates to trust: those given, or all that the cluster remembers of those who serve a log.
func (l *logFlags) roots(ctx context.Context) ([]byte, error) {
	if l.ca != "" {
		roots, err := os.ReadFile(l.ca)
		if err != nil {
			return nil, fmt.Errorf("read the roots to trust: %w", err)
		}
		return roots, nil
	}
	all, err := clusterAnchors(ctx, l.kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("find out whom to trust (or give --server-ca): %w", err)
	}
	var roots []byte
	for key, value := range all {
		if strings.HasPrefix(key, caPrefix) {
			roots = append(append(roots, value...), '\n')
		}
	}
	return roots, nil
}
