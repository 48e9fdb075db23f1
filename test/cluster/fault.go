package cluster

// FaultLabel is the pod label that makes a simulated pod fail. Put it into a pod template; taking it out of the template heals by the
// rollout that follows.
const FaultLabel = "sim.moorgate.dev/fault"

// Annotations of a pod with a fault.
const (
	// RunForAnnotation is how long a container runs before it exits, as a Go duration. Default 1s, and 500ms for a Job's pod, which
	// needs no fault to exit.
	RunForAnnotation = "sim.moorgate.dev/run-for"
	// BackoffBaseAnnotation is the first back-off in seconds, with or without a unit ("0.2", "200ms", "10s", "1m"). It doubles up to
	// 300 s. It is also the period of the readiness probe and of attempts to create a container. Default 10s.
	BackoffBaseAnnotation = "sim.moorgate.dev/backoff-base"
	// MessageAnnotation replaces the text that the runtime, the registry or the probe answers.
	MessageAnnotation = "sim.moorgate.dev/message"
)

// Fault is a value of FaultLabel. The first container of the pod has it; the others run.
type Fault string

const (
	// CrashLoop exits with 1: restartCount and back-off rise, BackOff events. A pod that is never restarted fails.
	CrashLoop Fault = "crashloop"
	// OOMKilled exits with 137 and reason OOMKilled, then as CrashLoop. There is no event of the kill itself, as on real nodes.
	OOMKilled Fault = "oomkilled"
	// ImagePull waits in ErrImagePull and ImagePullBackOff: Failed (Warning) and BackOff (Normal) events.
	ImagePull Fault = "imagepull"
	// ConfigError waits in CreateContainerConfigError over the first Secret or ConfigMap that the container's environment names:
	// Failed events.
	ConfigError Fault = "configerror"
	// NotReady runs and is never ready: Unhealthy events.
	NotReady Fault = "notready"
	// ByHand leaves the status of the pod to whoever writes it (see SetStatus); until then it is Pending.
	ByHand Fault = "byhand"
)
