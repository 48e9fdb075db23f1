package checks

import (
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/certs"
	"moorgate.dev/internal/gate"
)

// Rollout is a change to one workload with what is known of the cluster around it.
type Rollout struct {
	Old   *Workload // nil on create
	New   Workload
	World World
	// Afterwards: it is in already, and nothing is asked for. Old and New are the same then.
	Afterwards bool
	// By is the user who asks for it, as the API server knows them; empty where nobody knows.
	By string
}

// Workload is what all kinds that make pods of one template have in common.
type Workload struct {
	Ref gate.Ref
	// Hashed is Hash of the template, where a look worked it out for all that ask: TemplateHash.
	Hashed string
	// Replicas is how many pods are wanted. A DaemonSet's is what its controller counted last: 0 before it ever ran.
	Replicas int32
	// MaxSurge and MaxUnavailable are resolved against Replicas as the controllers do.
	MaxSurge, MaxUnavailable int32
	Recreate                 bool // all old pods go before the first new one comes
	OnDelete                 bool // pods are replaced only when somebody deletes them
	Paused                   bool // nothing rolls out until it is resumed
	Once                     bool // its pods run to an end or stand alone, and nothing replaces them one by one: a Job, a CronJob, a bare Pod
	Later                    bool // nothing starts at once, but at times of its own: a CronJob
	Overlaps                 bool // a run may begin while the one before still runs
	Partition                int32
	Selector                 *metav1.LabelSelector
	Template                 corev1.PodTemplateSpec
	VolumeClaims             []corev1.PersistentVolumeClaim
	ServiceName              string // that the pods of a StatefulSet have their DNS names from
	Revision                 string // as the controller numbers or names it; empty before it has
	Status                   Status
	DependsOn                string // its annotation of that name
	Origin                   Origin // what its own marks say about who applies it
}

// Status is how the workload fares as its controller last saw it.
type Status struct {
	Observed                  bool // the controller has seen this generation
	Desired, Ready, Available int32
	// Updated have the newest template. Outdated are of an earlier one and are still to be replaced; those that a partition
	// keeps are not among them.
	Updated, Outdated int32
	// Stuck is the controller's own word that the rollout does not get on: "ProgressDeadlineExceeded: …".
	Stuck string
}

// World is what is known of the cluster around one Rollout. The zero World knows nothing.
type World struct {
	At time.Time
	// The maps say of each name that the rollout refers to whether it exists; a name that is missing here is unknown.
	// StorageClasses holds under the empty name whether there is a default class.
	Secrets, ConfigMaps, ServiceAccounts, Claims, StorageClasses map[string]gate.Fact[bool]
	// ConfigMapKeys says of each key that the rollout names, of ConfigMaps that exist, whether it is there.
	ConfigMapKeys map[Key]gate.Fact[bool]

	Quotas       gate.Fact[[]corev1.ResourceQuota]         // of the namespace
	LimitRanges  gate.Fact[[]corev1.LimitRange]            // of the namespace
	Nodes        gate.Fact[[]Node]                         // of the cluster
	Budgets      gate.Fact[[]policyv1.PodDisruptionBudget] // of the namespace
	Pods         gate.Fact[[]corev1.Pod]                   // this workload's
	Failures     gate.Fact[Failures]                       // of the namespace, without this workload's
	Revisions    gate.Fact[[]Revision]                     // of this workload, the current one included: the newest
	Services     gate.Fact[[]corev1.Service]               // of the namespace
	Neighbours   gate.Fact[Neighbours]                     // of this workload's pods, in its namespace
	Ingresses    gate.Fact[[]networkingv1.Ingress]         // of the namespace
	HTTPRoutes   gate.Fact[[]Route]                        // of the namespace
	Certificates gate.Fact[[]certs.IssuedCertificate]      // of the namespace
	// Autoscalers and VerticalAutoscalers are those of the namespace.
	Autoscalers         gate.Fact[[]autoscalingv2.HorizontalPodAutoscaler]
	VerticalAutoscalers gate.Fact[[]VerticalAutoscaler]
	// OlderRevisions is how many revisions there are beyond those in Revisions.
	OlderRevisions int
	Around         *Surroundings // nil: nobody looked, and placement is not asked about
	// FailedBefore are rollouts of the last days, anywhere in the cluster, that failed with this template or an image that is
	// new to this workload. The newest come first.
	FailedBefore gate.Fact[[]PastFailure]
	// Dependencies says how what the workload depends on fares; what is missing here is unknown.
	Dependencies map[Dependency]gate.Fact[Health]
	// Delivery is how the Origin of the workload fares.
	Delivery gate.Fact[Delivery]
}

// Node is a node with what the pods bound to it ask for.
type Node struct {
	Object    *corev1.Node // read only: it may belong to a cache
	Requested corev1.ResourceList
	Pods      int
	Class     Class // as ClassOf names it; zero: nobody did, and the node is looked at by itself
}

// Failures is the pattern of failure among the running pods of a namespace.
type Failures struct {
	Pods    int            // how many there are
	Failing int            // how many of them fail
	Reasons map[string]int // how many fail for which reason: CrashLoopBackOff
}

// Revision is one revision that the workload has had.
type Revision struct {
	Name   string
	Number int64
	Hash   string // of its template, as Hash makes it
}

// Check is one check: documentation as data, and a pure function.
type Check struct {
	ID     string // stable: the ID of its findings
	Title  string
	Law    string      // in prose
	Points int         // the most that it takes, and its weight in the confidence
	Nature gate.Nature // of its heaviest finding
	look   func(Rollout) Result
}

// Result is what one check saw.
type Result struct {
	Findings []gate.Finding
	// Unknown names what the check would have had to know. A check with unknowns counts as not answered.
	Unknown []string
	// Idle: the rollout has nothing that this check is about. It counts neither for the confidence nor against it.
	Idle bool
}

// The ids of the pieces of evidence that findings cite: what was asked of the cluster, one id a question.
const (
	EvidenceWorkload        = "workload"
	EvidenceSecrets         = "secrets"
	EvidenceConfigMaps      = "config-maps"
	EvidenceConfigMapKeys   = "config-map-keys"
	EvidenceServiceAccounts = "service-accounts"
	EvidenceClaims          = "claims"
	EvidenceStorageClasses  = "storage-classes"
	EvidenceQuotas          = "quotas"
	EvidenceLimitRanges     = "limit-ranges"
	EvidenceNodes           = "nodes"
	EvidenceBudgets         = "budgets"
	EvidencePods            = "pods"
	EvidenceFailures        = "failures"
	EvidenceRevisions       = "revisions"
	EvidenceServices        = "services"
	EvidenceNeighbours      = "neighbours"
	EvidenceIngresses       = "ingresses"
	EvidenceHTTPRoutes      = "http-routes"
	EvidenceCertificates    = "certificates"

	EvidenceAutoscalers         = "autoscalers"
	EvidenceVerticalAutoscalers = "vertical-autoscalers"
	EvidenceAround              = "surroundings"
	EvidenceFailedBefore        = "failed-before"
	EvidenceDependencies        = "dependencies"
	EvidenceDelivery            = "gitops-source"
)
