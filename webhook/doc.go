// Package webhook is the admission face: it scores a rollout before it starts.
//
// Handler answers the API server's question about a create or an update of a workload of one of the Kinds, in one line:
// decode, await a turn, look (informer caches), judge (the checks, then gate), answer, and queue the Case. Respond turns a
// verdict into an answer and is pure. Queue writes Cases outside the request. SecretNames finds out in the background which Secrets
// exist, without the right to read one. Registration is how the API server learns of all this.
//
// Whatever a manifest holds, an answer costs a bounded amount: only so many rollouts are weighed side by side (turns), the
// evidence of a verdict fits into its record, and no namespace can make the Secrets of another one unknown.
//
// Two reconcilers do what follows an admission, under the judge's identity: Settler writes what was answered into the status
// of the Case, and looks again at what was missing; Annotator writes the verdict onto the rollout, and judges what slipped
// through while nobody answered.
//
// Where a model may be asked, Settler asks it once about a rollout that is in, with the change and without values that may be secret. What
// it says comes onto the Case, and changes nothing else.
//
// Where a Guardrail wants it, a rollout waits for a model's word before it is in (pending): the client is told to come again, a Case holds
// what a model is told (brief), and the answer is made from what was heard (heard). The wait belongs to the workload and is short
// (clock); the judge's Lease says whether anybody is there to be asked (Advice).
//
// Follower follows each rollout to what came of it, and Memory remembers what failed. Offered knows which optional kinds there are.
// Slim takes out of what caches keep the values that nobody here may know: of a ConfigMap the names of its keys are left.
//
// Kinds are what is scored: Deployments, StatefulSets and DaemonSets, and by wish Jobs, CronJobs, Pods, Rollouts of Argo and what
// a Shape describes. All of them are asked about, leave Cases and are looked at again; annotated are only the first three, and of
// the others an Event tells.
//
// Disarm empties the registration for a human, who says why, and no gateway fills it before Arm. Readiness tells what the Case
// that speaks for a workload says, to whoever may see it.
//
// The handler never calls anything over the network, never blocks on a Case, never denies a dry run, and never denies because
// of a failure of its own: what it cannot decode, look at, judge or record is let in with a warning that says so. Nothing in
// this package ever reads a Secret, and nothing but moorgate.dev annotations is ever written to a workload.
package webhook
