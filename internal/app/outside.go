package app

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/cluster"
)

// originPrefix begins the first line of a signed checkpoint, and the name of a verifier key; the log's id follows.
const originPrefix = "moorgate.dev/audit/"

// outside is what is remembered of logs outside of them.
type outside struct {
	anchors []remembered
	keys    []string
	asked   bool // the cluster
}

// remembered is a signed checkpoint, and the log that it says it is of.
type remembered struct {
	log    string
	anchor audit.Anchor
	from   string
}

func (o verifyOptions) outside(ctx context.Context) (outside, error) {
	out := outside{keys: o.keys, asked: o.fromCluster}
	for _, k := range o.keys {
		if !strings.HasPrefix(k, originPrefix) || strings.Count(k, "+") < 2 {
			return out, fmt.Errorf("--key %q is no verifier key of an audit log: it begins with %s and the log's id", shown(k), originPrefix)
		}
	}
	for _, file := range o.anchors {
		signed, err := os.ReadFile(file)
		if err != nil {
			return out, fmt.Errorf("read an anchor: %w", err)
		}
		origin, _, _ := strings.Cut(string(signed), "\n")
		id, ok := strings.CutPrefix(origin, originPrefix)
		if !ok {
			return out, fmt.Errorf("%s holds no signed checkpoint of an audit log: its first line does not begin with %s", file, originPrefix)
		}
		out.anchors = append(out.anchors, remembered{log: id, from: file, anchor: audit.Anchor{Checkpoint: signed, Keys: keysFor(o.keys, id)}})
	}
	if !o.fromCluster {
		return out, nil
	}
	all, err := clusterAnchors(ctx, o.logs.kubeconfig)
	if err != nil {
		return out, err
	}
	for key := range all {
		if strings.HasSuffix(key, keysSuffix) || strings.HasPrefix(key, caPrefix) {
			continue
		}
		for _, a := range anchorsOf(all, key) {
			a.Keys = append(a.Keys, keysFor(o.keys, key)...)
			out.anchors = append(out.anchors, remembered{log: key, anchor: a})
		}
	}
	return out, nil
}

func clusterAnchors(ctx context.Context, kubeconfig string) (map[string]string, error) {
	c, err := personsClient(ctx, kubeconfig)
	if err != nil {
		return nil, err
	}
	return cluster.Anchors{Client: c}.Read(ctx)
}

// keysFor are the verifier keys among these of one log.
func keysFor(keys []string, id string) []string {
	var own []string
	for _, k := range keys {
		if strings.HasPrefix(k, originPrefix+id+"+") {
			own = append(own, k)
		}
	}
	return own
}

// idOf is the id of the log in a folder; empty where it has none or cannot be read, which Verify says better.
func idOf(dir string) string {
	head, err := audit.Head(dir)
	if err != nil {
		return ""
	}
	return head.Position.Log
}

// fits reports what was given by name and is of none of the logs: it would be taken for having been looked at.
func (o outside) fits(ids []string) error {
	if len(ids) == 1 {
		return nil // it must be of this log: Verify says if it is not
	}
	for _, r := range o.anchors {
		if r.from != "" && !slices.Contains(ids, r.log) {
			return fmt.Errorf("%s is a checkpoint of log %s, and these are logs %s", r.from, shown(r.log), strings.Join(ids, ", "))
		}
	}
	return nil
}
