package webhook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	ctrlcache "sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// Nodes keeps, for every node, the sum of what its pods request, so that a review of a large cluster need not go through
// all its pods. Informers feed it; it does no reading of its own.
type Nodes struct {
	mu     sync.Mutex
	nodes  map[string]*corev1.Node
	class  map[string]checks.Class // of each node
	loads  map[string]load         // by node, also for nodes that are not known yet
	placed map[types.NamespacedName]place
	synced []func() bool
	shared lists
	told   []checks.Node // the last snapshot, nil once it is not true any more; read only
}

// load is what a node carries. Its list is never changed, only replaced, so that readers may keep it.
type load struct {
	requested corev1.ResourceList
	pods      int
}

// place is what one pod was counted as.
type place struct {
	node     string
	requests corev1.ResourceList
}

// NewNodes returns Nodes that know nothing yet.
func NewNodes() *Nodes {
	return &Nodes{nodes: map[string]*corev1.Node{}, class: map[string]checks.Class{}, loads: map[string]load{}, placed: map[types.NamespacedName]place{}}
}

// Watch has the informers of Nodes and Pods feed n from now on. It does not wait for them.
func (n *Nodes) Watch(ctx context.Context, informers ctrlcache.Informers) error {
	for _, feed := range []struct {
		kind    client.Object
		handler cache.ResourceEventHandler
	}{{&corev1.Node{}, feedOf(n.setNode, n.dropNode)}, {&corev1.Pod{}, feedOf(n.setPod, n.dropPod)}} {
		informer, err := informers.GetInformer(ctx, feed.kind, ctrlcache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("watch %T: %w", feed.kind, err)
		}
		registered, err := informer.AddEventHandler(feed.handler)
		if err != nil {
			return fmt.Errorf("watch %T: %w", feed.kind, err)
		}
		n.mu.Lock()
		n.synced = append(n.synced, registered.HasSynced)
		n.mu.Unlock()
	}
	return nil
}

// All returns every node in the order of their names, for reading only: looks share the answer while nothing moves. Unknown until the informers have told of every node and pod.
func (n *Nodes) All() gate.Fact[[]checks.Node] {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.synced) == 0 {
		return gate.Unknown[[]checks.Node]("nobody watches nodes")
	}
	for _, synced := range n.synced {
		if !synced() {
			return gate.Unknown[[]checks.Node]("not all nodes and pods have been seen yet")
		}
	}
	if n.told == nil {
		n.told = n.snapshot()
	}
	return gate.Known(n.told)
}

func (n *Nodes) snapshot() []checks.Node {
	all := make([]checks.Node, 0, len(n.nodes))
	for name, node := range n.nodes {
		all = append(all, checks.Node{Object: node, Requested: n.loads[name].requested, Pods: n.loads[name].pods, Class: n.class[name]})
	}
	slices.SortFunc(all, func(a, b checks.Node) int { return strings.Compare(a.Object.Name, b.Object.Name) })
	return all
}

func (n *Nodes) setNode(node *corev1.Node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nodes[node.Name], n.class[node.Name], n.told = node, checks.ClassOf(node), nil
}

func (n *Nodes) dropNode(node *corev1.Node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.nodes, node.Name)
	delete(n.class, node.Name)
	n.told = nil
}

func (n *Nodes) setPod(pod *corev1.Pod) {
	var requests corev1.ResourceList
	ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	if pod.Spec.NodeName != "" && !ended {
		requests = n.shared.one(fit.Requests(pod))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	key := types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}
	if was, ok := n.placed[key]; ok {
		if was.node == pod.Spec.NodeName && requests != nil && sameRequests(was.requests, requests) {
			return // the common update: a status that moves no load
		}
		n.move(was, -1)
		delete(n.placed, key)
	}
	if requests != nil {
		p := place{node: pod.Spec.NodeName, requests: requests}
		n.placed[key] = p
		n.move(p, +1)
	}
}

func (n *Nodes) dropPod(pod *corev1.Pod) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}
	if was, ok := n.placed[key]; ok {
		n.move(was, -1)
		delete(n.placed, key)
	}
}

// move adds the pod's requests to its node's load, or takes them off it.
func (n *Nodes) move(p place, sign int) {
	n.told = nil
	now := n.loads[p.node]
	sum := make(corev1.ResourceList, len(now.requested))
	fit.Add(sum, now.requested)
	for k, q := range p.requests {
		total := sum[k]
		if sign > 0 {
			total.Add(q)
		} else {
			total.Sub(q)
		}
		sum[k] = total
	}
	if now.pods += sign; now.pods <= 0 {
		delete(n.loads, p.node)
		return
	}
	n.loads[p.node] = load{requested: sum, pods: now.pods}
}

func sameRequests(a, b corev1.ResourceList) bool {
	if len(a) != len(b) {
		return false
	}
	for k, q := range a {
		other, ok := b[k]
		if !ok || q.Cmp(other) != 0 {
			return false
		}
	}
	return true
}

// feedOf turns two functions over one kind into an informer's handler.
func feedOf[T any](set, drop func(*T)) cache.ResourceEventHandler {
	to := func(do func(*T)) func(any) {
		return func(object any) {
			if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = gone.Obj
			}
			if o, ok := object.(*T); ok {
				do(o)
			}
		}
	}
	return cache.ResourceEventHandlerFuncs{AddFunc: to(set), UpdateFunc: func(_, now any) { to(set)(now) }, DeleteFunc: to(drop)}
}

// listNodes reads nodes and their load once, for a reader without informers.
func listNodes(ctx context.Context, reader client.Reader) ([]checks.Node, error) {
	var nodes corev1.NodeList
	if err := reader.List(ctx, &nodes, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	var pods corev1.PodList
	if err := reader.List(ctx, &pods, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list pods of all nodes: %w", err)
	}
	n := NewNodes()
	for i := range nodes.Items {
		n.setNode(&nodes.Items[i])
	}
	for i := range pods.Items {
		n.setPod(&pods.Items[i])
	}
	return n.snapshot(), nil
}
