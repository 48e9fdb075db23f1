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

// commandLine is the command line of a process, or "" if there is none.
func commandLine(pid int) string {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return string(out)
}
