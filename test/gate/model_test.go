package gate

import (
	"maps"
	"strings"
	"time"

	"moorgate.dev/test/openai"
)

// answers has the model answer so about what is in a namespace.
func (h *house) answers(ns string, a func(openai.Request) openai.Reply) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.says[ns] = a
}

func (h *house) say(r openai.Request) openai.Reply {
	h.mu.Lock()
	says := maps.Clone(h.says)
	h.mu.Unlock()
	for ns, a := range says {
		if strings.Contains(r.Body, ns) {
			return a(r)
		}
	}
	return openai.Reply{Content: openai.Nothing}
}

// questions is how often the model was asked about what is in a namespace.
func (h *house) questions(ns string) (n int) {
	for _, r := range h.model.Requests() {
		if strings.Contains(r.Body, ns) {
			n++
		}
	}
	return n
}

// sound finds nothing, after a while.
func sound(after time.Duration) func(openai.Request) openai.Reply {
	return saying(after, `{"cause":"sound","findings":[],"choice":["admit"],"score":95,"confidence":90,"unsure":false,"why":"nothing speaks against it"}`)
}

// against finds enough to keep a rollout of the image out, after a while.
func against(after time.Duration) func(openai.Request) openai.Reply {
	return saying(after, `{"cause":"likely-mistake","findings":[{"text":"the image is another product","points":90,"evidence":["template"],"quote":"shop/backup:9.9.9","claim":null}],"choice":[],"score":5,"confidence":90,"unsure":false,"why":"a shop does not serve from a backup tool"}`)
}

func saying(after time.Duration, content string) func(openai.Request) openai.Reply {
	return func(openai.Request) openai.Reply { return openai.Reply{Content: content, After: after} }
}

// never answers.
func never(openai.Request) openai.Reply { return openai.Reply{Fault: &openai.Fault{Hang: true}} }
