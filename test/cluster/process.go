package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// lifelineVar tells our own programs which inherited descriptor closes when their starter ends.
const lifelineVar = "MOORGATE_LIFELINE_FD"

// errPortTaken means that another process took a port between our choosing it and the component's listening on it.
var errPortTaken = errors.New("a port was taken by another process")

// starts runs functions on one thread that lives as long as this process: on Linux, the kernel ends a bound child when the thread
// that started it ends, and Go's own threads come and go.
var starts = sync.OnceValue(func() chan<- func() {
	queue := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range queue {
			start()
		}
	}()
	return queue
})

// startBound starts cmd so that it ends with this process.
func startBound(cmd *exec.Cmd) error {
	cmd.SysProcAttr = bound()
	return startOnLastingThread(cmd)
}

// StartBound starts a program that is no component of a cluster so that it ends with this process, however that ends. Only
// Linux has a way to say so; elsewhere the caller has to end it.
func StartBound(cmd *exec.Cmd) error {
	cmd.SysProcAttr = boundInGroup()
	return startOnLastingThread(cmd)
}

func startOnLastingThread(cmd *exec.Cmd) error {
	result := make(chan error)
	starts() <- func() { result <- cmd.Start() }
	return <-result
}

// lifeline is a pipe nobody ever writes to. Our programs exit when they read its end.
type lifeline struct{ read, write *os.File }

func newLifeline() (*lifeline, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open lifeline: %w", err)
	}
	return &lifeline{read, write}, nil
}

// attach makes cmd inherit the read end. The write end is close-on-exec and stays here.
func (l *lifeline) attach(cmd *exec.Cmd) {
	cmd.Env = append(cmd.Environ(), fmt.Sprintf("%s=%d", lifelineVar, 3+len(cmd.ExtraFiles)))
	cmd.ExtraFiles = append(cmd.ExtraFiles, l.read)
}

func (l *lifeline) cut() {
	_ = l.write.Close()
	_ = l.read.Close()
}

// process is one running component. err may be read once done is closed.
type process struct {
	name, log string
	cmd       *exec.Cmd
	done      chan struct{}
	err       error
	stopping  atomic.Bool
}

// startProcess starts cmd as component name with its output in a log in dir.
func startProcess(dir *runDir, line *lifeline, name string, cmd *exec.Cmd) (*process, error) {
	p := &process{name: name, log: dir.file(name + ".log"), cmd: cmd, done: make(chan struct{})}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer func() { _ = out.Close() }()
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, dir.path
	// Nothing of the user's environment steers a component: etcd reads its flags there, KWOK a file in the home folder.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir.path, "TMPDIR=" + dir.path}
	line.attach(cmd)
	if err := startBound(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, dir.record(cmd.Process.Pid)
}

// kill ends the process and waits until it has ended. Its state is about to be thrown away, so nothing is gained by asking nicely.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// failure is cause with the tail of the log and where to read the rest.
func (p *process) failure(cause error) error {
	tail := tailOf(p.log, 4096)
	if strings.Contains(tail, "address already in use") {
		cause = fmt.Errorf("%w: %w", errPortTaken, cause)
	}
	return fmt.Errorf("%w\nthe end of %s:\n%s", cause, p.log, tail)
}

// tailOf is the last whole lines of a file, at most limit bytes.
func tailOf(path string, limit int) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	if len(content) > limit {
		content = content[len(content)-limit:]
		if i := bytes.IndexByte(content, '\n'); i >= 0 {
			content = content[i+1:]
		}
	}
	return strings.TrimSpace(string(content))
}

// mourn waits for the end of the process and says so if nobody wanted it to end.
func (p *process) mourn(progress io.Writer) {
	<-p.done
	if !p.stopping.Load() {
		say(progress, "%s ended by itself (%v); the end of %s:\n%s", p.name, p.err, p.log, tailOf(p.log, 2048))
	}
}
