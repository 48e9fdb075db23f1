package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// socket serves Socket Mode to one connection, the newest.
func (s *Server) socket(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	_ = s.write(conn, map[string]any{"type": "hello", "num_connections": 1, "connection_info": map[string]any{"app_id": "A0"}, "debug_info": map[string]any{"host": "test"}})
	s.lock.Lock()
	old := s.conn
	s.conn = conn
	s.lock.Unlock()
	if old != nil {
		_ = old.Close()
	}
	done := make(chan struct{})
	defer close(done)
	go s.ping(conn, done)
	for {
		var ack struct {
			EnvelopeID string `json:"envelope_id"`
		}
		if err := conn.ReadJSON(&ack); err != nil {
			return
		}
		s.lock.Lock()
		if acked := s.acks[ack.EnvelopeID]; acked != nil {
			close(acked)
			delete(s.acks, ack.EnvelopeID)
		}
		s.lock.Unlock()
	}
}

func (s *Server) ping(conn *websocket.Conn, done chan struct{}) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
			_ = conn.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(time.Second))
		}
	}
}

func (s *Server) write(conn *websocket.Conn, content any) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return conn.WriteJSON(content)
}

// Drop ends the connection of Socket Mode, as Slack does now and then.
func (s *Server) Drop() {
	s.lock.Lock()
	conn := s.conn
	s.conn = nil
	s.lock.Unlock()
	if conn != nil {
		_ = conn.Close()
	}
}

// Press has a user press the button with that action on a message, and waits until that is acknowledged.
func (s *Server) Press(ctx context.Context, team, user string, m Message, action string) error {
	for _, b := range m.Blocks {
		for _, e := range b.Elements {
			if e.ActionID == action {
				return s.Send(ctx, team, user, m.Channel, action, e.Value)
			}
		}
	}
	return fmt.Errorf("there is no button %s on %q", action, m.Text)
}

// Send sends a press of any button, also of one that nobody made.
func (s *Server) Send(ctx context.Context, team, user, channel, action, value string) error {
	s.lock.Lock()
	s.next++
	id, acked, conn := fmt.Sprintf("envelope-%d", s.next), make(chan struct{}), s.conn
	s.acks[id] = acked
	s.lock.Unlock()
	if conn == nil {
		return errors.New("nobody is connected")
	}
	payload, err := json.Marshal(map[string]any{"type": "block_actions", "team": map[string]any{"id": Team}, "user": map[string]any{"id": user, "team_id": team},
		"channel": map[string]any{"id": channel}, "actions": []any{map[string]any{"type": "button", "action_id": action, "block_id": "moorgate", "value": value}}})
	if err != nil {
		return err
	}
	if err := s.write(conn, map[string]any{"type": "interactive", "envelope_id": id, "accepts_response_payload": true, "payload": json.RawMessage(payload)}); err != nil {
		return err
	}
	select {
	case <-acked:
		return nil
	case <-ctx.Done():
		return errors.New("it was not acknowledged")
	}
}

// Connected is whether somebody hears.
func (s *Server) Connected() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.conn != nil
}
