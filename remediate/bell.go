package remediate

import "sync"

// Bell makes a Watcher look at something, from outside of it. The zero Bell has nobody who hears it.
type Bell struct {
	mu   sync.Mutex
	hear func(Trigger) bool
}

// Ring has what is named looked at soon. It returns how many things there was no room for, and false where no Watcher runs in this
// process: one in another replica may.
func (b *Bell) Ring(named []Trigger) (left int, heard bool) {
	b.mu.Lock()
	hear := b.hear
	b.mu.Unlock()
	if hear == nil {
		return 0, false
	}
	for _, t := range named {
		if !hear(t) {
			left++
		}
	}
	return left, true
}

// heardBy has somebody hear the bell; nil: nobody does any more. A nil Bell is never rung.
func (b *Bell) heardBy(hear func(Trigger) bool) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hear = hear
}
