package cluster

import (
	"fmt"
	"os"
	"syscall"
)

// bound makes a process end with the thread that starts it, whatever program it is, and keeps the terminal's ctrl-C from it.
func bound() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// boundInGroup makes a process end with the thread that starts it. The terminal's ctrl-C reaches it as it does this one.
func boundInGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// commandLine is the command line of a process, or "" if there is none.
func commandLine(pid int) string {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	return string(content)
}
