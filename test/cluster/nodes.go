package cluster

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// StorageClass is the default StorageClass. Its claims bind at once, to volumes that hold nothing.
const StorageClass = "standard"

// provisioner is the name under which the stages of claims act.
const provisioner = "sim.moorgate.dev/volume"

// AddNodes adds simulated nodes, waits until they are Ready, and returns their names.
func (c *Cluster) AddNodes(ctx context.Context, opts NodeOptions) ([]string, error) {
	names, err := c.createNodes(ctx, opts)
	if err != nil {
		return nil, err
	}
	if err := poll(ctx, c.nodesReady(names)); err != nil {
		return nil, fmt.Errorf("wait for %d nodes: %w", len(names), err)
	}
	return names, nil
}

func (c *Cluster) createNodes(ctx context.Context, opts NodeOptions) ([]string, error) {
	opts = opts.withDefaults()
	resources, err := opts.resources()
	if err != nil {
		return nil, err
	}
	version, err := c.client.Discovery().ServerVersion()
	if err != nil {
		return nil, fmt.Errorf("ask for the server's version: %w", err)
	}
	var names []string
	for number := 1; len(names) < opts.Count; number++ {
		node := opts.node(number, resources)
		node.Status.NodeInfo.KubeletVersion = version.GitVersion
		_, err := c.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("create node %s: %w", node.Name, err)
		}
		names = append(names, node.Name)
	}
	return names, nil
}

func (o NodeOptions) resources() (corev1.ResourceList, error) {
	cpu, err := resource.ParseQuantity(o.CPU)
	if err != nil {
		return nil, fmt.Errorf("read CPU %q of a node: %w", o.CPU, err)
	}
	memory, err := resource.ParseQuantity(o.Memory)
	if err != nil {
		return nil, fmt.Errorf("read memory %q of a node: %w", o.Memory, err)
	}
	return corev1.ResourceList{
		corev1.ResourceCPU:              cpu,
		corev1.ResourceMemory:           memory,
		corev1.ResourcePods:             *resource.NewQuantity(int64(o.Pods), resource.DecimalSI),
		corev1.ResourceEphemeralStorage: resource.MustParse("100Gi"),
	}, nil
}

// node is the number-th node as a kubelet would register it. KWOK adds its conditions and its lease.
func (o NodeOptions) node(number int, resources corev1.ResourceList) *corev1.Node {
	name := fmt.Sprintf("%s-%d", o.NamePrefix, number)
	labels := map[string]string{
		corev1.LabelHostname:       name,
		corev1.LabelOSStable:       "linux",
		corev1.LabelArchStable:     "amd64",
		corev1.LabelTopologyRegion: "local",
		corev1.LabelTopologyZone:   "local-" + string(rune('a'+(number-1)%3)),
	}
	maps.Copy(labels, o.Labels)
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       corev1.NodeSpec{Taints: o.Taints},
		Status: corev1.NodeStatus{
			Capacity:    resources,
			Allocatable: resources,
			NodeInfo: corev1.NodeSystemInfo{
				Architecture: "amd64", OperatingSystem: "linux", OSImage: "simulated", KernelVersion: "simulated",
				ContainerRuntimeVersion: "containerd://simulated",
			},
		},
	}
}

func (c *Cluster) addStorageClass(ctx context.Context) error {
	class := &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{
			Name:        StorageClass,
			Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		Provisioner: provisioner,
	}
	if _, err := c.client.StorageV1().StorageClasses().Create(ctx, class, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create StorageClass %s: %w", StorageClass, err)
	}
	return nil
}
