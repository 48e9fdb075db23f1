package causes

import "moorgate.dev/internal/gate"

// The law: a probe killed the container as soon as it could (see killer), so it was never answered; and it asks a port that is none of
// those that the container declares. A container may listen on a port that it does not declare: that is why this is not said for
// sure. It is the same for every pod: the probe or the port has to change, or to go back.
var probeWrongPort = Cause{
	Doc: gate.Doc{ID: "liveness-probe-wrong-port", Since: "v0.2", Title: "The probe that kills the container asks the wrong port",
		Text: "A liveness or startup probe kills the container as soon as it can, and asks a port that the container does not declare, while it declares others."},
	Symptoms: []Symptom{CrashLoop}, Points: 15, Sure: 80, Reversible: true,
	explains: func(_ World, p Pod) bool {
		probe, _ := killer(p)
		return probe != nil && probe.Undeclared && neverAnswered(p, probe)
	},
	tell: func(w World, e Explained) string {
		probe, name := killer(e.Pods[0])
		return sentence("the %s of %s asks port %q, which it does not declare, and kills it in %s; up to %s", name, e.who(w), probe.Port, crowd(w, e.Count()), plural(int(restarts(e.Pods)), "restart"))
	},
}
