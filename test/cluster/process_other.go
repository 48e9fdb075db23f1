//go:build !linux

package cluster

import (
	"os/exec"
	"strconv"
	"syscall"
)

// bound keeps the terminal's ctrl-C from a process. The lifeline alone ends it with its starter.
func bound() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// boundInGroup has nothing to say here. The terminal's ctrl-C reaches a process as it does this one.
func boundInGroup() *syscall.SysProcAttr { return nil }

// commandLine is the command line of a process, or "" if there is none.
func commandLine(pid int) string {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return string(out)
}
