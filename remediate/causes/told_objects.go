package causes

import (
	"regexp"
	"slices"
	"strings"
)

// What controllers say of nodes, autoscalers and deliveries they have in part from others: a runtime, a metrics server, whoever wrote a
// manifest or answers for a registry. The law of told.go holds: a message is of a class where it reads as the controllers write it, from
// its first character on; what a stranger wrote comes after that, and cannot make one class look like another.

const (
	toldNodeNetwork  Told = "the node's network is not ready"
	toldNodeRuntime  Told = "the node's container runtime does not answer"
	toldNodeShutdown Told = "the node is shutting down"

	toldNoTarget     Told = "what is to be scaled is not there"
	toldNoRequest    Told = "a container asks for none of what is measured"
	toldNoMetricsAPI Told = "nobody serves the metrics"
	toldNoMetrics    Told = "there are no metrics of the pods"

	toldDeniedHere  Told = "Moorgate's own gate refused it"
	toldDeniedThere Told = "a policy of the cluster refused it"
)

var nodeForms = slices.Concat(
	forms(toldNodeNetwork, `container runtime network not ready: .*`),
	forms(toldNodeRuntime, `container runtime is down.*`, `container runtime not ready: .*`, `container runtime status check may not have completed yet.*`,
		`PLEG is not healthy: .*`),
	forms(toldNodeShutdown, `node is shutting down.*`),
)

// ToldOfNode is the class of what a kubelet says of its node. Of several things the first counts: the kubelet names the runtime before
// the network that hangs on it.
func ToldOfNode(message string) Told {
	return classed(strings.TrimPrefix(message, "["), noWrapping, nodeForms)
}

var scalerWrapping = regexp.MustCompile(`^(?:the HPA was unable to compute the replica count: |invalid metrics \(\d+ invalid out of \d+\), first error is: |` +
	`failed to get [-\w./]+ (?:utilization|usage|metric value|container metric value|resource metric value|pods metric value|object metric value|external metric value): |` +
	`unable to get metrics for resource [-\w./]+: |unable to get (?:external |pods |object )?metric [-\w./]+: )`)

var scalerForms = slices.Concat(
	forms(toldNoTarget,
		`the HPA controller was unable to get the target's current scale: [-\w./]+ "[-a-z0-9.]+" not found`,
		`the HPA controller was unable to get the target's current scale: no matches for kind "\w*" in group "[-\w.]*"`),
	forms(toldNoRequest, `missing request for [-\w./]+(?: in container [-\w]+)?(?: of Pod [-\w.]+)?`),
	forms(toldNoMetricsAPI, `unable to fetch metrics from (?:resource|custom|external) metrics API: (?:the server could not find|the server is currently unable to handle|no (?:custom|external) metrics API) .*`),
	forms(toldNoMetrics, `no metrics returned from (?:resource|custom|external) metrics API`, `did not receive metrics for (?:targeted|any ready|any) pods(?: \(pods might be unready\))?`),
)

// ToldOfScaler is the class of what the controller of autoscalers says of one.
func ToldOfScaler(message string) Told { return classed(message, scalerWrapping, scalerForms) }

var deliveryWrapping = regexp.MustCompile(`^(?:[A-Z]\w*/(?:[-a-z0-9.]+/)?[-a-z0-9.:]+ dry-run failed(?: \(\w+\))?: |` +
	`(?:Helm )?(?:install|upgrade|rollback) failed(?: for release [-a-z0-9./]+ with chart [-\w.@+]+)?: |` +
	`one or more objects failed to apply(?: \(\d+ tasks?\))?,? (?:reason: )?|error when (?:creating|patching|replacing) "[^"]*": |server dry run failed: )`)

var (
	hereForms  = forms(toldDeniedHere, `admission webhook "rollouts\.moorgate\.dev" denied the request: .*`)
	thereForms = forms(toldDeniedThere, `admission webhook "[-a-z0-9.]+" denied the request: .*`,
		`[-\w.]+ "[^"]*" is forbidden: ValidatingAdmissionPolicy '[^']*' with binding '[^']*' denied request: .*`)
)

// ToldOfDelivery is the class of why something could not be applied. A refusal goes on over more lines; the first says who refused.
func ToldOfDelivery(message string) Told {
	line, _, _ := strings.Cut(message, "\n")
	line = strings.TrimSpace(line)
	if here := classed(line, deliveryWrapping, hereForms); here != "" {
		return here
	}
	return classed(line, deliveryWrapping, thereForms)
}
