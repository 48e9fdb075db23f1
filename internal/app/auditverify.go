package app

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"moorgate.dev/internal/audit"
)

// verifyOptions are what audit verify is told.
type verifyOptions struct {
	logs        *logFlags
	anchors     []string
	keys        []string
	fromCluster bool
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
	if err := o.logs.onlyFolders("a log is proved by its files, and a server could leave out what it liked; copy the folder, or verify where it lies"); err != nil {
		return err
	}
	outside, err := o.outside(cmd.Context())
	if err != nil {
		return err
	}
	dirs := o.logs.folders()
	ids := make([]string, len(dirs))
	for i, dir := range dirs {
		ids[i] = idOf(dir)
	}
	if err := outside.fits(ids); err != nil {
		return err
	}
	results := make([]verified, len(dirs))
	for i, dir := range dirs {
		if cmd.Context().Err() != nil {
			return errors.New("interrupted: nothing is said about the logs that were not checked")
		}
		results[i] = outside.verify(dir, ids[i], len(dirs) == 1)
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
	all := slices.Clip(anchors)
	if v.keyed = own != nil && (only && len(o.keys) > 0 || len(keysFor(o.keys, id)) > 0); v.keyed {
		all = append(all, audit.Anchor{Checkpoint: own, Keys: o.keys})
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
