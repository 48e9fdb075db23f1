// Command controlplane is a Kubernetes control plane in one binary, built from source: it becomes etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler or kubectl, by the name it is called under or by its first argument.
//
// It is a module of its own so that k8s.io/kubernetes never enters Moorgate's module graph. It is for tests and the demo;
// nothing of it ships. It never outlives the process that started it with a lifeline.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// lifelineVar names the inherited read end of a pipe whose write end the starter holds.
const lifelineVar = "MOORGATE_LIFELINE_FD"

const usage = "usage: controlplane etcd|kube-apiserver|kube-controller-manager|kube-scheduler|kubectl [flags]"

func main() {
	holdLifeline()
	os.Exit(run(filepath.Base(os.Args[0])))
}

// run starts the component called name. An unknown name is taken to be this binary's own, and the component is the first argument.
func run(name string) int {
	switch name {
	case "etcd":
		etcdmain.Main(os.Args)
		return 0
	case "kube-apiserver":
		return cli.Run(apiserver.NewAPIServerCommand())
	case "kube-controller-manager":
		return cli.Run(controllermanager.NewControllerManagerCommand())
	case "kube-scheduler":
		return cli.Run(scheduler.NewSchedulerCommand())
	case "kubectl":
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			return 1
		}
		return 0
	}
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		return 2
	}
	known := map[string]bool{"etcd": true, "kube-apiserver": true, "kube-controller-manager": true, "kube-scheduler": true, "kubectl": true}
	if !known[os.Args[1]] {
		fmt.Fprintln(os.Stderr, usage)
		return 2
	}
	os.Args = os.Args[1:]
	return run(os.Args[0])
}

// holdLifeline ends this process when the lifeline closes, which happens when its starter ends, however it ends.
func holdLifeline() {
	fd, err := strconv.Atoi(os.Getenv(lifelineVar))
	if err != nil || fd < 3 {
		return
	}
	pipe := os.NewFile(uintptr(fd), "lifeline")
	go func() {
		_, _ = io.Copy(io.Discard, pipe)
		os.Exit(0)
	}()
}
