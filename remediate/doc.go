// Package remediate is the third face: a workload is hurt; what is the cause, and may we help? The Watcher looks at what Warning
// events speak of, and at everything in a slow sweep: pods, and the kinds that have a ward. Each symptom of each workload becomes one
// Case with a cause, a menu and a verdict, on which it says too when that is over. Package acting, under another identity, carries out
// what is permitted of it, and looks afterwards whether that helped.
//
//	Warning event or sweep -> pod or object -> key (symptom, root owner, container, revision) -> look at the world -> cause -> menu -> verdict
//	Case -> key and plan digest -> look again -> decide again -> reserve -> intent -> claim -> act -> outcome -> verify
//
// An event is a trigger and never evidence: everything that is said is read from live state. A slow sweep looks at every
// pod, so that nothing depends on an event that was dropped, held back or never sent. The same happening has the same key,
// and so the same Case, for a hundred pods, in every replica and after every restart.
//
// What several workloads share that is why they fare badly is one happening besides: a registry, a missing ConfigMap, a quota, a node. Its
// Case names them, and they are parts of it; a part has no Case of its own, or one that says of what it is a part, and nothing is done
// about a part.
//
// What was done is found out whoever dies in between: the intent stands in the log and on the Case before anything is sent, and
// whoever takes over looks at the target, and never sends the same again.
//
// Where a model may be asked about what the causes left open, the Watcher asks it aside, after the Case says what they found: with the
// end of the container's log, its last message and the notes of its Events, all through the redaction door, and with what code has
// checked. What comes of it is the more careful of both. No rule rests on any of these texts, and nothing waits for a model.
//
// The Watcher never writes anything but Cases and their status. What acts writes these, and has two hands besides: it evicts one pod at
// a time, by its UID, and gives a Deployment the pod template of an earlier revision, if nobody has touched it since it was looked at;
// each under a Permit for exactly these bytes. What changes a template leaves its mark on the object, by which its fate is read. Neither
// has a shell, exec, attach or kubectl; neither reads a Secret, keeps more of a ConfigMap other than the ledger than the names of its
// keys, or shows an environment variable's value. What acts reads no log and no note, and takes no word of a model. Neither decides:
// package gate does.
package remediate
