package causes

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

// Symptom is what is visibly wrong with a thing, as its live state shows. Why it shows is for the causes to say.
type Symptom string

// The symptoms of pods. NoContainer of them are of a pod as a whole.
const (
	CrashLoop     Symptom = "CrashLoop"     // a container is started, fails, and is started again
	ImagePull     Symptom = "ImagePull"     // the image of a container does not come
	CannotStart   Symptom = "CannotStart"   // a container is not created, or does not begin to run
	NotReady      Symptom = "NotReady"      // a container runs and does not become ready
	InitStuck     Symptom = "InitStuck"     // an init container runs and does not end
	Unschedulable Symptom = "Unschedulable" // no node takes the pod
	NotStarting   Symptom = "NotStarting"   // a node took the pod, and nothing of it begins: a volume, the network
)

// The symptoms of other objects.
const (
	RolloutStuck     Symptom = "RolloutStuck"     // a rollout makes no progress
	PodsRefused      Symptom = "PodsRefused"      // the pods of a workload may not be created
	JobFailed        Symptom = "JobFailed"        // a Job gave up
	ClaimPending     Symptom = "ClaimPending"     // a volume claim gets no volume
	NodeUnwell       Symptom = "NodeUnwell"       // a node is not ready or under pressure
	AutoscalerBlind  Symptom = "AutoscalerBlind"  // an autoscaler cannot scale, or not further
	CertificateUnfit Symptom = "CertificateUnfit" // a certificate is not issued, or runs out
	DeliveryFailing  Symptom = "DeliveryFailing"  // what delivers from Git fails to
	NoEndpoints      Symptom = "NoEndpoints"      // a Service has nobody to send to
	DisruptionStuck  Symptom = "DisruptionStuck"  // a disruption budget lets nothing ever be disrupted
)

// The symptoms of many: of what several workloads share, and of a namespace with too many Cases to open one more.
const (
	SharedCause  Symptom = "SharedCause"
	TooManyCases Symptom = "TooManyCases"
)

// symptom is what goes with each: how a sentence says it of its subject, and whether it is of one container or of a whole pod.
type symptom struct {
	says      string
	container bool
	pod       bool
}

var symptoms = map[Symptom]symptom{
	CrashLoop:        {says: "crash-loops", container: true, pod: true},
	ImagePull:        {says: "waits for its image", container: true, pod: true},
	CannotStart:      {says: "cannot be started", container: true, pod: true},
	NotReady:         {says: "runs and is not ready", container: true, pod: true},
	InitStuck:        {says: "does not end, and others wait for it", container: true, pod: true},
	Unschedulable:    {says: "is taken by no node", pod: true},
	NotStarting:      {says: "has a node and does not begin", pod: true},
	RolloutStuck:     {says: "makes no progress with its rollout"},
	PodsRefused:      {says: "may not create its pods"},
	JobFailed:        {says: "failed"},
	ClaimPending:     {says: "gets no volume"},
	NodeUnwell:       {says: "is unwell"},
	AutoscalerBlind:  {says: "cannot scale"},
	CertificateUnfit: {says: "is not fit to be served"},
	DeliveryFailing:  {says: "fails to deliver"},
	NoEndpoints:      {says: "has no ready endpoint"},
	DisruptionStuck:  {says: "can never allow a disruption"},
	SharedCause:      {says: "is why several workloads fare badly"},
	TooManyCases:     {says: "has more that fares badly than Cases are opened"},
}

// Known is whether there is such a symptom.
func (s Symptom) Known() bool { _, known := symptoms[s]; return known }

// OfContainer is whether the symptom is one of a container.
func (s Symptom) OfContainer() bool { return symptoms[s].container }

// OfPod is whether pods show the symptom, and not an object of another kind.
func (s Symptom) OfPod() bool { return symptoms[s].pod }

// Says is the symptom as a sentence says it of whoever shows it: "crash-loops".
func (s Symptom) Says() string { return symptoms[s].says }

// Sign is one symptom that a thing shows; of a pod, in which container. Container is empty for the pod as a whole.
type Sign struct {
	Symptom   Symptom
	Container string
}

// waits are the reasons for which the kubelet says that a container waits, and what each is a sign of. Others, such as
// PodInitializing, are how a pod begins.
var waits = map[string]Symptom{
	"CrashLoopBackOff": CrashLoop,
	"ImagePullBackOff": ImagePull, "ErrImageNeverPull": ImagePull, "InvalidImageName": ImagePull, "ImageInspectError": ImagePull,
	"CreateContainerConfigError": CannotStart, "CreateContainerError": CannotStart, "RunContainerError": CannotStart,
}

