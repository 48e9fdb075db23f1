package app

import (
	"errors"
	"io"
	"net/http"
	"time"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
)

const alertsPath = "/v1/alerts" // POST: a message of Alertmanager's webhook, which makes the judge look

// The ways in which a named thing, or an alert that names none, ends.
const (
	alertLook    = "look"    // somebody looks
	alertUnknown = "unknown" // it names nothing that could be looked at
	alertLeft    = "left"    // no room: it is left to the sweep
)

// alertServer takes alerts as a reason to look, from those who may post to its path.
type alertServer struct {
	bell  *remediate.Bell
	count func(result string, n int)
}

// take answers 204 once the judge is going to look. Where no Watcher runs, as in a replica that does not lead, it answers 503, and
// Alertmanager asks again.
func (s *alertServer) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, remediate.AlertBytes))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		refuse(w, http.StatusRequestEntityTooLarge, "the message is longer than 1 MiB; set max_alerts in the receiver")
		return
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "the message could not be read to its end")
		return
	}
	named, unknown, err := remediate.Alerts(body, time.Now())
	if err != nil {
		refuse(w, http.StatusBadRequest, gate.OneLine(err.Error(), 300))
		return
	}
	left, heard := s.bell.Ring(named)
	if !heard {
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "this replica does not look at workloads now; another does, or will")
		return
	}
	s.count(alertLook, len(named)-left)
	s.count(alertUnknown, unknown)
	s.count(alertLeft, left)
	w.WriteHeader(http.StatusNoContent)
}
