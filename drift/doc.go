// Package drift is the face that asks whether the cluster still says what Git says.
//
// A Detector reads the objects that a GitSource declares, of the kinds in a table (workloads, Services, Ingresses, NetworkPolicies,
// HorizontalPodAutoscalers, PodDisruptionBudgets, ConfigMaps, Roles, RoleBindings), and asks the API server, by a server-side-apply dry run, what it
// would make of each. Of what it does not compare it tells which kinds those are, and how many objects. Where that answer and the live object differ in a field that Git declares, or where a person owns a field
// that neither Git declares nor a delivery owns, which managedFields tell and no dry run can, there is a drift: one Case
// for each set of drifted fields of one object with their live values (those that may be shown), with what differs, who owns
// the fields, and the edit in Git that would make the change a lasting one. Another live value is another Case. Defaults and
// other spellings of a quantity are no drift, because the API server wrote both sides; nor is what the table falsepositives.yaml
// passes over, such as replicas that an autoscaler sets within its bounds, or a restart; nor what Git itself says, by an annotation
// of ours, of Flux or of Argo CD, is to be left alone. A false or an empty value that Git declares is compared, though the API
// server does not keep it. Of Roles and RoleBindings, and, where that is asked for, of Secrets and custom resources, nothing is tried: what a
// dry run would answer is made here. Of Secrets nothing is looked at but seals, in which nobody can read a value.
//
// An object that was deleted is a drift too, with a Case of its own for as long as it is gone: where who delivers says that it applied it,
// or an earlier round saw it. First it is asked again whether Git still declares it, and whether a delivery is on its way, or its namespace
// is going. What was never seen may not be delivered yet, and is told in the status alone. It is for people to bring it back, or to take it
// out of Git: that is never proposed. Where more than a few go within a while, they have one Case, about what declares or delivers them.
//
// What a delivery applied once, and nobody declares any more, is an orphan, and has one Case with all that the same delivery left in the
// namespace. It is looked for by the mark of who delivers, when something else is applied and in a sweep; it is never deleted here.
//
// The first round over a folder lists each kind, a page at a time. An object that says Git in the same letters, and on which nobody owns
// more, is known to say what Git says without a dry run; of the others a dry run tells. From then on an object is looked at where its
// manifest has changed, or its metadata, which is watched; where it differs; and now and then in a sweep over everything.
//
// To adopt a change is proposed only where it is known to be younger than what Git says. Otherwise Git may be ahead of what
// was delivered, and the edit would revert a release.
//
// A folder with a kustomization is rendered first, in memory. What comes of it is compared like any other. The edit is looked
// for by rendering again with other values: it is made in the one place that has the last word, of the overlay or of its base,
// and proven by rendering every other kustomization of the repository that may read the same file, of which none may move. The
// last proof is a dry run of what the edits make, which leaves no drift in these fields. Who delivers a folder without a
// kustomization that refers to it, or a base by itself, is not known to be there.
//
// What a Kustomization of Flux or an Application of Argo CD delivers needs no GitSource: it is compared, one namespace at a time, with
// the commit that was applied last, rendered as who delivers renders it. A newer commit is not delivered yet, and no drift; what is
// being delivered just now is not said anything of until it has come to rest. Only what came of the delivery by its own word is
// compared. What a HelmRelease of Flux delivers is compared where that is asked for, with the manifest that Helm keeps of the release.
// What a plugin, a chart of Argo CD or a Secret makes of it cannot be known here, which is told by an Event about who delivers and by a
// number, and is never a drift.
//
// Comparing, attributing and judging are pure functions; the Detector looks and keeps. What it could not read is said on the
// Case, and is never a drift. What fails for one object is said on the GitSource, and stops none of the others.
//
// Where the API server told what people did while they did it, a drift is given the name of who was seen to make it. Witnesses judges the
// Cases of that, and says on them what became of the change: one that still differs stands on the Case of its drift alone.
//
// What a change looks like is first for rules to say, each of which speaks for one intent with a weight: an emergency fix, an
// accident, an experiment or a routine operation. Most of them are about what went on around the change: Events and Cases of the
// same workload in the hour before it, and whether they ended with it. An accident or an experiment is never offered to Git, and
// what weakens a workload's isolation is reported and never adopted. Where too little speaks for one, the cause stays open.
//
// Where a model may be asked, it is asked aside, once for each drift, whether the change looks like an emergency fix or an accident. No
// round waits for it, and what it says stays on the Case as long as the rules see the same.
//
// Proposals, under another identity and by package acting, opens a pull request with the edits that were judged: it reads Git and the
// live object itself and makes the same edits again, without any dry run. There is one for an object, for people to merge; where
// its drift is gone it is withdrawn, and what people said no to is not asked again. Digests list what waits for room.
//
// The Detector never writes to a workload or to a repository: all it writes are Cases, Events, the status of GitSources, and dry
// runs; a Look on somebody's behalf writes nothing but dry runs. It reads no Secret but the one that a GitRepository or a GitSource names
// to be read with, and those in which Helm keeps a release, or that Git declares, where that is asked for, and all of these only where somebody gave it the
// right to; it never writes to what Flux or Argo CD have, never shows a value that could be one, and never passes on what an API
// server, an admission webhook, an Event or a parser says in words. The name of a user is for people, and no model is told it.
package drift
