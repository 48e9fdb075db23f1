package github

import (
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Fault is what goes wrong with one request. The zero Fault is nothing.
type Fault struct {
	// Status is answered, with Header and Body, instead of doing what was asked.
	Status int
	Header map[string]string
	Body   string
	// Lost: what was asked is done, and the connection ends before the answer.
	Lost bool
	// Cut: what was asked is done, and half of the answer arrives.
	Cut bool
	// Hang: nothing is done, and no answer comes until the client has gone.
	Hang bool
	// Before happens before what was asked is done: somebody else was faster.
	Before func()
}

// The faults that GitHub is known for.
var (
	// Abuse is what GitHub says to who writes too fast.
	Abuse = Fault{Status: http.StatusForbidden, Header: map[string]string{"Retry-After": "1"},
		Body: `{"message":"You have exceeded a secondary rate limit","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`}
	TooMany     = Fault{Status: http.StatusTooManyRequests, Header: map[string]string{"Retry-After": "1"}, Body: `{"message":"Too many requests"}`}
	Broken      = Fault{Status: http.StatusInternalServerError, Body: `<html>planted words</html>`}
	Unavailable = Fault{Status: http.StatusServiceUnavailable, Body: `{"message":"planted words"}`}
	BadGateway  = Fault{Status: http.StatusBadGateway, Body: `{"message":"Server Error"}`}
)

// NoDrafts is a script: GitHub as it is for a plan that has no draft pull requests.
func NoDrafts(r Request) Fault {
	if r.Operation == "POST /repos/{owner}/{repo}/pulls" && strings.Contains(r.Body, `"draft":true`) {
		return Fault{Status: http.StatusUnprocessableEntity, Body: `{"message":"Draft pull requests are not supported in this repository."}`}
	}
	return Fault{}
}

// happen plays a fault around what was asked, and reports whether it answered instead.
func (f Fault) happen(w http.ResponseWriter, r *http.Request) bool {
	if f.Before != nil {
		f.Before()
	}
	if f.Hang {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
	if f.Status == 0 {
		return false
	}
	for key, value := range f.Header {
		w.Header().Set(key, value)
	}
	w.WriteHeader(f.Status)
	_, _ = io.WriteString(w, f.Body)
	return true
}

// deliver sends an answer, or as much of it as the fault leaves.
func (f Fault) deliver(w http.ResponseWriter, status int, body []byte) {
	if f.Lost {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if f.Cut {
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body)
}
