package causes

import (
	"strings"
	"testing"
	"time"

	"moorgate.dev/certs"
	"moorgate.dev/internal/gate"
)

// shown is a World in which one object shows a symptom with the given conditions.
func shown(s Symptom, kind string, conditions ...Condition) World {
	ref := gate.Ref{Kind: kind, Name: "it", UID: "u"}
	for i := range conditions {
		conditions[i].Since = noon.Add(-time.Hour)
	}
	return World{At: noon, Symptom: s, Root: ref, Complete: gate.Known(true), Objects: []Object{{Ref: ref, State: Stuck, Conditions: conditions}},
		Evidence: []gate.Evidence{{ID: EvidenceObjects}, {ID: EvidenceWorkload}}}
}

func one(kind, status, reason string, told ...Told) Condition {
	c := Condition{Type: kind, Status: status, Reason: reason}
	if len(told) > 0 {
		c.Told = told[0]
	}
	return c
}

// TestObjectCauses shows each cause beside its twin, which differs in one fact and is another.
func TestObjectCauses(t *testing.T) {
	node := func(c ...Condition) World { return shown(NodeUnwell, "Node", c...) }
	scaler := func(s *Scaler, c ...Condition) World {
		w := shown(AutoscalerBlind, "HorizontalPodAutoscaler", c...)
		w.Scaler = s
		return w
	}
	cert := func(c *Certificate) World {
		w := shown(CertificateUnfit, "Certificate", one("Ready", "False", "DoesNotExist"))
		w.Certificate = c
		return w
	}
	flux := func(reason string, told ...Told) World {
		return shown(DeliveryFailing, "Kustomization", one("Ready", "False", reason, told...))
	}
	argo := func(c ...Condition) World { return shown(DeliveryFailing, "Application", c...) }
	blind := func(told ...Told) Condition {
		return one("ScalingActive", "False", "FailedGetResourceMetric", told...)
	}
	target := func(there bool) *Scaler { return &Scaler{Target: "Deployment/web", There: gate.Known(there), Most: 7} }
	limited := one("ScalingLimited", "True", "TooManyReplicas")
	served := func(yes bool) *Scaler {
		return &Scaler{There: gate.Known(true), Metrics: gate.Known(yes), Resource: []string{"cpu"}}
	}
	issuer := func(there, ready gate.Fact[bool], asked Asked, stand certs.Standing) *Certificate {
		return &Certificate{Issuer: "Issuer/le", There: there, Ready: ready, Asked: gate.Known(asked), Stand: stand, NotAfter: noon}
	}
	yes, no, unknown := gate.Known(true), gate.Known(false), gate.Unknown[bool]("not read")
	for name, c := range map[string]struct {
		w    World
		want string
		says string
	}{
		"a kubelet that fell silent":                   {node(one("Ready", "Unknown", "NodeStatusUnknown")), "node-silent", "silent since 11:00 UTC"},
		"a kubelet that says no, and not why":          {node(one("Ready", "False", "KubeletNotReady")), "other", "is unwell"},
		"a kubelet without a network":                  {node(one("Ready", "False", "KubeletNotReady", toldNodeNetwork)), "node-network-down", "network for pods"},
		"routes that are not made":                     {node(one("Ready", "True", ""), one("NetworkUnavailable", "True", "NoRoute")), "node-network-down", ""},
		"a kubelet without a runtime":                  {node(one("Ready", "False", "KubeletNotReady", toldNodeRuntime)), "node-runtime-down", "runtime"},
		"a runtime that is down on a full disk":        {node(one("Ready", "False", "", toldNodeRuntime), one("DiskPressure", "True", "")), "node-disk-pressure", "DiskPressure"},
		"a machine that shuts down":                    {node(one("Ready", "False", "", toldNodeShutdown)), "node-shutting-down", "still there"},
		"memory that is short":                         {node(one("Ready", "True", ""), one("MemoryPressure", "True", "")), "node-memory-pressure", "MemoryPressure"},
		"memory of which nobody knows":                 {node(one("Ready", "Unknown", ""), one("MemoryPressure", "Unknown", "")), "node-silent", ""},
		"processes without end":                        {node(one("PIDPressure", "True", "")), "node-pid-pressure", "process ids"},
		"a target that is missing":                     {scaler(target(false), one("AbleToScale", "False", "FailedGetScale")), "scale-target-missing", "Deployment/web, which does not exist"},
		"a target that is there, whatever is said":     {scaler(target(true), one("AbleToScale", "False", "FailedGetScale", toldNoTarget)), "other", ""},
		"a target that may not be read":                {scaler(&Scaler{Target: "Stack/web"}, one("AbleToScale", "False", "FailedGetScale", toldNoTarget)), "scale-target-missing", ""},
		"a container without a request":                {scaler(&Scaler{There: yes, Metrics: yes, Resource: []string{"cpu"}, Bare: []string{"app"}}, blind(toldNoRequest)), "request-missing", "container app has no request of cpu"},
		"pods without metrics":                         {scaler(served(true), blind(toldNoMetrics)), "metrics-missing", "no metrics of its pods"},
		"no metrics, and why is not said":              {scaler(served(true), blind()), "other", ""},
		"no metrics, because nobody serves them":       {scaler(served(false), blind()), "metrics-unserved", "nobody who serves"},
		"a metric of others where no pods' are served": {scaler(served(false), one("ScalingActive", "False", "FailedGetExternalMetric")), "other", ""},
		"metrics that are said not to be found":        {scaler(nil, blind(toldNoMetricsAPI)), "metrics-unserved", ""},
		"a maximum that is too low":                    {scaler(target(true), one("ScalingActive", "True", "ValidMetricFound"), limited), "at-maximum", "more than its maximum of 7"},
		"a maximum that is not known to be one":        {scaler(served(true), blind(), limited), "other", ""},
		"an issuer that is missing":                    {cert(issuer(no, unknown, NotAsked, certs.Awaited)), "issuer-missing", "is not issued: Issuer/le does not exist"},
		"an issuer that nobody may look for":           {cert(issuer(unknown, unknown, NotAsked, certs.Awaited)), "other", ""},
		"an issuer that is not ready":                  {cert(issuer(yes, no, AskedFailed, certs.Overdue)), "issuer-not-ready", "is not renewed"},
		"a request that was denied":                    {cert(issuer(yes, yes, AskedDenied, certs.Awaited)), "certificate-denied", "denied"},
		"an order that failed":                         {cert(issuer(yes, yes, OrderFailed, certs.RunOut)), "order-failed", "ran out on"},
		"a request that failed":                        {cert(issuer(yes, yes, AskedFailed, certs.Awaited)), "issuance-failed", "failed at Issuer/le"},
		"a request that waits":                         {cert(issuer(yes, yes, AskedWaits, certs.Awaited)), "other", ""},
		"a certificate that ran out, nobody knows why": {cert(issuer(yes, yes, Answered, certs.RunOut)), "certificate-expired", "ran out on"},
		"a renewal that does not come":                 {cert(issuer(yes, yes, AskedWaits, certs.Overdue)), "renewal-late", "runs out on"},
		"a certificate of which nothing is known":      {cert(nil), "other", ""},
		"a source without credentials":                 {flux("AuthenticationFailed"), "source-access", "credentials"},
		"a source that cannot be read":                 {flux("GitOperationFailed"), "source-failing", "GitOperationFailed"},
		"a build that fails":                           {flux("BuildFailed"), "build-failed", "BuildFailed"},
		"an apply that fails":                          {flux("ReconciliationFailed"), "apply-failed", "ReconciliationFailed"},
		"an apply that our gate refuses":               {flux("ReconciliationFailed", toldDeniedHere), "denied-by-gate", "gate of Moorgate"},
		"an apply that another refuses":                {flux("ReconciliationFailed", toldDeniedThere), "apply-denied", "policy of the cluster"},
		"health that is waited for":                    {flux("HealthCheckFailed"), "unhealthy-after-apply", ""},
		"a dependency that is not ready":               {flux("DependencyNotReady"), "dependency-not-ready", ""},
		"a source that has nothing":                    {flux("ArtifactFailed"), "source-not-ready", ""},
		"a release that failed":                        {flux("UpgradeFailed"), "release-failed", ""},
		"a release that gave up":                       {shown(DeliveryFailing, "HelmRelease", one("Stalled", "True", "RetriesExceeded")), "release-failed", "RetriesExceeded"},
		"a word that Flux does not have":               {flux("Cursed"), "other", "fails to deliver"},
		"an Application that cannot be compared":       {argo(one("ComparisonError", Present, "")), "build-failed", "ComparisonError"},
		"an Application that is badly described":       {argo(one("InvalidSpecError", Present, "")), "delivery-invalid", "InvalidSpecError"},
		"an operation that failed":                     {argo(one(Operation, "False", "Failed")), "apply-failed", "Failed"},
		"an operation that failed at our gate":         {argo(one(Operation, "False", "Failed", toldDeniedHere)), "denied-by-gate", ""},
		"an operation that went well beside an error":  {argo(one(Operation, "True", "Succeeded"), one("ComparisonError", Present, "")), "build-failed", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := Assess(c.w, nil)
			if a.Cause != c.want || !strings.Contains(a.Findings[0].Text, c.says) {
				t.Errorf("the cause is %q: %s", a.Cause, a.Findings[0].Text)
			}
		})
	}
}

