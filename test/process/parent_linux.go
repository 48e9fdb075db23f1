package process

import (
	"os/exec"
	"syscall"
)

// endWithParent has the process end when the one that started it does, however that ended.
func endWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