// Signs are all that a pod shows now. What passes by itself most often is a sign only once it has lasted for patience.
func Signs(pod *corev1.Pod, now time.Time, patience time.Duration) []Sign {
	if pod.DeletionTimestamp != nil || Ended(pod) {
		return nil
	}
	if condition := conditionOf(pod, corev1.PodScheduled); condition != nil && condition.Status == corev1.ConditionFalse {
		if condition.Reason == corev1.PodReasonUnschedulable && now.Sub(condition.LastTransitionTime.Time) >= patience {
			return []Sign{{Symptom: Unschedulable}}
		}
		return nil // held by a scheduling gate, or new
	}
	var signs []Sign
	for i := range pod.Status.InitContainerStatuses {
		signs = append(signs, signsOf(&pod.Status.InitContainerStatuses[i], initOf(pod, pod.Status.InitContainerStatuses[i].Name), now, patience)...)
	}
	for i := range pod.Status.ContainerStatuses {
		signs = append(signs, signsOf(&pod.Status.ContainerStatuses[i], serving, now, patience)...)
	}
	old := scheduledFor(pod, now) >= patience
	if len(signs) == 0 && old {
		signs = lateSigns(pod)
	}
	if len(signs) == 0 && gated(pod, now, patience) {
		signs = append(signs, Sign{NotReady, pod.Spec.Containers[0].Name})
	}
	if len(signs) == 0 && old && asleep(pod) {
		signs = append(signs, Sign{Symptom: NotStarting})
	}
	return signs
}

// duty is what a container is there for.
type duty int

const (
	serving   duty = iota // it runs and serves
	preparing             // it has to end before others begin
	beside                // an init container that runs for as long as the pod does
)

func initOf(pod *corev1.Pod, name string) duty {
	for j := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[j]; c.Name == name && c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			return beside
		}
	}
	return preparing
}

func signsOf(s *corev1.ContainerStatus, d duty, now time.Time, patience time.Duration) []Sign {
	var c Pod
	c.read(s, now, patience)
	if c.State == Looping {
		return []Sign{{CrashLoop, s.Name}}
	}
	switch {
	case s.State.Waiting != nil:
		if symptom, known := waits[s.State.Waiting.Reason]; known && c.State == Unwell {
			return []Sign{{symptom, s.Name}}
		}
	case s.State.Running == nil || now.Sub(s.State.Running.StartedAt.Time) < patience:
	case d == preparing:
		return []Sign{{InitStuck, s.Name}}
	case !s.Ready && c.State == Unwell:
		return []Sign{{NotReady, s.Name}}
	}
	return nil
}

// scheduledFor is for how long a pod has had a node.
func scheduledFor(pod *corev1.Pod, now time.Time) time.Duration {
	scheduled := conditionOf(pod, corev1.PodScheduled)
	if scheduled == nil || scheduled.Status != corev1.ConditionTrue {
		return 0
	}
	return now.Sub(scheduled.LastTransitionTime.Time)
}

// pulling are the reasons that the kubelet gives between a pull that failed and the wait for the next.
var pulling = []string{"ErrImagePull", "RegistryUnavailable", "SignatureValidationFailed"}

// lateSigns are those of a pod that had the time to get over them: an image whose pull failed just now may come at once.
func lateSigns(pod *corev1.Pod) []Sign {
	var signs []Sign
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range statuses {
			if w := statuses[i].State.Waiting; w != nil && slices.Contains(pulling, w.Reason) {
				signs = append(signs, Sign{ImagePull, statuses[i].Name})
			}
		}
	}
	return signs
}

// asleep is whether nothing of a pod began, and its volumes and its network are not there either. Where they are, its image is
// being pulled.
func asleep(pod *corev1.Pod) bool {
	if prepared := conditionOf(pod, corev1.PodReadyToStartContainers); prepared != nil && prepared.Status == corev1.ConditionTrue {
		return false
	}
	began := func(s corev1.ContainerStatus) bool {
		return s.State.Running != nil || s.State.Terminated != nil || s.LastTerminationState.Terminated != nil
	}
	return pod.Status.Phase == corev1.PodPending && !slices.ContainsFunc(pod.Status.InitContainerStatuses, began) &&
		!slices.ContainsFunc(pod.Status.ContainerStatuses, began)
}

// gated is whether the containers of a pod have all been ready for a while and the pod is not: a readiness gate is not set. It is said of
// the first container, as there is none that it is of.
func gated(pod *corev1.Pod, now time.Time, patience time.Duration) bool {
	all, whole := conditionOf(pod, corev1.ContainersReady), conditionOf(pod, corev1.PodReady)
	return len(pod.Spec.ReadinessGates) > 0 && len(pod.Spec.Containers) > 0 && all != nil && all.Status == corev1.ConditionTrue &&
		now.Sub(all.LastTransitionTime.Time) >= patience && whole != nil && whole.Status == corev1.ConditionFalse
}

func conditionOf(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

// Object is a thing of another kind than Pod, with how it fares. Its conditions are those that its controller wrote.
type Object struct {
	Ref        gate.Ref
	State      State // Stuck, Unsure or Well
	Conditions []Condition
}

// Condition is what a controller says of an object. The message is not kept: causes that have to tell messages apart keep the class.
type Condition struct {
	Type, Status, Reason string
	Since                time.Time
	Told                 Told // what class of thing its message says
}

// Condition is the condition of a type, as far as the object has one.
func (o Object) Condition(kind string) (Condition, bool) {
	i := slices.IndexFunc(o.Conditions, func(c Condition) bool { return c.Type == kind })
	if i < 0 {
		return Condition{}, false
	}
	return o.Conditions[i], true
}
