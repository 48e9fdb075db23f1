//go:build !unix

package audit

import (
	"fmt"
	"runtime"
)

// lockDir refuses: without a lock and a directory fsync there is no honest log. Reading works everywhere.
func lockDir(string) (dirLock, error) {
	return dirLock{}, fmt.Errorf("writing an audit log is not supported on %s", runtime.GOOS)
}
