package openai

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Flavour is whose dialect a Server speaks.
type Flavour string

// The flavours.
const (
	OpenAI   Flavour = "openai"
	Azure    Flavour = "azure"    // api-key header, api-version query
	Ollama   Flavour = "ollama"   // ignores what it does not know, strict schemas too, and counts no cached tokens
	LlamaCpp Flavour = "llamacpp" // knows json_object but no json_schema, and max_tokens alone
)

// Options are what a Server is told. The zero Options are OpenAI's dialect without a key.
type Options struct {
	Flavour Flavour
	Key     string   // that requests must carry; empty: any or none
	Models  []string // that exist; empty: any
	TLS     bool
	// Answer makes the reply to a request that is in order. nil: an empty opinion.
	Answer func(Request) Reply
}

// Request is what a client asked.
type Request struct {
	Model          string          `json:"model"`
	Messages       []Message       `json:"messages"`
	ResponseFormat *ResponseFormat `json:"response_format,omitempty"`
	MaxTokens      *int            `json:"max_tokens,omitempty"`
	MaxCompletion  *int            `json:"max_completion_tokens,omitempty"`
	N              *int            `json:"n,omitempty"`
	Seed           *int            `json:"seed,omitempty"`
	Temperature    *float64        `json:"temperature,omitempty"`
	Logprobs       *bool           `json:"logprobs,omitempty"`
	TopLogprobs    *int            `json:"top_logprobs,omitempty"`

	Header http.Header `json:"-"`
	Path   string      `json:"-"` // with its query
	Body   string      `json:"-"`
	Number int         `json:"-"` // from 1
}

// System and User are the texts of the first message of that role.
func (r Request) System() string { return r.role("system", "developer") }

// User is the text of the user's message.
func (r Request) User() string { return r.role("user") }

func (r Request) role(names ...string) string {
	for _, m := range r.Messages {
		if slices.Contains(names, m.Role) {
			return m.Content
		}
	}
	return ""
}

// Message is one message.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// ResponseFormat is the form that is asked for.
type ResponseFormat struct {
	Type       string `json:"type"`
	JSONSchema *struct {
		Name   string          `json:"name"`
		Strict bool            `json:"strict"`
		Schema json.RawMessage `json:"schema"`
	} `json:"json_schema,omitempty"`
}

// Server is a running server.
type Server struct {
	*httptest.Server
	options Options

	asked atomic.Int64
	lock  sync.Mutex
	seen  []Request
}

// Start starts a Server on a port of its own of this machine. Close ends it.
func Start(o Options) *Server {
	if o.Flavour == "" {
		o.Flavour = OpenAI
	}
	s := &Server{options: o}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", s.complete)
	mux.HandleFunc("POST /openai/deployments/{model}/chat/completions", s.complete)
	mux.HandleFunc("GET /v1/models", s.models)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "invalid_request_error", "", "", "Unknown request URL: "+r.Method+" "+r.URL.Path)
	})
	if o.TLS {
		s.Server = httptest.NewTLSServer(mux)
	} else {
		s.Server = httptest.NewServer(mux)
	}
	return s
}

// Base is the URL that clients are told.
func (s *Server) Base() string {
	if s.options.Flavour == Azure {
		return s.URL + "/openai/deployments/" + first(s.options.Models, "triage")
	}
	return s.URL + "/v1"
}

// Requests are the requests so far that were in order.
func (s *Server) Requests() []Request {
	s.lock.Lock()
	defer s.lock.Unlock()
	return slices.Clone(s.seen)
}

func (s *Server) complete(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	if err != nil {
		return // the client has gone
	}
	if !s.admit(w, r) {
		return
	}
	var req Request
	if err := json.Unmarshal(body, &req); err != nil {
		fail(w, http.StatusBadRequest, "invalid_request_error", "", "", "We could not parse the JSON body of your request.")
		return
	}
	req.Header, req.Path, req.Body = r.Header.Clone(), r.URL.RequestURI(), string(body)
	if !s.check(w, req, body) {
		return
	}
	req.Number = int(s.asked.Add(1))
	s.lock.Lock()
	s.seen = append(s.seen, req)
	s.lock.Unlock()
	reply := Reply{Content: Nothing}
	if s.options.Answer != nil {
		reply = s.options.Answer(req)
	}
	reply.write(w, r, req, s.options.Flavour)
}

