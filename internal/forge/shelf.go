package forge

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

const (
	shelfTime     = time.Minute // how long a commit is kept after it was fetched
	shelfRoom     = 2           // commits that are kept at once, each of which may take as much memory as a read
	shelfFailures = 1000        // of which it is kept why
)

// Shelf keeps commits for a minute after they were fetched, so that many folders of one commit cost one fetch, and for as long why
// one could not be fetched, so that a server that hangs is not waited for once for each folder. It
// belongs to one Reader. The zero Shelf is empty.
type Shelf struct {
	lock   sync.Mutex
	kept   map[shelved]*fetched
	failed map[shelved]error
}

// shelved names what is kept.
type shelved struct {
	url    string
	branch plumbing.ReferenceName // in which the commit may have to be looked for
	commit plumbing.Hash
	login  Login
}

// fetched is what is kept, once done is closed. Nobody changes the store.
type fetched struct {
	done  chan struct{}
	store storer.EncodedObjectStorer
	err   error
}

// get answers what is kept, or fetches it; whoever comes meanwhile waits for the one fetch.
func (s *Shelf) get(ctx context.Context, at shelved, fetch func() (storer.EncodedObjectStorer, error)) (storer.EncodedObjectStorer, error) {
	s.lock.Lock()
	if err := s.failed[at]; err != nil {
		s.lock.Unlock()
		return nil, err
	}
	f, found := s.kept[at]
	if !found && len(s.kept) >= shelfRoom {
		s.lock.Unlock()
		return fetch()
	}
	if !found {
		if s.kept == nil {
			s.kept = map[shelved]*fetched{}
		}
		f = &fetched{done: make(chan struct{})}
		s.kept[at] = f
	}
	s.lock.Unlock()
	if found {
		select {
		case <-f.done:
			return f.store, f.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	f.err = errPack // what stays where the fetch panics
	defer func() {
		if close(f.done); f.err != nil {
			s.drop(at)
			s.fail(at, f.err)
		} else {
			time.AfterFunc(shelfTime, func() { s.drop(at) })
		}
	}()
	f.store, f.err = fetch()
	return f.store, f.err
}

// fail keeps why something could not be fetched, unless that is because nobody waits for it any more.
func (s *Shelf) fail(at shelved, err error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if errors.Is(err, context.Canceled) || len(s.failed) >= shelfFailures {
		return
	}
	if s.failed == nil {
		s.failed = map[shelved]error{}
	}
	s.failed[at] = err
	time.AfterFunc(shelfTime, func() {
		s.lock.Lock()
		defer s.lock.Unlock()
		delete(s.failed, at)
	})
}

func (s *Shelf) drop(at shelved) {
	s.lock.Lock()
	defer s.lock.Unlock()
	delete(s.kept, at)
}

// lender is a repository behind https or http of which one commit may be on the shelf: it is asked for nothing then.
type lender struct {
	Reader
	url   *url.URL
	login Login
}

func (l lender) head(plumbing.ReferenceName) (plumbing.Hash, error) {
	return plumbing.ZeroHash, plumbing.ErrReferenceNotFound // a commit is named
}

func (l lender) objects(ctx context.Context, at point, commit plumbing.Hash) (storer.EncodedObjectStorer, error) {
	return l.Shelf.get(ctx, shelved{l.url.String(), at.branch, commit, at.login}, func() (storer.EncodedObjectStorer, error) {
		o, err := l.remote(ctx, l.url, at.login)
		if err != nil {
			return nil, err
		}
		return o.objects(ctx, at, commit)
	})
}

func (l lender) fetch(ctx context.Context, commit plumbing.Hash, depth int) (storer.EncodedObjectStorer, error) {
	o, err := l.remote(ctx, l.url, l.login)
	if err != nil {
		return nil, err
	}
	return o.fetch(ctx, commit, depth)
}
