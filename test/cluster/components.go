package cluster

import (
	"fmt"
	"net"
	"strconv"
)

const (
	loopback     = "127.0.0.1"
	serviceRange = "10.96.0.0/16"
	apiServiceIP = "10.96.0.1"
	podRange     = "10.244.0.0/16"
)

// ports are the loopback ports of one cluster. Something listens on kubelet before a component starts.
type ports struct{ etcd, etcdPeer, apiserver, controllers, scheduler, kwok, kubelet int }

// freePorts picks ports that are free now. Another process may take one before its component listens; the start is then tried again.
func freePorts() (ports, error) {
	var p ports
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	for _, port := range []*int{&p.etcd, &p.etcdPeer, &p.apiserver, &p.controllers, &p.scheduler, &p.kwok} {
		l, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
		if err != nil {
			return ports{}, fmt.Errorf("pick a free port: %w", err)
		}
		held = append(held, l)
		*port = l.Addr().(*net.TCPAddr).Port
	}
	return p, nil
}

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

func https(port int) string { return "https://" + address(port) }

func etcdArgs(dir *runDir, p ports) []string {
	return []string{
		"--name=default",
		"--data-dir=" + dir.file("etcd"),
		"--listen-client-urls=" + https(p.etcd),
		"--advertise-client-urls=" + https(p.etcd),
		"--listen-peer-urls=" + https(p.etcdPeer),
		"--initial-advertise-peer-urls=" + https(p.etcdPeer),
		"--initial-cluster=default=" + https(p.etcdPeer),
		"--client-cert-auth", "--trusted-ca-file=" + dir.file("ca.crt"),
		"--cert-file=" + dir.file("serving.crt"), "--key-file=" + dir.file("serving.key"),
		"--peer-client-cert-auth", "--peer-trusted-ca-file=" + dir.file("ca.crt"),
		"--peer-cert-file=" + dir.file("serving.crt"), "--peer-key-file=" + dir.file("serving.key"),
		"--unsafe-no-fsync", // the data never outlives the run
	}
}

func apiserverArgs(dir *runDir, p ports) []string {
	return []string{
		"--etcd-servers=" + https(p.etcd),
		"--etcd-cafile=" + dir.file("ca.crt"),
		"--etcd-certfile=" + dir.file("serving.crt"), "--etcd-keyfile=" + dir.file("serving.key"),
		"--bind-address=" + loopback, "--advertise-address=" + loopback,
		"--secure-port=" + strconv.Itoa(p.apiserver),
		"--endpoint-reconciler-type=none", // a loopback address cannot be an endpoint
		"--service-cluster-ip-range=" + serviceRange,
		"--client-ca-file=" + dir.file("ca.crt"),
		"--tls-cert-file=" + dir.file("serving.crt"), "--tls-private-key-file=" + dir.file("serving.key"),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + dir.file("tokens.key"), "--service-account-signing-key-file=" + dir.file("tokens.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--allow-privileged",
		"--event-ttl=24h",
		"--profiling=false",
	}
}

func controllersArgs(dir *runDir, p ports) []string {
	kubeconfig := dir.file("kube-controller-manager.kubeconfig")
	return append(servedBy(dir, kubeconfig, p.controllers),
		"--use-service-account-credentials",
		"--service-account-private-key-file="+dir.file("tokens.key"),
		"--root-ca-file="+dir.file("ca.crt"),
		"--cluster-signing-cert-file="+dir.file("ca.crt"), "--cluster-signing-key-file="+dir.file("ca.key"),
		"--kube-api-qps=500", "--kube-api-burst=1000",
	)
}

func schedulerArgs(dir *runDir, p ports) []string {
	return append(servedBy(dir, dir.file("kube-scheduler.kubeconfig"), p.scheduler),
		"--kube-api-qps=1000", "--kube-api-burst=2000",
	)
}

// servedBy are the flags that controller-manager and scheduler share.
func servedBy(dir *runDir, kubeconfig string, port int) []string {
	return []string{
		"--kubeconfig=" + kubeconfig, "--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig,
		"--bind-address=" + loopback, "--secure-port=" + strconv.Itoa(port),
		"--tls-cert-file=" + dir.file("serving.crt"), "--tls-private-key-file=" + dir.file("serving.key"),
		"--leader-elect=false",
		"--profiling=false",
	}
}

func kwokArgs(dir *runDir, p ports) []string {
	return []string{
		"--kubeconfig=" + dir.file("kwok.kubeconfig"),
		"--config=" + dir.file("stages.yaml"),
		"--manage-all-nodes",
		"--cidr=" + podRange,
		"--node-ip=" + loopback, "--node-port=" + strconv.Itoa(p.kubelet), "--server-address=" + address(p.kwok),
		"--tls-cert-file=" + dir.file("serving.crt"), "--tls-private-key-file=" + dir.file("serving.key"),
		"--node-lease-duration-seconds=40",
	}
}
