package cluster

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// logDocument makes KWOK serve one file as the log of every container, before and after a restart.
const logDocument = `---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterLogs
metadata: {name: all}
spec:
  logs:
  - {logsFile: %[1]q, previousLogsFile: %[1]q, follow: true}
`

// writeBehaviour writes what KWOK is to play: the stages, and a log.
func (c *Cluster) writeBehaviour() error {
	stages, err := Stages()
	if err != nil {
		return err
	}
	log := c.dir.file("containers.log")
	document := slices.Concat(stages, fmt.Appendf(nil, logDocument, log))
	if err := os.WriteFile(c.dir.file("stages.yaml"), document, 0o600); err != nil {
		return fmt.Errorf("write stages: %w", err)
	}
	return c.SetLogs("this container is simulated and writes nothing")
}

// SetLogs replaces the log of all containers of the cluster, previous ones included, by lines of standard output. It fails for a
// cluster that was only given.
func (c *Cluster) SetLogs(lines ...string) error {
	if c.line == nil {
		return fmt.Errorf("write logs of containers: the cluster that %s names keeps its own", existingVar)
	}
	var text strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&text, "%s stdout F %s\n", time.Now().UTC().Format(time.RFC3339Nano), line)
	}
	if err := os.WriteFile(c.dir.file("containers.log"), []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("write logs of containers: %w", err)
	}
	return nil
}
