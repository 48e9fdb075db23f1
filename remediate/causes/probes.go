package causes

import "time"

// The law: the kubelet kills a container whose liveness or startup probe fails, by SIGTERM and, if it does not go, by SIGKILL: exit code
// 143 or 137, without the word of the kernel's memory killer. No status says who sent a signal, so a probe is believed to have killed
// only a container that has one, that ran at least as long as the probe needs to fail so often, and that nothing else of its
// manifest kills (a hook after its start). What was killed sooner than that, or has no such probe, somebody else killed. Events
// would name the probe, and are no evidence. A program that answers SIGTERM with a code of its own is called an error of the program.

// killer is the probe that is believed to have killed a container, and what it is called.
func killer(p Pod) (probe *Probe, name string) {
	exit, known := p.Exit.Get()
	ran, measured := exit.ran()
	if !known || !measured || exit.Reason != "Error" || !killed(exit) || p.Meant.Hook {
		return nil, ""
	}
	ran += time.Second // a status has no fractions of seconds
	startup, liveness := p.Meant.Startup, p.Meant.Liveness
	switch {
	case startup != nil && ran >= startup.earliest() && ran <= startup.latest():
		return startup, "startup probe"
	case liveness == nil || startup != nil && ran < startup.Delay+liveness.earliest():
		return nil, ""
	case ran >= liveness.earliest():
		return liveness, "liveness probe"
	}
	return nil, ""
}

// neverAnswered is whether a container was killed by a probe as soon as that is possible: it never answered.
func neverAnswered(p Pod, probe *Probe) bool {
	exit, _ := p.Exit.Get()
	ran, _ := exit.ran()
	return ran <= probe.latest()
}

// quickest is how soon, at best, a container of the workload's other revisions became ready. Those of this one say nothing: they live
// with the same probe.
func quickest(w World) (best time.Duration, known bool) {
	for _, p := range w.Others {
		if p.Readied > 0 && (!known || p.Readied < best) {
			best, known = p.Readied, true
		}
	}
	return best, known
}
