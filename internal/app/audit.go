package app

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/gate"
)

func newAudit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Reads, explains and checks the audit logs",
		Long: `Every step of a happening is one record in the audit log of the process that took it: what was seen and decided (judge), what
was set out to be done and what came of it (act). These commands read the logs' folders, also while somebody writes them, and
need no cluster and no running Moorgate. Name each log's folder with --dir; records are joined by the Case they belong to and
told in the order of their times. --server reads the log of a running Moorgate instead; kubectl port-forward reaches it:

  kubectl -n moorgate-system port-forward deploy/moorgate-judge 8444 &
  moorgate audit tail --server https://localhost:8444 --token-file token`,
	}
	var logs logFlags
	logs.add(cmd.PersistentFlags())
	cmd.AddCommand(newAuditTail(&logs), newAuditWhy(&logs), newAuditVerify(&logs), newAuditExport(&logs), newAuditCalibration(&logs))
	return cmd
}

// filter is which entries are wanted. The zero filter wants all.
type filter struct {
	of    string // a Case: NAMESPACE/NAME, or NAME in any namespace
	kinds []string
}

func (f *filter) check() error {
	for _, k := range f.kinds {
		if err := oneOf("kind", k, recordKinds...); err != nil {
			return err
		}
	}
	return nil
}

var recordKinds = []string{string(gate.RecordVerdict), string(gate.RecordModel), string(gate.RecordApproval), string(gate.RecordIntent), string(gate.RecordOutcome),
	string(gate.RecordVerification), string(gate.RecordPullRequest), string(gate.RecordNotification), string(gate.RecordNote)}

func (f *filter) none() bool { return f.of == "" && len(f.kinds) == 0 }

func (f *filter) wants(e audit.Entry) bool {
	if f.of != "" && !about(e.Record.Correlation, f.of) {
		return false
	}
	for _, k := range f.kinds {
		if k == string(e.Record.Kind) {
			return true
		}
	}
	return len(f.kinds) == 0
}

// about reports whether a record that is correlated so belongs to the Case that somebody named: NAMESPACE/NAME or NAME.
func about(correlation, named string) bool {
	if strings.Contains(named, "/") {
		return correlation == named
	}
	_, name, found := strings.Cut(correlation, "/")
	return found && name == named || correlation == named
}

func oneOf(flag, value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return fmt.Errorf("--%s %q is not one of %s", flag, value, strings.Join(allowed, ", "))
}
