package main

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// deployment is one that no check finds fault with, of about the length that people's have.
func deployment(ns, name, tag string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	var env []corev1.EnvVar
	for i := range 12 {
		env = append(env, corev1.EnvVar{Name: fmt.Sprintf("SETTING_%d", i), Value: fmt.Sprintf("value %d of the application", i)})
	}
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("http")}}}
	return &appsv1.Deployment{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: ns, Labels: labels},
		Spec: appsv1.DeploymentSpec{Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: new(intstr.FromInt32(1)), MaxUnavailable: new(intstr.FromInt32(0))}},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "app", Image: "registry.example/shop/app:" + tag, Env: env, ReadinessProbe: probe, LivenessProbe: probe.DeepCopy(),
				Ports:     []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
				Resources: corev1.ResourceRequirements{Requests: room("50m", "32Mi"), Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("32Mi")}},
			}}}}}}
}

func room(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
}

func service(meta metav1.ObjectMeta) *corev1.Service {
	return &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: map[string]string{"app": meta.Name},
		Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("http")}}}}
}

// node is a node as its kubelet would keep it: with the images that it holds, which are most of a node's length.
func (f *filler) node(i int) *corev1.Node {
	name := fmt.Sprintf(nodeName, i)
	has := room("8", "16Gi")
	has[corev1.ResourcePods], has[corev1.ResourceEphemeralStorage] = resource.MustParse("110"), resource.MustParse("100Gi")
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
		corev1.LabelTopologyRegion: "here", corev1.LabelTopologyZone: "here-" + string(rune('a'+i%3)), corev1.LabelInstanceTypeStable: "m8"}},
		Status: corev1.NodeStatus{Capacity: has, Allocatable: has, NodeInfo: corev1.NodeSystemInfo{Architecture: "amd64", OperatingSystem: "linux", KubeletVersion: "v1.37.2"}}}
	for _, t := range []corev1.NodeConditionType{corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure, corev1.NodeReady} {
		status := corev1.ConditionFalse
		if t == corev1.NodeReady {
			status = corev1.ConditionTrue
		}
		n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{Type: t, Status: status, Reason: "Kubelet", LastHeartbeatTime: f.at, LastTransitionTime: f.at})
	}
	for k := range 30 {
		n.Status.Images = append(n.Status.Images, corev1.ContainerImage{SizeBytes: 50 << 20, Names: []string{fmt.Sprintf("registry.example/shop/app-%d@sha256:%064d", k, k), fmt.Sprintf("registry.example/shop/app-%d:1.0.0", k)}})
	}
	return n
}

func podName(set string, i int) string { return fmt.Sprintf("%s-%05d", set, i) }

// pod writes a pod of a ReplicaSet that runs on its node and is ready.
func (f *filler) pod(ctx context.Context, rs *appsv1.ReplicaSet, i int) (*corev1.Pod, error) {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: podName(rs.Name, i), Namespace: rs.Namespace, Labels: rs.Spec.Template.Labels,
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(rs, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))}}, Spec: *rs.Spec.Template.Spec.DeepCopy()}
	p.Spec.NodeName = fmt.Sprintf(nodeName, i%f.o.nodes)
	p, err := f.client.CoreV1().Pods(rs.Namespace).Create(ctx, p, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	ip := fmt.Sprintf("10.%d.%d.%d", 100+i>>16, i>>8&255, i&255)
	p.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}}, HostIP: "192.0.2.1", StartTime: &f.at, QOSClass: corev1.PodQOSBurstable}
	for _, t := range []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled} {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: t, Status: corev1.ConditionTrue, LastTransitionTime: f.at})
	}
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", Ready: true, Started: new(true), Image: rs.Spec.Template.Spec.Containers[0].Image,
		ImageID: fmt.Sprintf("registry.example/shop/app@sha256:%064d", i), ContainerID: fmt.Sprintf("containerd://%064d", i), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: f.at}}}}
	return f.client.CoreV1().Pods(rs.Namespace).UpdateStatus(ctx, p, metav1.UpdateOptions{})
}
