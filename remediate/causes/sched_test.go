package causes

import (
	"strings"
	"testing"
	"time"

	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// stuck is a World in which n pods show a symptom.
func stuck(symptom Symptom, n int, change func(*World)) World {
	w := world(failing(n))
	w.Symptom, w.Container = symptom, map[bool]string{true: "app"}[symptom.OfContainer()]
	for i := range w.Pods {
		w.Pods[i].State, w.Pods[i].Ref.UID, w.Pods[i].Node = Stuck, w.Pods[i].Ref.Name, "one"
	}
	change(&w)
	return w
}

// ailing is a World in which an object of another kind than Pod shows a symptom.
func ailing(symptom Symptom, change func(*World)) World {
	w := World{At: noon, Symptom: symptom, Root: gate.Ref{Kind: "Thing", Namespace: "shop", Name: "it", UID: "u"}, Complete: gate.Known(true),
		Objects: []Object{{State: Stuck}}, Source: gate.Known(""), Evidence: []gate.Evidence{{ID: EvidenceObjects}, {ID: EvidenceWorkload}}}
	change(&w)
	return w
}

func placed(b fit.Barrier, says Witness) func(*World) {
	return func(w *World) {
		w.Places = map[string]Place{}
		for _, p := range w.Pods {
			w.Places[p.Ref.UID] = Place{fit.Answer{Barrier: b, Why: "asks 4 cpu"}, says}
		}
	}
}

func starting(s Start, grounds map[string]Ground) func(*World) {
	return func(w *World) {
		w.Starts, w.Grounds = map[string]Start{}, grounds
		for _, p := range w.Pods {
			w.Starts[p.Ref.UID] = s
		}
	}
}

func readying(r Readiness, usual time.Duration) func(*World) {
	return func(w *World) {
		w.Readiness = map[string]Readiness{}
		for _, p := range w.Pods {
			w.Readiness[p.Ref.UID] = r
		}
		if usual > 0 {
			w.Usual = gate.Known(usual)
		}
	}
}

func depending(r Readiness, down ...string) func(*World) {
	return func(w *World) {
		readying(r, 0)(w)
		w.Unserved = gate.Known(down)
	}
}

func rolling(r Rollout) func(*World) { return func(w *World) { w.Rollout = &r } }

func refusing(class RefusalClass, seen gate.Fact[bool]) func(*World) {
	return func(w *World) { w.Refusal = &Refusal{Class: class, Name: "cap", Seen: seen, Why: "quota cap allows 1"} }
}

func claiming(c Claim) func(*World) { return func(w *World) { w.Claim = &c } }

func picking(b Backends) func(*World) { return func(w *World) { w.Backends = &b } }

func budgeting(b Budget) func(*World) { return func(w *World) { w.Budget = &b } }

func saying(reason, status string) func(*World) {
	return func(w *World) {
		w.Objects[0].Conditions = []Condition{{Type: "Failed", Status: status, Reason: reason}}
	}
}

// TestSchedulingCauses shows each cause beside a twin that differs in one fact and is not that cause.
func TestSchedulingCauses(t *testing.T) {
	unseen := gate.Unknown[bool]("it cannot be seen")
	two := map[string]Ground{"one": {Asleep: 2, Workloads: 2}, "two": {Began: 3}}
	for name, c := range map[string]struct {
		w    World
		want string
	}{
		"no nodes":                             {stuck(Unschedulable, 2, placed(fit.NoNodes, Agrees)), "no-nodes"},
		"a selector":                           {stuck(Unschedulable, 2, placed(fit.Selector, Agrees)), "node-selector"},
		"a taint":                              {stuck(Unschedulable, 2, placed(fit.Taint, Agrees)), "node-taint"},
		"cordoned nodes":                       {stuck(Unschedulable, 2, placed(fit.Closed, Agrees)), "nodes-closed"},
		"an unbound claim":                     {stuck(Unschedulable, 2, placed(fit.Claims, Agrees)), "claim-unbound"},
		"a volume's zone":                      {stuck(Unschedulable, 2, placed(fit.VolumeZone, Agrees)), "volume-zone"},
		"a port of the host":                   {stuck(Unschedulable, 2, placed(fit.HostPort, Agrees)), "host-port"},
		"too large":                            {stuck(Unschedulable, 2, placed(fit.TooLarge, Agrees)), "pod-too-large"},
		"outranked":                            {stuck(Unschedulable, 2, placed(fit.Outranked, Agrees)), "outranked"},
		"full of CPU":                          {stuck(Unschedulable, 2, placed(fit.CPU, Agrees)), "insufficient-cpu"},
		"a silent scheduler":                   {stuck(Unschedulable, 2, placed(fit.CPU, Silent)), "insufficient-cpu"},
		"a scheduler that says otherwise":      {stuck(Unschedulable, 2, placed(fit.CPU, Contradicts)), "other"},
		"full of memory":                       {stuck(Unschedulable, 2, placed(fit.Memory, Agrees)), "insufficient-memory"},
		"full of something else":               {stuck(Unschedulable, 2, placed(fit.OtherRoom, Agrees)), "insufficient-room"},
		"anti-affinity":                        {stuck(Unschedulable, 2, placed(fit.AntiAffinity, Agrees)), "pod-anti-affinity"},
		"affinity":                             {stuck(Unschedulable, 2, placed(fit.Affinity, Agrees)), "pod-affinity"},
		"spread":                               {stuck(Unschedulable, 2, placed(fit.Spread, Agrees)), "topology-spread"},
		"nothing that is worked out":           {stuck(Unschedulable, 2, placed(fit.Free, Contradicts)), "other"},
		"places that could not be read":        {stuck(Unschedulable, 2, func(*World) {}), "other"},
		"the same of pods that crash":          {stuck(CannotStart, 2, placed(fit.CPU, Agrees)), "other"},
		"a volume made of what is missing":     {stuck(NotStarting, 2, starting(Start{Missing: "ConfigMap settings"}, two)), "volume-source-missing"},
		"a volume that is elsewhere":           {stuck(NotStarting, 1, starting(Start{Mounts: 1, Volume: "pv", Elsewhere: "two"}, two)), "volume-attached-elsewhere"},
		"a volume that is not attached":        {stuck(NotStarting, 1, starting(Start{Mounts: 1, Volume: "pv", Unattached: true}, two)), "volume-attach-fails"},
		"a node that begins nothing":           {stuck(NotStarting, 2, starting(Start{}, two)), "node-starts-nothing"},
		"a node, and a Secret nobody knows of": {stuck(NotStarting, 2, starting(Start{Unasked: true}, two)), "other"},
		"a node that begins others":            {stuck(NotStarting, 2, starting(Start{}, map[string]Ground{"one": {Asleep: 2, Workloads: 2, Began: 1}})), "other"},
		"nodes that begin nothing":             {stuck(NotStarting, 2, starting(Start{}, map[string]Ground{"one": {Asleep: 2, Workloads: 2}, "two": {Asleep: 1, Workloads: 1}})), "cluster-starts-nothing"},
		"one workload that begins nowhere":     {stuck(NotStarting, 2, starting(Start{}, map[string]Ground{"one": {Asleep: 2, Workloads: 1}, "two": {Asleep: 1, Workloads: 1}})), "other"},
		"one workload, while others begin":     {stuck(NotStarting, 2, starting(Start{}, map[string]Ground{"one": {Asleep: 2, Workloads: 1}, "two": {Began: 3}})), "other"},
		"one node, and nothing elsewhere":      {stuck(NotStarting, 2, starting(Start{}, map[string]Ground{"one": {Asleep: 2, Workloads: 2}})), "other"},
		"a mount that fails":                   {stuck(NotStarting, 2, starting(Start{Mounts: 1}, map[string]Ground{"one": {Began: 1}})), "volume-mount-fails"},
		"a mount, and nobody else begins":      {stuck(NotStarting, 2, starting(Start{Mounts: 1}, map[string]Ground{"one": {Asleep: 1}})), "other"},
		"a readiness gate":                     {stuck(NotReady, 2, readying(Readiness{Gate: "example.com/lb", Started: true, Probe: "HTTP"}, 0)), "readiness-gate"},
		"a port that is not declared":          {stuck(NotReady, 2, readying(Readiness{Started: true, Probe: "HTTP", Port: "81", Declared: gate.Known(false)}, 0)), "probe-port"},
		"a port that is declared":              {stuck(NotReady, 2, readying(Readiness{Started: true, Probe: "HTTP", Port: "80", Declared: gate.Known(true)}, 0)), "readiness-probe-fails"},
		"no ports at all":                      {stuck(NotReady, 2, readying(Readiness{Started: true, Probe: "HTTP", Port: "80", Declared: unseen}, 0)), "readiness-probe-fails"},
		"a port that works for siblings": {stuck(NotReady, 2, func(w *World) {
			readying(Readiness{Started: true, Probe: "HTTP", Declared: gate.Known(false)}, 0)(w)
			w.Pods = append(w.Pods, Pod{State: Well})
		}), "readiness-probe-fails"},
		"a Service behind it that is down": {stuck(NotReady, 2, depending(Readiness{Started: true, Probe: "HTTP"}, "db")), "dependency-down"},
		"a Service that is up":             {stuck(NotReady, 2, depending(Readiness{Started: true, Probe: "HTTP"})), "readiness-probe-fails"},
		"siblings that do without it": {stuck(NotReady, 2, func(w *World) {
			depending(Readiness{Started: true, Probe: "HTTP"}, "db")(w)
			w.Pods = append(w.Pods, Pod{State: Well})
		}), "readiness-probe-fails"},
		"still starting":                    {stuck(NotReady, 2, readying(Readiness{Running: time.Minute, Allowed: 5 * time.Minute}, 0)), "slow-start"},
		"slow as its siblings":              {stuck(NotReady, 2, readying(Readiness{Started: true, Probe: "HTTP", Running: time.Minute}, 2*time.Minute)), "slow-start"},
		"slower than its siblings":          {stuck(NotReady, 2, readying(Readiness{Started: true, Probe: "HTTP", Running: 3 * time.Minute}, 2*time.Minute)), "readiness-probe-fails"},
		"past its startup probe":            {stuck(NotReady, 2, readying(Readiness{Running: 6 * time.Minute, Allowed: 5 * time.Minute}, 0)), "startup-probe-fails"},
		"without a probe":                   {stuck(NotReady, 2, readying(Readiness{Started: true, Running: time.Hour}, 0)), "other"},
		"a bad revision":                    {ailing(RolloutStuck, rolling(Rollout{Fresh: 2, Others: 3, OthersReady: 3})), "bad-revision"},
		"a bad cluster":                     {ailing(RolloutStuck, rolling(Rollout{Fresh: 2, Others: 3})), "other"},
		"old pods that linger":              {ailing(RolloutStuck, rolling(Rollout{Fresh: 2, OthersReady: 3, Lingering: 1})), "old-pods-linger"},
		"a quota":                           {ailing(PodsRefused, refusing(RefusedByQuota, gate.Known(true))), "quota-exceeded"},
		"a quota with room by now":          {ailing(PodsRefused, refusing(RefusedByQuota, gate.Known(false))), "other"},
		"a quota that wants to be told":     {ailing(PodsRefused, refusing(RefusedUnsaid, unseen)), "quota-needs-requests"},
		"a LimitRange":                      {ailing(PodsRefused, refusing(RefusedByLimits, unseen)), "limit-range"},
		"Pod Security":                      {ailing(PodsRefused, refusing(RefusedBySecurity, unseen)), "pod-security"},
		"a webhook that denies":             {ailing(PodsRefused, refusing(RefusedByWebhook, unseen)), "webhook-denied"},
		"a webhook that is down":            {ailing(PodsRefused, refusing(RefusedByOutage, unseen)), "webhook-down"},
		"a policy":                          {ailing(PodsRefused, refusing(RefusedByPolicy, unseen)), "policy-denied"},
		"an account that is missing":        {ailing(PodsRefused, refusing(RefusedForAccount, gate.Known(true))), "account-missing"},
		"an account that came":              {ailing(PodsRefused, refusing(RefusedForAccount, gate.Known(false))), "other"},
		"pods that are invalid":             {ailing(PodsRefused, refusing(RefusedAsInvalid, unseen)), "pod-invalid"},
		"an answer that nobody understands": {ailing(PodsRefused, refusing("", unseen)), "other"},
		"no attempts left":                  {ailing(JobFailed, saying("BackoffLimitExceeded", "True")), "job-out-of-attempts"},
		"no time left":                      {ailing(JobFailed, saying("DeadlineExceeded", "True")), "job-out-of-time"},
		"a failure policy":                  {ailing(JobFailed, saying("PodFailurePolicy", "True")), "job-failure-policy"},
		"a condition that does not hold":    {ailing(JobFailed, saying("PodFailurePolicy", "False")), "other"},
		"a lost volume":                     {ailing(ClaimPending, claiming(Claim{Lost: true, Class: gate.Known("fast"), ClassThere: gate.Known(true), Provisioner: "x"})), "claim-lost"},
		"no such class":                     {ailing(ClaimPending, claiming(Claim{Class: gate.Known("fast"), ClassThere: gate.Known(false)})), "storage-class-missing"},
		"volumes without a class":           {ailing(ClaimPending, claiming(Claim{Class: gate.Known("fast"), ClassThere: gate.Known(false), Free: 1})), "volume-unmatched"},
		"no default class":                  {ailing(ClaimPending, claiming(Claim{})), "default-class-missing"},
		"no class wanted":                   {ailing(ClaimPending, claiming(Claim{Class: gate.Known(""), ClassThere: gate.Known(false)})), "volume-unmatched"},
		"nobody makes volumes":              {ailing(ClaimPending, claiming(Claim{Class: gate.Known("fast"), ClassThere: gate.Known(true)})), "volume-unmatched"},
		"somebody makes none":               {ailing(ClaimPending, claiming(Claim{Class: gate.Known("fast"), ClassThere: gate.Known(true), Provisioner: "x"})), "provisioner-failing"},
		"a Service that picks nothing":      {ailing(NoEndpoints, picking(Backends{})), "selector-matches-nothing"},
		"a port that no pod has":            {ailing(NoEndpoints, picking(Backends{Picked: 2, Ready: 2, Port: "http"})), "target-port-missing"},
		"a port of pods that are not ready": {ailing(NoEndpoints, picking(Backends{Picked: 2, Port: "http"})), "backends-not-ready"},
		"pods that are ready":               {ailing(NoEndpoints, picking(Backends{Picked: 2, Ready: 2})), "other"},
		"a budget that allows none":         {ailing(DisruptionStuck, budgeting(Budget{Pods: 2, Healthy: 2, Never: true})), "budget-allows-none"},
		"a budget that asks for all":        {ailing(DisruptionStuck, budgeting(Budget{Pods: 2, Healthy: 2})), "budget-asks-for-all"},
		"a budget that asks for fewer":      {ailing(DisruptionStuck, budgeting(Budget{Pods: 2, Healthy: 1})), "other"},
	} {
		t.Run(name, func(t *testing.T) {
			a := Assess(c.w, nil)
			if a.Cause != c.want || strings.Contains(a.Findings[0].Text, "%!") {
				t.Errorf("the cause is %q: %s", a.Cause, a.Findings[0].Text)
			}
			well := c.w
			well.Pods, well.Objects = []Pod{{State: Well}}, []Object{{State: Well}}
			if a := Assess(well, nil); a.Silent == "" {
				t.Errorf("what is well has the cause %s", a.Cause)
			}
		})
	}
}
