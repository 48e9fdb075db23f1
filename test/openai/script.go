package openai

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

// Line is one line of a script: the first whose words all stand in a request, and which is not used up, makes the reply.
type Line struct {
	// Model and In tell the requests that it is for: the model's name, and words that all stand in the messages. Empty: any.
	Model string   `json:"model,omitempty"`
	In    []string `json:"in,omitempty"`
	// Times is how often it is used; 0: always.
	Times int   `json:"times,omitempty"`
	Reply Reply `json:"reply"`
	// Opinion is the content of the reply as JSON, for those who would rather not write it in quotes.
	Opinion json.RawMessage `json:"opinion,omitempty"`
}

// Script reads every *.json file of a folder, each a list of Lines, and makes the Answer of a Server of them. Files are read in the
// order of their names. What no line is for gets otherwise.
func Script(folder fs.FS, otherwise Reply) (func(Request) Reply, error) {
	var lines []Line
	names, err := fs.Glob(folder, "*.json")
	if err != nil {
		return nil, fmt.Errorf("read the script: %w", err)
	}
	for _, name := range names {
		content, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("read the script: %w", err)
		}
		var more []Line
		if err := json.Unmarshal(content, &more); err != nil {
			return nil, fmt.Errorf("read the script %s: %w", name, err)
		}
		lines = append(lines, more...)
	}
	return Play(lines, otherwise), nil
}

// Play makes the Answer of a Server of Lines.
func Play(lines []Line, otherwise Reply) func(Request) Reply {
	var lock sync.Mutex
	used := make([]int, len(lines))
	return func(r Request) Reply {
		lock.Lock()
		defer lock.Unlock()
		for i, l := range lines {
			if !l.fits(r) || l.Times > 0 && used[i] >= l.Times {
				continue
			}
			used[i]++
			if len(l.Opinion) > 0 {
				l.Reply.Content = string(l.Opinion)
			}
			return l.Reply
		}
		return otherwise
	}
}

func (l Line) fits(r Request) bool {
	if l.Model != "" && l.Model != r.Model {
		return false
	}
	all := r.System() + "\n" + r.User()
	for _, word := range l.In {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}
