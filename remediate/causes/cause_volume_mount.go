package causes

import "moorgate.dev/internal/gate"

// The law: what is left, where a pod does not begin, its volumes are made of what is there and are attached nowhere else, and other pods
// began on its node since: the mount itself. Why is said in events only, which prove nothing; so it is likely and not more. A node on
// which nothing begins is node-starts-nothing.
//
// On another node it may do better.
var volumeMountFails = Cause{
	Doc: gate.Doc{ID: "volume-mount-fails", Since: "v0.1", Title: "A volume of the pod is not mounted",
		Text: "The pod has volumes to mount, all that they are made of is there, and other pods begin on its node: so it is most likely a mount that fails."},
	Symptoms: []Symptom{NotStarting}, Points: 20, Sure: 60, Replaceable: true, cites: []string{EvidenceVolumes, EvidenceGrounds},
	explains: func(w World, p Pod) bool {
		s, known := w.Starts[p.Ref.UID]
		return known && s.Mounts > 0 && !s.Unasked && w.Grounds[p.Node].Began > 0
	},
	tell: func(w World, e Explained) string {
		s := w.Starts[e.Pods[0].Ref.UID]
		return sentence("%s cannot begin: most likely one of %s is not mounted; other pods begin on node %s", crowd(w, e.Count()), plural(s.Mounts, "volume"), e.Pods[0].Node)
	},
}
