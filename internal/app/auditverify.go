package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/cluster"
)

// originPrefix begins the first line of a signed checkpoint, and the name of a verifier key; the log's id follows.
const originPrefix = "moorgate.dev/audit/"

// verifyOptions are what audit verify is told.
type verifyOptions struct {
	logs        *logFlags
	anchors     []string
	keys        []string
	fromCluster bool
	kubeconfig  string
	output      string
}

func newAuditVerify(logs *logFlags) *cobra.Command {
	o := verifyOptions{logs: logs}
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Proves that the logs are as they were written, and says what that does not prove",
		Long: `Checks every record against its own hash and the one before, the tree over all records against the signed checkpoints, that
every outcome has an intent, and that the blobs that records name are what they are called. The first bad record is named.

What lies in the log's folder can be rewritten by whoever can write there. What is remembered elsewhere is not: give
checkpoints that were kept outside (--anchor; --anchors-from-cluster reads those in the ConfigMap moorgate-audit-anchors; with
a Git token they also lie in the configuration repository), and the log's verifier key (--key), as it was noted when the log
was begun. Without them a log that was rewritten, or whose end was cut off, can look sound; that is said.

Exit codes: 0 everything that was looked at holds; 2 damage; 3 it could not be said.`,
		Example: `  moorgate audit verify
  moorgate audit verify --dir judge/audit --dir act/audit --anchors-from-cluster
  moorgate audit verify --anchor checkpoint-of-monday.txt --key moorgate.dev/audit/judge-4k2x…+a1b2c3d4+…`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("output", o.output, "text", "json"); err != nil {
				return err
			}
			return o.run(cmd)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.anchors, "anchor", nil, "file with a signed checkpoint that was kept outside of the log (repeatable)")
	f.BoolVar(&o.fromCluster, "anchors-from-cluster", false, "compare with the checkpoints that the cluster remembers")
	f.StringArrayVar(&o.keys, "key", nil, "verifier key that checkpoints must be signed with (repeatable, for a key that was changed)")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "with --anchors-from-cluster: kubeconfig (default: $KUBECONFIG or ~/.kube/config)")
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	return cmd
}

// verified is what was found out about one log.
type verified struct {
	dir     string
	report  audit.Report
	anchors []audit.Checkpoint // remembered elsewhere, and kept to
	unasked bool               // the cluster was asked and remembers nothing of it
	keyed   bool               // a key from outside vouched for the log's own checkpoint
	damage  *audit.Damage
	err     error // why nothing can be said
}

func (o verifyOptions) run(cmd *cobra.Command) error {
	outside, err := o.outside(cmd.Context())
	if err != nil {
		return err
	}
	ids := make([]string, len(o.logs.dirs))
	for i, dir := range o.logs.dirs {
		ids[i] = idOf(dir)
	}
	if err := outside.fits(ids); err != nil {
		return err
	}
	results := make([]verified, len(o.logs.dirs))
	for i, dir := range o.logs.dirs {
		if cmd.Context().Err() != nil {
			return errors.New("interrupted: nothing is said about the logs that were not checked")
		}
		results[i] = outside.verify(dir, ids[i], len(o.logs.dirs) == 1)
	}
	for _, v := range results {
		if v.err != nil {
			_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "moorgate: nothing can be said about the log in %s: %s\n", v.dir, shown(v.err.Error()))
		}
	}
	if err := printVerified(cmd.OutOrStdout(), o.output, results); err != nil {
		return err
	}
	return verifiedCode(results)
}

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
	all, err := clusterAnchors(ctx, o.kubeconfig)
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
	config, err := restConfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	if err := reach(ctx, config); err != nil {
		return nil, err
	}
	s, err := scheme()
	if err != nil {
		return nil, err
	}
	c, err := client.New(config, client.Options{Scheme: s})
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
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
	given := func(id string) bool {
		for _, known := range ids {
			if id == known {
				return true
			}
		}
		return false
	}
	for _, r := range o.anchors {
		if r.from != "" && !given(r.log) {
			return fmt.Errorf("%s is a checkpoint of log %s, and these are logs %s", r.from, shown(r.log), strings.Join(ids, ", "))
		}
	}
	return nil
}

// verify checks one log. Where it is the only one, what was given by name must be of it.
func (o outside) verify(dir, id string, only bool) verified {
	v := verified{dir: dir, unasked: o.asked}
	var anchors []audit.Anchor
	for _, r := range o.anchors {
		if r.log == id || only && r.from != "" {
			anchors = append(anchors, r.anchor)
		}
		if r.log == id && r.from == "" {
			v.unasked = false
		}
	}
	own, err := audit.ReadCheckpoint(dir)
	if err != nil {
		v.err = err
		return v
	}
	all := anchors
	if v.keyed = own != nil && (only && len(o.keys) > 0 || len(keysFor(o.keys, id)) > 0); v.keyed {
		all = append(anchors[:len(anchors):len(anchors)], audit.Anchor{Checkpoint: own, Keys: o.keys})
	}
	if v.report, err = audit.Verify(dir, all...); err != nil && !errors.As(err, &v.damage) {
		v.err = err
	}
	if err == nil {
		v.anchors, v.err = checkpoints(dir, anchors)
	}
	return v
}

// checkpoints reads anchors that held.
func checkpoints(dir string, anchors []audit.Anchor) ([]audit.Checkpoint, error) {
	own, err := audit.VerifierKeys(dir)
	if err != nil {
		return nil, err
	}
	var all []audit.Checkpoint
	for _, a := range anchors {
		keys := a.Keys
		if len(keys) == 0 {
			keys = own
		}
		c, err := audit.ParseCheckpoint(a.Checkpoint, keys...)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// verifiedCode is the exit code of the worst log. Damage weighs more than what could not be said: it is certain.
func verifiedCode(results []verified) error {
	var code error
	for _, v := range results {
		switch {
		case v.damage != nil:
			return exit(exitDenied)
		case v.err != nil:
			code = exit(exitFailed)
		}
	}
	return code
}

// newestOf is the checkpoint that counts most.
func newestOf(all []audit.Checkpoint) (newest audit.Checkpoint) {
	for _, c := range all {
		if c.Size > newest.Size || newest.At.IsZero() {
			newest = c
		}
	}
	return newest
}
