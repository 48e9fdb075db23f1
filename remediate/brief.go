package remediate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// The ids of the evidence that is collected for a model alone. No rule rests on it.
const (
	EvidenceLog     = "log"         // the end of the failing container's log
	EvidenceMessage = "message"     // what the container left as its last word
	EvidenceEvents  = "events"      // the notes of the failing pod's Warning events
	EvidenceSpec    = "spec"        // how the container is meant to run
	EvidenceChange  = "last-change" // what differs from the revision before
)

const (
	logBytes  = 64 << 10
	maxEvents = 20
	maxNotice = 400 // bytes of one note
)

// The kinds of claim that this face's code checks.
const (
	ClaimOOM         = "oom-killed"             // container/NAME
	ClaimExit        = "exit-code"              // container/NAME=CODE
	ClaimAllFail     = "every-pod-fails"        // KIND/NAME
	ClaimSomeWell    = "some-pods-are-well"     // KIND/NAME
	ClaimLimit       = "has-memory-limit"       // container/NAME
	ClaimEarlierRuns = "earlier-revision-works" // KIND/NAME
	ClaimGit         = "owned-by-git"           // KIND/NAME
)

// Claims lists the kinds of claim that this face's code checks.
func Claims() []string {
	return []string{ClaimOOM, ClaimExit, ClaimAllFail, ClaimSomeWell, ClaimLimit, ClaimEarlierRuns, ClaimGit}
}

// brief adds to a question what a model needs to know: evidence that passed the Door, what code has checked, and the shape of it.
func (p *patrol) brief(ctx context.Context, q *flow.Question, w causes.World) {
	failing := w.Failing()
	pod := failing[0].Ref
	log := p.log(ctx, w, pod)
	q.Evidence = append(slices.Clone(q.Evidence), log)
	q.Evidence = append(q.Evidence, p.papers(ctx, w, pod)...)
	if earlier, known := w.Earlier.Get(); known && earlier != nil {
		q.Evidence = append(q.Evidence, changed(w, earlier))
	}
	q.Evidence = p.Door.Evidence(q.Evidence)
	q.Claims = claims(w)
	cause, _ := causes.Of(w)
	q.Shape = shaped(cause.ID, w, log.Text)
}

// log is the end of the failing container's log: of the run that crashed, where there is one.
func (p *patrol) log(ctx context.Context, w causes.World, pod gate.Ref) gate.Evidence {
	e := gate.Evidence{ID: EvidenceLog, Source: fmt.Sprintf("log of container %s of pod %s", w.Container, pod.Name), At: w.At, Trust: gate.FromLog}
	if p.Logs == nil {
		e.Unread = "logs are not read here"
		return e
	}
	ctx, cancel := context.WithTimeout(ctx, logsWithin)
	defer cancel()
	text, err := p.Logs(ctx, pod, w.Container, true, logBytes+1)
	if err != nil || len(text) == 0 {
		text, err = p.Logs(ctx, pod, w.Container, false, logBytes+1)
	}
	cut := len(text) > logBytes
	whole := string(text)
	if cut {
		whole = fromLine(whole)
	}
	switch {
	case apierrors.IsForbidden(err):
		e.Unread = "reading logs is not permitted here"
	case err != nil:
		e.Unread = "the log cannot be read now"
	case len(text) == 0:
		e.Unread = "the container wrote no log"
	case whole == "":
		e.Unread = fmt.Sprintf("its last line is longer than %d KiB", logBytes>>10)
	case cut:
		e.Left = fmt.Sprintf("only the last %d KiB were read", logBytes>>10)
	}
	e.Text = whole
	return e
}

// fromLine is a text from its first whole line on. What is left of a line that was cut may be half of a secret, without the half by
// which the door would know it.
func fromLine(s string) string {
	_, rest, _ := strings.Cut(s, "\n")
	return rest
}

// messageMost is how long the last message of a container may be before the kubelet has perhaps cut it, at either end.
const messageMost = 2048

// lastWords is a container's last message without the lines at which it may have been cut.
func lastWords(s string) string {
	if len(s) < messageMost {
		return s
	}
	s = fromLine(s)
	return s[:max(0, strings.LastIndex(s, "\n"))]
}

// noteMost is how long a note may be before whoever wrote the Event has perhaps cut it.
const noteMost = 1000

// note is an Event's note for a model: secrets go before it is cut, and what may have been cut before goes with its last word.
func (p *patrol) note(message string) string {
	if len(message) >= noteMost {
		message = message[:max(0, strings.LastIndexAny(message, " \n\t"))]
	}
	return gate.OneLine(p.Door.Text(message), maxNotice)
}

// papers are what the pod and its events say: its last words, its notes, and how it is meant to run.
func (p *patrol) papers(ctx context.Context, w causes.World, ref gate.Ref) []gate.Evidence {
	var pod corev1.Pod
	spec := gate.Evidence{ID: EvidenceSpec, Source: "container " + w.Container + " of pod " + ref.Name, At: w.At, Trust: gate.FromAPI}
	if err := p.Reader.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, &pod); err != nil {
		spec.Unread = "the pod cannot be read now"
		return []gate.Evidence{spec, p.notes(ctx, w, ref)}
	}
	template := corev1.PodTemplateSpec{Spec: pod.Spec}
	spec.Text = strings.Join(cluster.Describe(&template, w.Container, p.Door), "\n")
	out := []gate.Evidence{spec, p.notes(ctx, w, ref)}
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		last := s.LastTerminationState.Terminated
		if s.State.Terminated != nil {
			last = s.State.Terminated
		}
		if s.Name == w.Container && last != nil && lastWords(last.Message) != "" {
			out = append(out, gate.Evidence{ID: EvidenceMessage, Source: "last message of container " + s.Name, At: w.At, Trust: gate.FromLog, Text: lastWords(last.Message)})
		}
	}
	return out
}

