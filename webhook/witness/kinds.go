package witness

import (
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// kind is a kind of object whose changes are witnessed.
type kind struct {
	group, version, resource, name string
	scales                         bool // it has a subresource scale
	object                         func() client.Object
	served                         func(*kubernetes.Clientset) rest.Interface
}

// kinds are all of them. No Secrets: nobody here may see one. The fence moorgate-webhook has the same list.
var kinds = []kind{
	{"apps", "v1", "deployments", "Deployment", true, func() client.Object { return &appsv1.Deployment{} }, apps},
	{"apps", "v1", "statefulsets", "StatefulSet", true, func() client.Object { return &appsv1.StatefulSet{} }, apps},
	{"apps", "v1", "daemonsets", "DaemonSet", false, func() client.Object { return &appsv1.DaemonSet{} }, apps},
	{"batch", "v1", "cronjobs", "CronJob", false, func() client.Object { return &batchv1.CronJob{} }, batch},
	{"", "v1", "configmaps", "ConfigMap", false, func() client.Object { return &corev1.ConfigMap{} }, core},
	{"", "v1", "services", "Service", false, func() client.Object { return &corev1.Service{} }, core},
	{"networking.k8s.io", "v1", "ingresses", "Ingress", false, func() client.Object { return &networkingv1.Ingress{} }, networking},
	{"networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", false, func() client.Object { return &networkingv1.NetworkPolicy{} }, networking},
	{"policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", false, func() client.Object { return &policyv1.PodDisruptionBudget{} }, budgets},
	{"autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", false, func() client.Object { return &autoscalingv2.HorizontalPodAutoscaler{} }, autoscaling},
}

func apps(c *kubernetes.Clientset) rest.Interface        { return c.AppsV1().RESTClient() }
func batch(c *kubernetes.Clientset) rest.Interface       { return c.BatchV1().RESTClient() }
func core(c *kubernetes.Clientset) rest.Interface        { return c.CoreV1().RESTClient() }
func networking(c *kubernetes.Clientset) rest.Interface  { return c.NetworkingV1().RESTClient() }
func budgets(c *kubernetes.Clientset) rest.Interface     { return c.PolicyV1().RESTClient() }
func autoscaling(c *kubernetes.Clientset) rest.Interface { return c.AutoscalingV2().RESTClient() }

// kindOf finds the kind that a resource is of, nil for one that is not witnessed.
func kindOf(group, resource string) *kind {
	at := slices.IndexFunc(kinds, func(k kind) bool { return k.group == group && k.resource == resource })
	if at < 0 {
		return nil
	}
	return &kinds[at]
}

// rules are a rule for each group and version.
func rules() []admissionregistrationv1.RuleWithOperations {
	var all []admissionregistrationv1.RuleWithOperations
	for _, k := range kinds {
		resources := []string{k.resource}
		if k.scales {
			resources = append(resources, k.resource+"/scale")
		}
		if last := len(all) - 1; last >= 0 && all[last].APIGroups[0] == k.group {
			all[last].Resources = append(all[last].Resources, resources...)
			continue
		}
		all = append(all, admissionregistrationv1.RuleWithOperations{
			Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update, admissionregistrationv1.Delete},
			Rule: admissionregistrationv1.Rule{APIGroups: []string{k.group}, APIVersions: []string{k.version}, Resources: resources,
				Scope: new(admissionregistrationv1.NamespacedScope)}})
	}
	return all
}
