package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/gate"
)

const (
	maxAnswer     = 8 << 20
	maxAnswerText = 400
)

// outcomeOf reads what the API server answered. Done and Refused need its word, in its own form and for this object; whatever
// else comes back, from it or from something on the way, leaves the outcome unknown.
func outcomeOf(resp *http.Response, plan gate.Action) (gate.Outcome, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	err = errors.Join(err, resp.Body.Close())
	var is metav1.PartialObjectMetadata
	if err == nil {
		err = json.Unmarshal(body, &is)
	}
	if resp.StatusCode == http.StatusTooManyRequests && err != nil {
		// The API server turns away in plain text, before it looks at what is asked.
		return gate.OutcomeRefused, errors.New("refused (429): the API server has too much to do")
	}
	if err != nil {
		return gate.OutcomeUnknown, fmt.Errorf("it may or may not have been done: the answer (%d) cannot be read: %w", resp.StatusCode, err)
	}
	if is.Kind != "Status" {
		if resp.StatusCode/100 == 2 && is.Kind == plan.Target.Kind && string(is.UID) == plan.Target.UID {
			return gate.OutcomeDone, nil
		}
		return gate.OutcomeUnknown, fmt.Errorf("it may or may not have been done: the answer (%d) is a %s that was not asked for", resp.StatusCode, gate.OneLine(is.Kind, 64))
	}
	var status metav1.Status
	if err := json.Unmarshal(body, &status); err != nil {
		return gate.OutcomeUnknown, fmt.Errorf("it may or may not have been done: the answer (%d) cannot be read: %w", resp.StatusCode, err)
	}
	return statusOutcome(resp.StatusCode, status, plan)
}

func statusOutcome(code int, s metav1.Status, plan gate.Action) (gate.Outcome, error) {
	text := gate.OneLine(s.Message, maxAnswerText)
	switch {
	case code/100 == 2 && s.Status == metav1.StatusSuccess:
		return gate.OutcomeDone, nil
	case s.Status != metav1.StatusFailure || int(s.Code) != code:
	case gone(s, plan):
		return gate.OutcomeNothing, nil
	case refuses(code):
		return gate.OutcomeRefused, fmt.Errorf("refused (%d %s): %s", code, gate.OneLine(string(s.Reason), 64), text)
	}
	return gate.OutcomeUnknown, fmt.Errorf("it may or may not have been done: the answer was %d %s: %s", code, gate.OneLine(string(s.Reason), 64), text)
}

// refuses reports whether a status code, from the API server itself, says that nothing was changed. 408 and 5xx do not: a request
// that timed out may have gone through.
func refuses(code int) bool {
	switch code {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusNotAcceptable, http.StatusConflict, http.StatusGone, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusTooManyRequests:
		return true
	}
	return false
}

// gone reports whether the pod that was to be evicted is not there any more: there is nothing left to do. That another pod has
// its name by now is a conflict, and refused: it means the same for this pod, but only the message tells it from other conflicts.
func gone(s metav1.Status, plan gate.Action) bool {
	return plan.Verb == VerbEvict && s.Reason == metav1.StatusReasonNotFound && s.Details != nil &&
		s.Details.Kind == "pods" && s.Details.Name == plan.Target.Name
}
