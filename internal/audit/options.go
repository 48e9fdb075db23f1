package audit

import (
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	segmentBytesDefault = 16 << 20
	flushEveryDefault   = time.Second
	maxName             = 40
)

// Options are what a log must be told.
type Options struct {
	// Now stamps the records. Required.
	Now func() time.Time
	// Name is the role that writes, for people: the id of a new log is the name and a random part, because a log that
	// was lost and begun anew is another log. An existing log keeps its id. Empty: "log".
	Name string
	// SegmentBytes is how large a segment may grow before the next is begun. 0: 16 MiB.
	SegmentBytes int64
	// FlushEvery is how long a verdict or a note may wait for its fsync. 0: a second.
	FlushEvery time.Duration

	fsync func(*os.File) error // nil: (*os.File).Sync; tests have disks that fail
}

func (o Options) complete() (Options, error) {
	if o.Now == nil {
		return o, errors.New("the options have no clock (Now)")
	}
	if o.SegmentBytes < 0 || o.FlushEvery < 0 {
		return o, fmt.Errorf("the options have a negative SegmentBytes (%d) or FlushEvery (%s)", o.SegmentBytes, o.FlushEvery)
	}
	if o.Name == "" {
		o.Name = "log"
	}
	if !validID(o.Name) || len(o.Name) > maxName {
		return o, fmt.Errorf("the name %q is not made of at most %d lower-case letters, digits and hyphens", o.Name, maxName)
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = segmentBytesDefault
	}
	if o.FlushEvery == 0 {
		o.FlushEvery = flushEveryDefault
	}
	if o.fsync == nil {
		o.fsync = (*os.File).Sync
	}
	return o, nil
}
