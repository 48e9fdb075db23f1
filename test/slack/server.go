package slack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// The tokens that it takes.
const (
	BotToken = "xoxb-test-bot"
	AppToken = "xapp-test-app"
	Team     = "T0123456789"
)

// Message is what stands in a channel, as it was sent last.
type Message struct {
	Channel, TS string
	To          string // whom alone it is shown to; empty: all
	Text        string
	Blocks      []Block
	Updates     int
	Form        map[string]string
}

// Block is what is looked at of a block.
type Block struct {
	Type     string   `json:"type"`
	Text     *Text    `json:"text"`
	Elements []Button `json:"elements"`
}

// Text is a text of a block.
type Text struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// Button is a button, or what else stands in a row.
type Button struct {
	Type     string          `json:"type"`
	ActionID string          `json:"action_id"`
	Value    string          `json:"value"`
	Text     json.RawMessage `json:"text"`
}

// Server is a Slack.
type Server struct {
	// Fault answers a request in its stead, if it answers at all. It is called with the method, as chat.postMessage.
	Fault func(method string, w http.ResponseWriter) bool

	http *httptest.Server

	lock     sync.Mutex
	messages []Message
	conn     *websocket.Conn
	writing  sync.Mutex
	acks     map[string]chan struct{}
	next     int
}

// Start begins to serve.
func Start() *Server {
	s := &Server{acks: map[string]chan struct{}{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/{method}", s.method)
	mux.HandleFunc("GET /socket", s.socket)
	s.http = httptest.NewServer(mux)
	return s
}

// Close ends it.
func (s *Server) Close() {
	s.Drop()
	s.http.CloseClientConnections()
	s.http.Close()
}

// URL is where its Web API is.
func (s *Server) URL() string { return s.http.URL + "/api/" }

// Messages are what stands in all channels.
func (s *Server) Messages() []Message {
	s.lock.Lock()
	defer s.lock.Unlock()
	return append([]Message(nil), s.messages...)
}

func (s *Server) method(w http.ResponseWriter, r *http.Request) {
	method := r.PathValue("method")
	if s.Fault != nil && s.Fault(method, w) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		s.answer(w, map[string]any{"ok": false, "error": "invalid_form_data"})
		return
	}
	token, wants := r.Form.Get("token"), BotToken
	if method == "apps.connections.open" {
		wants = AppToken
	}
	if token == "" {
		token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	if token != wants {
		s.answer(w, map[string]any{"ok": false, "error": "invalid_auth"})
		return
	}
	switch method {
	case "apps.connections.open":
		s.answer(w, map[string]any{"ok": true, "url": "ws" + strings.TrimPrefix(s.http.URL, "http") + "/socket"})
	case "chat.postMessage", "chat.update", "chat.postEphemeral":
		s.chat(w, r, method)
	default:
		s.answer(w, map[string]any{"ok": false, "error": "unknown_method"})
	}
}

func (s *Server) answer(w http.ResponseWriter, content map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(content)
}

// chat keeps a message, if Slack would.
func (s *Server) chat(w http.ResponseWriter, r *http.Request, method string) {
	m := Message{Channel: r.Form.Get("channel"), To: r.Form.Get("user"), Text: r.Form.Get("text"), Form: map[string]string{}}
	for name := range r.Form {
		m.Form[name] = r.Form.Get(name)
	}
	if err := json.Unmarshal([]byte(r.Form.Get("blocks")), &m.Blocks); err != nil || !fit(m.Blocks) {
		s.answer(w, map[string]any{"ok": false, "error": "invalid_blocks"})
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if method == "chat.update" {
		for i := range s.messages {
			if old := &s.messages[i]; old.TS == r.Form.Get("ts") && old.Channel == m.Channel && old.To == "" {
				m.TS, m.Updates = old.TS, old.Updates+1
				*old = m
				s.answer(w, map[string]any{"ok": true, "channel": m.Channel, "ts": m.TS, "text": m.Text})
				return
			}
		}
		s.answer(w, map[string]any{"ok": false, "error": "message_not_found"})
		return
	}
	s.next++
	m.TS = fmt.Sprintf("1795000000.%06d", s.next)
	s.messages = append(s.messages, m)
	content := map[string]any{"ok": true, "channel": m.Channel, "ts": m.TS}
	if method == "chat.postEphemeral" {
		content = map[string]any{"ok": true, "message_ts": m.TS}
	}
	s.answer(w, content)
}

// fit is whether blocks keep Slack's limits.
func fit(blocks []Block) bool {
	if len(blocks) == 0 || len(blocks) > 50 {
		return false
	}
	for _, b := range blocks {
		most := map[string]int{"header": 150, "section": 3000}[b.Type]
		if b.Text != nil && (utf8.RuneCountInString(b.Text.Text) > most || b.Text.Text == "") {
			return false
		}
		for _, e := range b.Elements {
			if len(e.Value) > 2000 || b.Type == "actions" && e.ActionID == "" {
				return false
			}
		}
	}
	return true
}
