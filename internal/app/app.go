// Package app puts Moorgate together: configuration, wiring, and one file per subcommand.
//
// It constructs and connects; it never decides. It is the one place that reads the clock.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes. review uses all of them, replay and audit verify all but 1, diff, diagnose and cases all but 2; every other command ends with 0 or 3.
const (
	exitOK     = 0
	exitWarned = 1
	exitDenied = 2
	exitFailed = 3
)

// exit ends the program with a code of its own; the message, if any, has been printed.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Main runs the command line and returns the exit code. ctrl-C and SIGTERM end what runs in an orderly way; a second one
// ends the process at once.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	}
	_, _ = fmt.Fprintln(stderr, "moorgate:", err)
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "moorgate",
		Short: "Keeps a cluster moored to Git and guards its gate",
		Long: `Moorgate keeps a Kubernetes cluster moored to Git and guards its gate.

  gate       scores each rollout before it starts: admits it, warns about it or refuses it, with reasons
  drift      finds where the cluster no longer says what Git says, and who changed it
  remediate  turns the Warning events of a failing workload into one Case with a cause and a menu

Each happening leaves a Case (moorgate cases -A) and records in an audit log (moorgate audit tail).
What Moorgate may do is said by Guardrails (kubectl explain guardrail.spec); without one it only observes.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
	}
	root.AddCommand(newRun(), newWebhook(), newJudge(), newAct(), newReview(), newDiff(), newDiagnose(), newAudit(), newReplay(), newCases(), newCase(), newBreaker(), newLedger(), newPause(), newResume(), newDisarm(), newArm(), newApprove(), newReject(), newInstall(), newModel())
	return root
}

// version is the module's version and the commit, as the Go toolchain stamped them.
func version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := build.Main.Version
	for _, s := range build.Settings {
		if s.Key == "vcs.revision" && v == "(devel)" {
			v += " " + s.Value
		}
	}
	return v + " " + build.GoVersion
}
