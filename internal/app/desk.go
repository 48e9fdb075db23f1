package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/notify"
)

// The law: a press may make Moorgate more careful, and nothing else. It counts where the administrator's file says who pressed, and the
// API server that this user may approve plans there. Whatever cannot be found out changes nothing, and who pressed is told what to run.

// desk serves what people press in Slack.
type desk struct {
	users string // a file; empty: nobody is known
	api   kubernetes.Interface
	live  client.Reader
	log   flow.Log
	cases cluster.Cases
	now   func() time.Time
}

// serve does what a press asks for, and answers in one or two sentences to who pressed.
func (d *desk) serve(ctx context.Context, p notify.Press) string {
	if p.Kind == notify.PressApprove {
		return "In a terminal:  moorgate approve " + p.Case
	}
	by := instead(p)
	who, known, err := d.who(p)
	switch {
	case err != nil:
		return "Nothing is changed: who you are here could not be found out. " + by
	case !known:
		return "Nothing is changed: nobody said which user of this cluster you are. " + by
	}
	key, err := cluster.CaseKey(p.Case)
	if err != nil {
		return "Nothing is changed: there is no such Case."
	}
	var k v1alpha1.Case
	if err := d.live.Get(ctx, key, &k); apierrors.IsNotFound(err) {
		return "Nothing is changed: the Case is gone."
	} else if err != nil {
		return "Nothing is changed: the API server did not answer. " + by
	}
	if p.Kind == notify.PressReject && !slices.ContainsFunc(k.Status.Menu, func(c v1alpha1.Choice) bool { return c.Digest == p.Plan }) {
		return "Nothing is changed: the plan of this message is not on the Case any more, so it is not carried out. Look at the newest message, or at kubectl get case -n " + key.Namespace + " " + key.Name + "."
	}
	if may, err := d.may(ctx, who, key); err != nil {
		return "Nothing is changed: the API server could not be asked what you may do. " + by
	} else if !may {
		return fmt.Sprintf("Nothing is changed: you are %s, who may not approve plans in namespace %s, and so not hold them up from here. %s", shown(who.User), key.Namespace, by)
	}
	return d.brake(ctx, p, who, key, by)
}

// instead is what who pressed can run with their own rights.
func instead(p notify.Press) string {
	if p.Kind == notify.PressReject {
		return "In a terminal:  moorgate reject " + p.Case
	}
	return "In a terminal:  moorgate reject " + p.Case + "  holds up its plan, and  moorgate pause  everything."
}

func (d *desk) who(p notify.Press) (slackUser, bool, error) {
	if d.users == "" {
		return slackUser{}, false, nil
	}
	all, err := readSlackUsers(d.users)
	if err != nil {
		return slackUser{}, false, err
	}
	who, known := all.of(p.Team, p.User)
	return who, known, nil
}

// may asks whether a user has the rights that moorgate reject takes.
func (d *desk) may(ctx context.Context, who slackUser, key client.ObjectKey) (bool, error) {
	for _, right := range []authorizationv1.ResourceAttributes{{Verb: "approve", Resource: "cases", Name: key.Name}, {Verb: "create", Resource: "approvals"}} {
		right.Group, right.Version, right.Namespace = v1alpha1.GroupVersion.Group, v1alpha1.GroupVersion.Version, key.Namespace
		asked, err := d.api.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{User: who.User, Groups: append([]string{"system:authenticated"}, who.Groups...), ResourceAttributes: &right}}, metav1.CreateOptions{})
		if err != nil || asked.Status.EvaluationError != "" || !asked.Status.Allowed || asked.Status.Denied {
			return false, err
		}
	}
	return true, nil
}

// brake writes down who said what, and then says it on the Case.
func (d *desk) brake(ctx context.Context, p notify.Press, who slackUser, key client.ObjectKey, by string) string {
	at := metav1.NewTime(d.now().UTC().Truncate(time.Second))
	b := v1alpha1.Brake{Kind: v1alpha1.BrakeReject, Plan: p.Plan, User: gate.OneLine(who.User, 320), Via: "Slack " + p.Team + "/" + p.User, At: at}
	text := "rejected the plan"
	if p.Kind == notify.PressSnooze {
		until := metav1.NewTime(at.Add(p.For))
		b.Kind, b.Plan, b.Until, text = v1alpha1.BrakeSnooze, "", &until, "snoozed the Case until "+until.Format(time.RFC3339)
	}
	note := gate.Record{Kind: gate.RecordNote, Correlation: p.Case, Digest: b.Plan, Text: gate.OneLine(b.User+" ("+b.Via+") "+text, 1024)}
	if _, err := d.log.Append(ctx, note); err != nil {
		return "Nothing is changed: it could not be written down. " + by
	}
	late, err := d.cases.Brake(ctx, key, b)
	switch {
	case errors.Is(err, cluster.ErrBraked):
		return "Nothing is changed: " + err.Error()
	case err != nil:
		return "It is not certain that it holds, because the API server did not say so. " + by
	case late:
		return "It is written down, but an action had begun before, and that is not held up."
	}
	return strings.ToUpper(text[:1]) + text[1:] + ", as " + shown(b.User) + ". It holds things up, and is not taken back from here."
}
