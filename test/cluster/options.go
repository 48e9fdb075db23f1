package cluster

import (
	"fmt"
	"io"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// Options say what Start starts. The zero value is three nodes and progress on standard error.
type Options struct {
	// Nodes exist and are Ready before Start returns. A zero Count means 3, a negative one none.
	Nodes NodeOptions
	// Still leaves out all that acts by itself: controllers, scheduler and nodes. What is there is what somebody writes; a namespace
	// has no ServiceAccount and a Deployment no pods before that.
	Still bool
	// Progress receives lines for people while something takes long. Nil means standard error.
	Progress io.Writer
}

// NodeOptions describe simulated nodes that are alike but for name, hostname and zone.
type NodeOptions struct {
	// Count is the number of nodes to add.
	Count int
	// CPU and Memory are quantities per node. Default 8 and 16Gi.
	CPU, Memory string
	// Pods is the number of pods a node takes. Default 110.
	Pods int
	// Labels are added to the usual ones (hostname, os, arch, region and one of three zones) and win over them.
	Labels map[string]string
	Taints []corev1.Taint
	// NamePrefix comes before a number, from 1 or from the first that is free. Default "node".
	NamePrefix string
}

func (o Options) withDefaults() Options {
	if o.Progress == nil {
		o.Progress = os.Stderr
	}
	if o.Nodes.Count == 0 {
		o.Nodes.Count = 3
	}
	return o
}

func (o NodeOptions) withDefaults() NodeOptions {
	if o.CPU == "" {
		o.CPU = "8"
	}
	if o.Memory == "" {
		o.Memory = "16Gi"
	}
	if o.Pods == 0 {
		o.Pods = 110
	}
	if o.NamePrefix == "" {
		o.NamePrefix = "node"
	}
	return o
}

// say writes one line for people.
func say(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, "cluster: "+format+"\n", args...)
}