// notes are the newest Warning events about a pod.
func (p *patrol) notes(ctx context.Context, w causes.World, pod gate.Ref) gate.Evidence {
	e := gate.Evidence{ID: EvidenceEvents, Source: "Warning events about pod " + pod.Name, At: w.At, Trust: gate.FromEvent}
	var list corev1.EventList
	err := p.Events.List(ctx, &list, client.InNamespace(pod.Namespace), client.Limit(pageSize),
		client.MatchingFieldsSelector{Selector: fields.SelectorFromSet(fields.Set{"type": corev1.EventTypeWarning, "involvedObject.name": pod.Name})})
	if err != nil {
		e.Unread = "the events cannot be read now"
		return e
	}
	slices.SortStableFunc(list.Items, func(a, b corev1.Event) int { return Read(&b).At.Compare(Read(&a).At) })
	for i := range list.Items[:min(len(list.Items), maxEvents)] {
		x := &list.Items[i]
		e.Text += fmt.Sprintf("%s ×%d: %s\n", gate.OneLine(x.Reason, 64), max(x.Count, 1), p.note(x.Message))
	}
	if more := len(list.Items) - maxEvents; more > 0 {
		e.Left = fmt.Sprintf("%d older events", more)
	}
	if e.Text == "" {
		e.Unread = "there are none any more"
	}
	return e
}

// changed is what differs from the revision before, as far as it is going back to it that would change it.
func changed(w causes.World, earlier *causes.Earlier) gate.Evidence {
	e := gate.Evidence{ID: EvidenceChange, Source: "ReplicaSet " + earlier.Name, At: w.At, Trust: gate.FromAPI}
	for _, x := range earlier.Edits {
		e.Text += fmt.Sprintf("%s is %s, and was %s in revision %d\n", x.Path, x.Old, x.New, earlier.Number)
	}
	if e.Text == "" {
		e.Text = "nothing that can be shown"
	}
	return e
}

// claims are what this face's code has checked.
func claims(w causes.World) map[flow.Claim]gate.Fact[bool] {
	container, workload := "container/"+w.Container, w.Root.Kind+"/"+w.Root.Name
	out := map[flow.Claim]gate.Fact[bool]{
		{Kind: ClaimAllFail, Object: workload}:  w.Whole(),
		{Kind: ClaimSomeWell, Object: workload}: gate.Known(w.Spared() > 0),
	}
	oom, limited, known := false, false, true
	for _, p := range w.Failing() {
		exit, knows := p.Exit.Get()
		known = known && knows
		oom, limited = oom || exit.Reason == "OOMKilled", limited || p.Limited
		if knows {
			out[flow.Claim{Kind: ClaimExit, Object: fmt.Sprintf("%s=%d", container, exit.Code)}] = gate.Known(true)
		}
	}
	out[flow.Claim{Kind: ClaimOOM, Object: container}] = gate.Unknown[bool]("a pod's status does not say how the container ended")
	if known || oom {
		out[flow.Claim{Kind: ClaimOOM, Object: container}] = gate.Known(oom)
	}
	out[flow.Claim{Kind: ClaimLimit, Object: container}] = gate.Known(limited)
	if earlier, knows := w.Earlier.Get(); knows {
		out[flow.Claim{Kind: ClaimEarlierRuns, Object: workload}] = gate.Known(earlier != nil && earlier.Available > 0)
	}
	if source, knows := w.Source.Get(); knows {
		out[flow.Claim{Kind: ClaimGit, Object: workload}] = gate.Known(source != "")
	}
	return out
}

// changing is what differs from one line of a log to the next of the same template.
var changing = regexp.MustCompile(`\[masked:[0-9a-f]+\]|[0-9A-Fa-f]{8,}|[0-9]+`)

// shapeLines is how many of the last lines of a log tell one failure from another.
const shapeLines = 5

// shaped is the shape of a happening: what tells it from another for a model. Names of workloads and pods are no part of it, so that
// a hundred workloads that fail alike are one question.
func shaped(cause string, w causes.World, log string) string {
	ends := map[string]bool{}
	for _, p := range w.Failing() {
		ends[ended(p)] = true
	}
	var list []string
	for end := range ends {
		list = append(list, end)
	}
	slices.Sort(list)
	lines := strings.Split(strings.TrimSpace(log), "\n")
	lines = lines[max(0, len(lines)-shapeLines):]
	sum := sha256.Sum256([]byte(strings.Join([]string{cause, w.Container, strings.Join(list, ","), changing.ReplaceAllString(strings.Join(lines, "\n"), "#")}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

func ended(p causes.Pod) string {
	exit, known := p.Exit.Get()
	if !known {
		return fmt.Sprintf("unknown %s", p.Told)
	}
	return fmt.Sprintf("%d %s %s", exit.Code, exit.Reason, p.Told)
}
