package webhook

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// hashesMax is how many hashes are remembered: about half a megabyte.
const hashesMax = 4096

// Hashes remembers the hashes of revisions, which seldom change and are asked for at every rollout. The zero Hashes are ready
// to use, and nil ones remember nothing. They are bounded: when they are full, any of them goes.
type Hashes struct {
	mu   sync.Mutex
	kept map[hashed]string
}

// hashed is one revision as it was: its generation counts the changes to its template.
type hashed struct {
	uid        types.UID
	generation int64
}

// of is the hash of a revision's template. One without a UID, as from a file, could be any, and is not remembered.
func (h *Hashes) of(p past) (string, error) {
	key := hashed{uid: p.object.GetUID(), generation: p.object.GetGeneration()}
	if h == nil || key.uid == "" {
		return p.hash()
	}
	h.mu.Lock()
	known, ok := h.kept[key]
	h.mu.Unlock()
	if ok {
		return known, nil
	}
	hash, err := p.hash()
	if err != nil {
		return "", err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.kept == nil {
		h.kept = map[hashed]string{}
	}
	if len(h.kept) >= hashesMax {
		for k := range h.kept {
			delete(h.kept, k)
			break
		}
	}
	h.kept[key] = hash
	return hash, nil
}
