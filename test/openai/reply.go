package openai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Nothing is an opinion that says nothing.
const Nothing = `{"cause":"other","findings":[],"choice":[],"score":100,"confidence":0,"unsure":true,"why":"nothing was scripted"}`

// Reply is what a Server answers. The zero Reply is an empty answer.
type Reply struct {
	Content string `json:"content,omitempty"` // of the message
	Refusal string `json:"refusal,omitempty"`
	Finish  string `json:"finish,omitempty"` // default stop
	// Usage counts tokens; nil: counted from the lengths of the texts.
	Usage *Usage `json:"usage,omitempty"`
	// After is how long it takes.
	After time.Duration `json:"after,omitempty"`
	// Fault is what goes wrong in place of an answer.
	Fault *Fault `json:"fault,omitempty"`
}

// Usage are the tokens of an answer.
type Usage struct {
	Prompt, Cached, Completion int
}

// Fault is one thing that goes wrong.
type Fault struct {
	Status  int               `json:"status,omitempty"` // default 200
	Header  map[string]string `json:"header,omitempty"`
	Body    string            `json:"body,omitempty"`    // as it is
	Error   string            `json:"error,omitempty"`   // a body in OpenAI's form with this message
	Code    string            `json:"code,omitempty"`    // of it
	Repeat  int               `json:"repeat,omitempty"`  // of Body
	CutAt   int               `json:"cutAt,omitempty"`   // the connection ends after so many bytes of the body
	Drip    time.Duration     `json:"drip,omitempty"`    // between two bytes
	Hang    bool              `json:"hang,omitempty"`    // nothing comes until the client goes
	NoUsage bool              `json:"noUsage,omitempty"` // an answer that counts no tokens
}

func (r Reply) write(w http.ResponseWriter, hr *http.Request, req Request, flavour Flavour) {
	body := r.completion(req, flavour)
	select {
	case <-time.After(r.After):
	case <-hr.Context().Done():
		return
	}
	f := r.Fault
	if f == nil {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
		return
	}
	switch {
	case f.Hang:
		<-hr.Context().Done()
		return
	case f.Error != "":
		body, _ = json.Marshal(map[string]any{"error": map[string]any{"message": f.Error, "type": "error", "param": nil, "code": f.Code}})
	case f.Body != "":
		body = []byte(strings.Repeat(f.Body, max(f.Repeat, 1)))
	}
	w.Header().Set("Content-Type", "application/json")
	for name, value := range f.Header {
		w.Header().Set(name, value)
	}
	if f.CutAt > 0 {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)+1))
	}
	if f.Status != 0 {
		w.WriteHeader(f.Status)
	}
	f.send(w, hr, body)
}

// send sends a body, slowly or not to its end where that is the fault.
func (f *Fault) send(w http.ResponseWriter, hr *http.Request, body []byte) {
	switch {
	case f.CutAt > 0:
		_, _ = w.Write(body[:min(f.CutAt, len(body))])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case f.Drip > 0:
		for i := range body {
			if _, err := w.Write(body[i : i+1]); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case <-hr.Context().Done():
				return
			case <-time.After(f.Drip):
			}
		}
	default:
		_, _ = w.Write(body)
	}
}

// completion is the body of an answer.
func (r Reply) completion(req Request, flavour Flavour) []byte {
	message := map[string]any{"role": "assistant", "content": r.Content, "refusal": nil}
	if r.Refusal != "" {
		message["content"], message["refusal"] = nil, r.Refusal
	}
	finish := r.Finish
	if finish == "" {
		finish = "stop"
	}
	out := map[string]any{"id": fmt.Sprintf("chatcmpl-%d", req.Number), "object": "chat.completion", "created": 1795000000, "model": req.Model,
		"choices": []any{map[string]any{"index": 0, "message": message, "finish_reason": finish, "logprobs": nil}}}
	if r.Fault == nil || !r.Fault.NoUsage {
		out["usage"] = r.usage(req, flavour)
	}
	b, _ := json.Marshal(out)
	return b
}

func (r Reply) usage(req Request, flavour Flavour) map[string]any {
	u := r.Usage
	if u == nil {
		u = &Usage{Prompt: len(req.Body)/4 + 8, Completion: len(r.Content)/4 + 1}
	}
	out := map[string]any{"prompt_tokens": u.Prompt, "completion_tokens": u.Completion, "total_tokens": u.Prompt + u.Completion}
	if flavour != Ollama && flavour != LlamaCpp {
		out["prompt_tokens_details"] = map[string]any{"cached_tokens": u.Cached}
		out["completion_tokens_details"] = map[string]any{"reasoning_tokens": 0}
	}
	return out
}
