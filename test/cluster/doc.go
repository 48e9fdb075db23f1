// Package cluster runs a real Kubernetes control plane with simulated nodes, for tests, for the demo and for people.
//
// etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kubectl are the real ones, built from source by the nested
// module controlplane; KWOK, built by the nested module kwok, plays the kubelet of every node. They are modules of their own so that
// k8s.io/kubernetes and KWOK stay out of Moorgate's module graph. The first build takes minutes; the result is kept in the user's
// cache folder under a key that names every version that went into it.
//
// Scheduling, rollouts, garbage collection, RBAC, admission, quotas, disruption budgets and server-side apply are therefore the real
// thing. Containers are not: a pod becomes Running and Ready as soon as it is scheduled, a Job's pod completes after a moment, and a
// pod with the label sim.moorgate.dev/fault fails the way the label says, with the statuses and events that a kubelet would write
// (see Fault). What they write and use is what a test says (Log, Usage), and a test can put a pod or a node into any other state, where
// nobody but itself moves it (SetStatus, SetNodeCondition).
//
// # Use
//
//	func TestMain(m *testing.M) { os.Exit(cluster.Main(m)) }
//
//	func TestX(t *testing.T) {
//		c := cluster.Shared(t)
//		namespace := c.Namespace(t, nil)
//		...
//	}
//
// # Environment
//
// KUBEBUILDER_ASSETS names a folder that holds etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl and kwok; they
// are used as they are and nothing is built. A folder that lacks any of them is an error.
//
// MOORGATE_TEST_KUBECONFIG names the kubeconfig of a cluster that Shared uses as it is. That cluster must be Kubernetes 1.30 or
// newer, the kubeconfig must give cluster-admin, and KWOK 0.8 must manage nodes in it with the stages that Stages returns
// (go run ./test/cluster/cmd/cluster --stages prints them). kubectl is then taken from PATH.
//
// # Never
//
// The package never listens on anything but loopback, never needs root or, once the modules are downloaded, a network, never writes
// to the user's own kubeconfig, and never starts or stops anything in a cluster that it was only given. No process outlives its
// starter: every component holds the read end of a pipe that closes when the starter ends, however it ends.
package cluster
