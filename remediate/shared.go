package remediate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// The law: what several workloads share that is why they fare badly is one happening, with one Case, of which the workloads are parts. A
// part has no Case of its own while that one is open; one that had one before keeps it, with the name of the other and nothing to be done
// about it. Few that share something may do so by chance, so it takes enough. It stays one happening until none of them is left. It is
// told in the namespace in which all of them are, and at home where they are in several: then it does not go back to one.

// enough is how many workloads share something before that is one happening.
const enough = 3

// The bounds of what is kept in memory of it.
const (
	maxShares  = 1024
	maxMembers = 4096 // of one
)

// sharing is something that workloads share, with those that do.
type sharing struct {
	share   causes.Share
	home    string // the namespace in which it is told; empty: it is not
	since   time.Time
	members map[string]member // by the happening's key
}

// member is one happening that is a part of another.
type member struct {
	key Key
	at  time.Time // when somebody looked at it last
}

// shares is all that is shared. One goroutine uses it.
type shares struct {
	all map[causes.Share]*sharing
	of  map[string]*sharing // by the key of a member
}

func newShares() *shares { return &shares{all: map[causes.Share]*sharing{}, of: map[string]*sharing{}} }

// known is a share, made where there is none; nil where no more are kept.
func (s *shares) known(share causes.Share, now time.Time) *sharing {
	x := s.all[share]
	if x == nil && len(s.all) < maxShares {
		x = &sharing{share: share, since: now, members: map[string]member{}}
		s.all[share] = x
	}
	return x
}

// join makes a happening a part of a share, and of no other. One that has no room is a happening of its own.
func (s *shares) join(k Key, share causes.Share, now time.Time) {
	key := k.String()
	if x := s.of[key]; x != nil && x.share != share {
		s.leave(k)
	}
	if share == (causes.Share{}) {
		return
	}
	x := s.known(share, now)
	if x == nil || len(x.members) >= maxMembers && x.members[key].at.IsZero() {
		return
	}
	x.members[key] = member{k, now}
	s.of[key] = x
}

// leave makes a happening one of its own.
func (s *shares) leave(k Key) {
	x := s.of[k.String()]
	if x == nil {
		return
	}
	delete(x.members, k.String())
	delete(s.of, k.String())
	s.drop(x)
}

// drop forgets a share of which nothing is left and nothing was told.
func (s *shares) drop(x *sharing) {
	if len(x.members) == 0 && x.home == "" {
		delete(s.all, x.share)
	}
}

// workloads are those that take part, as people write them, and in how many namespaces they are.
func (x *sharing) workloads() (names []string, namespaces int) {
	unique, in := map[string]bool{}, map[string]bool{}
	for _, m := range x.members {
		unique[m.key.Root.String()], in[m.key.Root.Namespace] = true, true
	}
	return slices.Sorted(maps.Keys(unique)), len(in)
}

// due is whether it is one happening: it was told, or enough share it. What is of a namespace as a whole is at once.
func (x *sharing) due() bool {
	names, _ := x.workloads()
	return x.home != "" || len(names) >= enough || x.share.Kind == namespaceKind && len(names) > 0
}

// namespaceKind is the kind of the share of those for which there is no room in their namespace.
const namespaceKind = "Namespace"

// place is where it is to be told: where all are, or at home. What was told at home stays there.
func (x *sharing) place() string {
	if x.home == cluster.OwnNamespace {
		return x.home
	}
	in := x.home
	for _, m := range x.members {
		if in != "" && m.key.Root.Namespace != in {
			return cluster.OwnNamespace
		}
		in = m.key.Root.Namespace
	}
	return in
}

// key is the happening that a share is, told in a namespace.
func (x *sharing) key(namespace string) Key {
	sum := sha256.Sum256([]byte(strings.Join([]string{x.share.Kind, x.share.Namespace, x.share.Name}, "\x00")))
	k := Key{Symptom: causes.SharedCause, Revision: x.share.Cause,
		Root: gate.Ref{Kind: x.share.Kind, Namespace: namespace, Name: x.share.Name, UID: hex.EncodeToString(sum[:16])}}
	if x.share.Kind == namespaceKind {
		k.Symptom = causes.TooManyCases
	}
	return k
}

// shareOf is the share that a Case of one tells of.
func shareOf(k Key) causes.Share {
	s := causes.Share{Kind: k.Root.Kind, Name: k.Root.Name, Cause: k.Revision}
	if !s.Everywhere() {
		s.Namespace = k.Root.Namespace
	}
	return s
}

// ofMany is whether a happening is one of many workloads.
func (k Key) ofMany() bool {
	return k.Symptom == causes.SharedCause || k.Symptom == causes.TooManyCases
}

// crowded tells of namespaces in which more fares badly than has a Case.
func (s *shares) crowded() (texts []string) {
	for _, share := range slices.SortedFunc(maps.Keys(s.all), func(a, b causes.Share) int { return strings.Compare(a.Name, b.Name) }) {
		if n := len(s.all[share].members); n > 0 && share.Kind == namespaceKind {
			texts = append(texts, fmt.Sprintf("namespace %s has %d open Cases or more, and what else fares badly there has none: %d", share.Name, maxOpen, n))
		}
	}
	return texts
}
