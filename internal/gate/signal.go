package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Face is the part of Moorgate that speaks.
type Face string

// The three faces.
const (
	FaceWebhook   Face = "webhook"
	FaceDrift     Face = "drift"
	FaceRemediate Face = "remediate"
)

// Ref names one object. UID is empty where the object does not exist yet or was not read.
type Ref struct {
	Group     string `json:"group,omitempty"`
	Version   string `json:"version,omitempty"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	UID       string `json:"uid,omitempty"`
}

// String writes the reference as people write it: Kind/name in namespace.
func (r Ref) String() string {
	s := r.Kind + "/" + r.Name
	if r.Namespace != "" {
		s += " in " + r.Namespace
	}
	return s
}

// Signal says that something happened which deserves a verdict.
type Signal struct {
	Face    Face   `json:"face"`
	Reason  string `json:"reason"` // what happened, as a stable CamelCase word: Rollout, FieldDrift, CrashLoop
	Subject Ref    `json:"subject"`
	// Key tells happenings apart: the same happening has the same Key in every replica and after every restart.
	Key  string    `json:"key"`
	Text string    `json:"text,omitempty"` // one sentence for people
	At   time.Time `json:"at"`             // when it was first seen
}

const (
	caseWorkloadMax = 40 // characters of the workload's name that a Case's name keeps
	caseHashLen     = 12
)

// CaseName is the name of the Case that this Signal belongs to: <face>-<workload>-<hash>. It is a function of the face,
// the subject and the key alone, at most 63 characters long, and a valid object name whatever the subject is called.
func (s Signal) CaseName() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(s.Face), s.Subject.Group, s.Subject.Kind,
		s.Subject.Namespace, s.Subject.Name, s.Key}, "\x00")))
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(s.Subject.Name))
	name = strings.Trim(name[:min(len(name), caseWorkloadMax)], "-")
	if name == "" {
		name = "unnamed"
	}
	return string(s.Face) + "-" + name + "-" + hex.EncodeToString(sum[:])[:caseHashLen]
}
