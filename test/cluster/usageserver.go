package cluster

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const usageWindow = 15 * time.Second

// metrics are the PodMetrics or NodeMetrics of metrics.k8s.io/v1beta1.
type metrics struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Timestamp         metav1.Time         `json:"timestamp"`
	Window            metav1.Duration     `json:"window"`
	Containers        []containerMetrics  `json:"containers,omitempty"` // of a pod
	Usage             corev1.ResourceList `json:"usage,omitempty"`      // of a node
}

type containerMetrics struct {
	Name  string              `json:"name"`
	Usage corev1.ResourceList `json:"usage"`
}

type metricsList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []metrics `json:"items"`
	of              string    // the resource
}

func usageKind(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: usageGroup + "/" + usageVersion, Kind: kind}
}

// routeUsage serves metrics.k8s.io to the API server, which has asked already whether they may who ask.
func (c *Cluster) routeUsage(mux *http.ServeMux) {
	const root = "GET /apis/" + usageGroup + "/" + usageVersion
	mux.HandleFunc(root, func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, usageResources()) })
	for path, all := range map[string]func(*http.Request) (metricsList, error){
		root + "/pods": c.podUsages, root + "/namespaces/{namespace}/pods": c.podUsages, root + "/namespaces/{namespace}/pods/{name}": c.podUsages,
		root + "/nodes": c.nodeUsages, root + "/nodes/{name}": c.nodeUsages,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			list, err := all(r)
			name := r.PathValue("name")
			at := slices.IndexFunc(list.Items, func(m metrics) bool { return m.Name == name })
			switch {
			case err != nil:
				refuse(w, apierrors.NewInternalError(err))
			case name == "":
				reply(w, http.StatusOK, list)
			case at < 0:
				refuse(w, apierrors.NewNotFound(schema.GroupResource{Group: usageGroup, Resource: list.of}, name))
			default:
				reply(w, http.StatusOK, list.Items[at])
			}
		})
	}
}

func refuse(w http.ResponseWriter, err *apierrors.StatusError) {
	status := err.Status()
	status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	reply(w, int(status.Code), status)
}

func reply(w http.ResponseWriter, code int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer) // whoever asked may have gone
}

func usageResources() metav1.APIResourceList {
	verbs := metav1.Verbs{"get", "list"}
	return metav1.APIResourceList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "APIResourceList"}, GroupVersion: usageGroup + "/" + usageVersion,
		APIResources: []metav1.APIResource{{Name: "nodes", Kind: "NodeMetrics", Verbs: verbs}, {Name: "pods", Kind: "PodMetrics", Namespaced: true, Verbs: verbs}}}
}

// podUsages are those of the running pods that are asked for.
func (c *Cluster) podUsages(r *http.Request) (metricsList, error) {
	query := r.URL.Query()
	pods, err := c.client.CoreV1().Pods(r.PathValue("namespace")).List(r.Context(),
		metav1.ListOptions{LabelSelector: query.Get("labelSelector"), FieldSelector: query.Get("fieldSelector")})
	if err != nil {
		return metricsList{}, err
	}
	list := metricsList{TypeMeta: usageKind("PodMetricsList"), Items: []metrics{}, of: "pods"}
	for i := range pods.Items {
		if m, ok := c.podUsage(&pods.Items[i]); ok {
			list.Items = append(list.Items, m)
		}
	}
	return list, nil
}

// podUsage is what the containers of a pod use that run, if that is known of each.
func (c *Cluster) podUsage(pod *corev1.Pod) (metrics, bool) {
	m := metrics{TypeMeta: usageKind("PodMetrics"), Timestamp: metav1.Now(), Window: metav1.Duration{Duration: usageWindow},
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, Labels: pod.Labels, CreationTimestamp: metav1.Now()}}
	for _, s := range pod.Status.ContainerStatuses {
		if s.State.Running == nil {
			continue
		}
		use := c.usage.of(pod.Namespace, pod.Name, s.Name)
		if use == nil {
			return metrics{}, false
		}
		m.Containers = append(m.Containers, containerMetrics{s.Name, use})
	}
	return m, len(m.Containers) > 0 && pod.Status.Phase == corev1.PodRunning
}

// nodeUsages are what the pods of each node use together.
func (c *Cluster) nodeUsages(r *http.Request) (metricsList, error) {
	nodes, err := c.client.CoreV1().Nodes().List(r.Context(), metav1.ListOptions{LabelSelector: r.URL.Query().Get("labelSelector")})
	if err != nil {
		return metricsList{}, err
	}
	pods, err := c.client.CoreV1().Pods("").List(r.Context(), metav1.ListOptions{})
	if err != nil {
		return metricsList{}, err
	}
	list := metricsList{TypeMeta: usageKind("NodeMetricsList"), Items: []metrics{}, of: "nodes"}
	for i := range nodes.Items {
		n := &nodes.Items[i]
		m := metrics{TypeMeta: usageKind("NodeMetrics"), Timestamp: metav1.Now(), Window: metav1.Duration{Duration: usageWindow},
			ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.Labels, CreationTimestamp: metav1.Now()},
			Usage:      corev1.ResourceList{corev1.ResourceCPU: {}, corev1.ResourceMemory: {}}}
		for j := range pods.Items {
			if pods.Items[j].Spec.NodeName != n.Name {
				continue
			}
			of, _ := c.podUsage(&pods.Items[j]) // what is not known adds nothing
			for _, x := range of.Containers {
				for name, q := range x.Usage {
					sum := m.Usage[name]
					sum.Add(q)
					m.Usage[name] = sum
				}
			}
		}
		list.Items = append(list.Items, m)
	}
	return list, nil
}