// TestToldOfObjects reads messages as controllers write them, and as somebody writes them who wants them to be read otherwise.
func TestToldOfObjects(t *testing.T) {
	for message, want := range map[string]Told{
		"container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized": toldNodeNetwork,
		"[container runtime is down, container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:x]":                           toldNodeRuntime,
		"PLEG is not healthy: pleg was last seen active 3m5s ago; threshold is 3m0s":                                                                            toldNodeRuntime,
		"container runtime network not ready: message:container runtime is down":                                                                                toldNodeNetwork,
		"node is shutting down":                                toldNodeShutdown,
		"kubelet is posting ready status":                      "",
		"my note: container runtime is down":                   "",
		"container runtime is down\ncontainer network is good": "",
	} {
		if got := ToldOfNode(message); got != want {
			t.Errorf("of a node %q is %q, want %q", message, got, want)
		}
	}
	for message, want := range map[string]Told{
		`the HPA controller was unable to get the target's current scale: deployments.apps "web" not found`:                                                                                                                                                     toldNoTarget,
		"the HPA was unable to compute the replica count: failed to get cpu utilization: missing request for cpu in container app of Pod web-66d5f7c9b-7xk2p":                                                                                                   toldNoRequest,
		"the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)": toldNoMetricsAPI,
		"the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API":                                                                                 toldNoMetrics,
		"the HPA was unable to compute the replica count: failed to get memory utilization: did not receive metrics for targeted pods (pods might be unready)":                                                                                                  toldNoMetrics,
		"the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)":                                                                                                                                      "",
		"missing request for cpu in container app of Pod web; no metrics returned from resource metrics API":                                                                                                                                                    "",
	} {
		if got := ToldOfScaler(message); got != want {
			t.Errorf("of an autoscaler %q is %q, want %q", message, got, want)
		}
	}
	ours, theirs := `admission webhook "rollouts.moorgate.dev" denied the request: moorgate: this rollout is refused`, `admission webhook "validate.kyverno.svc-fail" denied the request: no`
	for message, want := range map[string]Told{
		"Deployment/shop/web dry-run failed (Forbidden): " + ours + "\n  Mend this and apply again:\n":                                                                         toldDeniedHere,
		"Deployment/shop/web dry-run failed: " + theirs:                                                                                                                        toldDeniedThere,
		"Helm upgrade failed for release shop/web with chart web@1.2.3: " + ours:                                                                                               toldDeniedHere,
		`one or more objects failed to apply, reason: error when patching "/dev/shm/123": ` + ours:                                                                             toldDeniedHere,
		`Deployment/shop/web dry-run failed (Forbidden): deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'no-latest' with binding 'all' denied request: latest`: toldDeniedThere,
		"Deployment/shop/web dry-run failed (Invalid): the image " + ours:                                                                                                      "",
		`Deployment/shop/web dry-run failed: admission webhook "evil.example" denied the request: ` + ours:                                                                     toldDeniedThere,
		"we are refused: " + ours: "",
	} {
		if got := ToldOfDelivery(message); got != want {
			t.Errorf("of a delivery %q is %q, want %q", message, got, want)
		}
	}
}
