package github

import (
	"crypto/rsa"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are what a Server is told. The zero Options take any token.
type Options struct {
	Token string // that requests must carry; empty: any
	// App is who may ask for installation tokens. With an App, no other tokens count than those that were issued and have not run out.
	App *App
	// Login is who writes.
	Login string
	// Verified: commits that name no author are signed by GitHub.
	Verified bool
	Now      func() time.Time // time.Now where it is nil
}

// App is a GitHub App with one installation.
type App struct {
	ID, Installation int64
	Key              *rsa.PublicKey
}

// Request is what was asked.
type Request struct {
	Method, Path, Query, Body string
	// Operation is GitHub's name for it, of Operations.
	Operation string
	Header    http.Header
	Number    int // from 1
}

// Server is a running server.
type Server struct {
	*httptest.Server
	options  Options
	dir      string
	contract *contract

	lock   sync.Mutex // one request at a time touches repositories
	repos  map[string]*Repo
	issued map[string]time.Time // tokens, and when they run out

	seenLock sync.Mutex
	seen     []Request
	wrong    []string
	fault    func(Request) Fault
}

// Start starts a Server on a port of its own of this machine, with its repositories in a folder. Close ends it.
func Start(dir string, o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Login == "" {
		o.Login = "moorgate[bot]"
	}
	s := &Server{options: o, dir: dir, contract: newContract(), repos: map[string]*Repo{}, issued: map[string]time.Time{}}
	mux := http.NewServeMux()
	for _, o := range Operations {
		method, template, _ := strings.Cut(o, " ")
		pattern := strings.NewReplacer("{ref}", "{ref...}").Replace(template)
		mux.HandleFunc(method+" /api/v3"+pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, o) })
	}
	mux.HandleFunc("/api/v3/", func(w http.ResponseWriter, r *http.Request) {
		s.note(Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery})
		s.complain("there is no " + r.Method + " " + r.URL.Path)
		http.Error(w, `{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}`, http.StatusNotFound)
	})
	mux.Handle("/", s.git())
	s.Server = httptest.NewServer(mux)
	return s
}

// git serves the repositories to who clones them, by Git's own program.
func (s *Server) git() http.Handler {
	program, err := exec.LookPath("git")
	if err != nil {
		return http.NotFoundHandler()
	}
	return &cgi.Handler{Path: program, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + s.dir, "GIT_HTTP_EXPORT_ALL=1",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}}
}

// Script says what goes wrong from now on. nil: nothing.
func (s *Server) Script(fault func(Request) Fault) {
	s.seenLock.Lock()
	defer s.seenLock.Unlock()
	s.fault = fault
}

// Requests are the requests so far.
func (s *Server) Requests() []Request {
	s.seenLock.Lock()
	defer s.seenLock.Unlock()
	return slices.Clone(s.seen)
}

// Wrong says what was asked so far that GitHub would not know.
func (s *Server) Wrong() []string {
	s.seenLock.Lock()
	defer s.seenLock.Unlock()
	return slices.Clone(s.wrong)
}

func (s *Server) complain(text string) {
	s.seenLock.Lock()
	defer s.seenLock.Unlock()
	s.wrong = append(s.wrong, text)
}

func (s *Server) note(r Request) Fault {
	s.seenLock.Lock()
	r.Number = len(s.seen) + 1
	s.seen = append(s.seen, r)
	fault := s.fault
	s.seenLock.Unlock()
	if fault == nil {
		return Fault{}
	}
	return fault(r)
}

// serve checks a request, plays what goes wrong, and answers.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, operation string) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil {
		return // the client has gone
	}
	fault := s.note(Request{Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Body: string(body), Operation: operation, Header: r.Header.Clone()})
	if text := s.contract.request(operation, r, body); text != "" {
		s.complain(operation + ": " + text)
		http.Error(w, `{"message":"Problems parsing JSON"}`, http.StatusBadRequest)
		return
	}
	if fault.happen(w, r) {
		return
	}
	if operation != Operations[0] && !s.admitted(r) {
		http.Error(w, `{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"}`, http.StatusUnauthorized)
		return
	}
	status, answer := s.answer(r, operation, body)
	fault.deliver(w, status, s.contract.answer(operation, status, answer))
}

func (s *Server) admitted(r *http.Request) bool {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if s.options.App != nil {
		s.lock.Lock()
		defer s.lock.Unlock()
		return s.options.Now().Before(s.issued[token])
	}
	return s.options.Token == "" || token == s.options.Token
}

// ask is a request to a repository.
type ask struct {
	*Repo
	values url.Values
	path   func(string) string
	body   []byte
	write  string // who asks
}

func (s *Server) answer(r *http.Request, operation string, body []byte) (int, any) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if operation == Operations[0] {
		return s.issue(r, body)
	}
	repo := s.repos[r.PathValue("owner")+"/"+r.PathValue("repo")]
	if repo == nil {
		return missing()
	}
	return handlers[operation](ask{Repo: repo, values: r.URL.Query(), path: r.PathValue, body: body, write: s.options.Login})
}

func missing() (int, any) {
	return http.StatusNotFound, Object{"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}
}

// invalid is GitHub's 422.
func invalid(message string, errors ...any) (int, any) {
	return http.StatusUnprocessableEntity, Object{"message": message, "documentation_url": "https://docs.github.com/rest", "errors": errors}
}

// handlers answer operations.
var handlers = map[string]func(ask) (int, any){
	"GET /repos/{owner}/{repo}/compare/{basehead}":              ask.compare,
	"POST /repos/{owner}/{repo}/git/blobs":                      ask.makeBlob,
	"GET /repos/{owner}/{repo}/git/blobs/{file_sha}":            ask.showBlob,
	"POST /repos/{owner}/{repo}/git/commits":                    ask.makeCommit,
	"GET /repos/{owner}/{repo}/git/commits/{commit_sha}":        ask.showCommit,
	"GET /repos/{owner}/{repo}/git/ref/{ref}":                   ask.showRef,
	"POST /repos/{owner}/{repo}/git/refs":                       ask.makeRef,
	"PATCH /repos/{owner}/{repo}/git/refs/{ref}":                ask.moveRef,
	"DELETE /repos/{owner}/{repo}/git/refs/{ref}":               ask.removeRef,
	"POST /repos/{owner}/{repo}/git/trees":                      ask.makeTree,
	"GET /repos/{owner}/{repo}/git/trees/{tree_sha}":            ask.showTree,
	"GET /repos/{owner}/{repo}/issues":                          ask.listIssues,
	"POST /repos/{owner}/{repo}/issues":                         ask.makeIssue,
	"PATCH /repos/{owner}/{repo}/issues/{issue_number}":         ask.editIssue,
	"POST /repos/{owner}/{repo}/issues/{issue_number}/comments": ask.comment,
	"POST /repos/{owner}/{repo}/issues/{issue_number}/labels":   ask.label,
	"GET /repos/{owner}/{repo}/pulls":                           ask.listPulls,
	"POST /repos/{owner}/{repo}/pulls":                          ask.makePull,
	"GET /repos/{owner}/{repo}/pulls/{pull_number}":             ask.showPull,
	"PATCH /repos/{owner}/{repo}/pulls/{pull_number}":           ask.editPull,
}
