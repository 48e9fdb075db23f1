package audit

// The law: what is written every second for good is written beside what is written now. An answer that needs its line handed to the
// operating system, and no more, waits for no fsync. But an error of the disk is told to one fsync alone, and the next may pass for a
// success: while one is under way nobody begins another, so whoever needs one waits for that and hears of its error.

// sealed is how a seal beside ended.
type sealed struct {
	saved int64 // hashes of the tree that are stored
	err   error
}

// sealBeside puts what was written so far on stable storage and signs it, while more is written.
func (t *tail) sealBeside() {
	now := *t // its own tree, and the hashes that wait to be stored
	t.dirty, t.stored.pending = false, nil
	done := make(chan sealed, 1)
	t.beside = done
	go func() {
		err := now.sync()
		if err == nil {
			err = now.seal()
		}
		done <- sealed{saved: now.stored.saved, err: err}
	}()
}

// join waits for a seal beside.
func (t *tail) join() error {
	if t.beside == nil {
		return nil
	}
	return t.joined(<-t.beside)
}

func (t *tail) joined(s sealed) error {
	t.beside, t.stored.saved = nil, s.saved
	return s.err
}
