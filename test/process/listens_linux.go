package process

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// listens succeeds if the process with that pid itself listens on an address.
func listens(pid int, address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("look for the listener on %s: %w", address, err)
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return fmt.Errorf("look for the listener on %s: %w", address, err)
	}
	own := map[string]bool{}
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid)) // the pattern is good
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil { // else it was just closed
			own[to] = true
		}
	}
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line) // 1 is the local address, 3 the state (0A listens), 9 the inode
		if len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", at.Port())) && own["socket:["+f[9]+"]"] {
			return nil
		}
	}
	return fmt.Errorf("another process listens on %s", address)
}
