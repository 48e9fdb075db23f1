//go:build !unix

package audit

import (
	"fmt"
	"os"
	"runtime"
)

// lockDir refuses: without a lock and a directory fsync there is no honest log. Reading works everywhere.
func lockDir(string) (*os.File, error) {
	return nil, fmt.Errorf("writing an audit log is not supported on %s", runtime.GOOS)
}