// admit checks who asks.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) bool {
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if s.options.Flavour == Azure {
		if key = r.Header.Get("api-key"); r.URL.Query().Get("api-version") == "" {
			fail(w, http.StatusNotFound, "", "404", "", "Resource not found")
			return false
		}
	}
	if s.options.Key != "" && key != s.options.Key {
		fail(w, http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "", "Incorrect API key provided: "+key)
		return false
	}
	return true
}

// known are the parameters that this server knows.
var known = []string{"model", "messages", "response_format", "max_tokens", "max_completion_tokens", "n", "seed", "temperature", "logprobs", "top_logprobs"}

// check checks what is asked, as strictly as the flavour does.
func (s *Server) check(w http.ResponseWriter, req Request, body []byte) bool {
	bad := func(param, text string) bool {
		fail(w, http.StatusBadRequest, "invalid_request_error", "unsupported_parameter", param, text)
		return false
	}
	if len(s.options.Models) > 0 && !slices.Contains(s.options.Models, req.Model) {
		fail(w, http.StatusNotFound, "invalid_request_error", "model_not_found", "", fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", req.Model))
		return false
	}
	if len(req.Messages) == 0 {
		return bad("messages", "Invalid 'messages': empty array.")
	}
	if s.options.Flavour == Ollama {
		return true
	}
	var all map[string]json.RawMessage
	_ = json.Unmarshal(body, &all)
	for name := range all {
		if !slices.Contains(known, name) {
			return bad(name, "Unrecognized request argument supplied: "+name)
		}
	}
	if s.options.Flavour == LlamaCpp {
		if req.MaxCompletion != nil {
			return bad("max_completion_tokens", "unknown parameter: max_completion_tokens")
		}
		if req.ResponseFormat != nil && req.ResponseFormat.Type == "json_schema" {
			return bad("response_format", "response_format type must be one of 'text' or 'json_object'")
		}
		return true
	}
	if f := req.ResponseFormat; f != nil && f.Type == "json_schema" {
		if why := strict(f.JSONSchema.Schema); why != "" {
			return bad("response_format", "Invalid schema for response_format '"+f.JSONSchema.Name+"': "+why)
		}
	}
	return true
}

// unsupported are the words of JSON Schema that strict modes refuse.
var unsupported = []string{"maxLength", "minLength", "pattern", "format", "maxItems", "minItems", "uniqueItems", "patternProperties", "maxProperties", "minimum", "maximum", "multipleOf"}

// strict says why a schema is none that strict modes take: every object names all of its properties as required and takes no other.
func strict(schema json.RawMessage) string {
	var node map[string]json.RawMessage
	if json.Unmarshal(schema, &node) != nil {
		var list []json.RawMessage
		if json.Unmarshal(schema, &list) == nil {
			for _, item := range list {
				if why := strict(item); why != "" {
					return why
				}
			}
		}
		return ""
	}
	for _, word := range unsupported {
		if raw, ok := node[word]; ok && len(raw) > 0 && raw[0] != '{' {
			return "'" + word + "' is not permitted."
		}
	}
	if raw, ok := node["properties"]; ok {
		var properties map[string]json.RawMessage
		var required []string
		_ = json.Unmarshal(raw, &properties)
		_ = json.Unmarshal(node["required"], &required)
		for name := range properties {
			if !slices.Contains(required, name) {
				return "'required' is required to be supplied and to be an array including every key in properties. Missing '" + name + "'."
			}
		}
		if string(node["additionalProperties"]) != "false" {
			return "'additionalProperties' is required to be supplied and to be false."
		}
	}
	for _, child := range node {
		if why := strict(child); why != "" {
			return why
		}
	}
	return ""
}

func (s *Server) models(w http.ResponseWriter, r *http.Request) {
	if !s.admit(w, r) {
		return
	}
	type model struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		OwnedBy string `json:"owned_by"`
	}
	list := struct {
		Object string  `json:"object"`
		Data   []model `json:"data"`
	}{Object: "list", Data: []model{}}
	for _, name := range s.options.Models {
		list.Data = append(list.Data, model{name, "model", "test"})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(list)
}

// fail answers with an error in OpenAI's form.
func fail(w http.ResponseWriter, status int, kind, code, param, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	detail := map[string]any{"message": message, "type": kind, "param": nil, "code": nil}
	if code != "" {
		detail["code"] = code
	}
	if param != "" {
		detail["param"] = param
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"error": detail})
}

func first(list []string, otherwise string) string {
	if len(list) > 0 {
		return list[0]
	}
	return otherwise
}
