package audit

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// Verify reads the whole log in dir and checks that every record matches its own hash and follows the one before, from
// record 1 on; that the tree over them has the root that the log's own checkpoint and every anchor say, and the checkpoints
// their signatures; that every outcome has an intent; and that the blobs that records name are what they are called.
//
// The error is a *Damage where something is bad, and names the first: the first record that does not stand as it was
// written, else an anchor that is missed, else a checkpoint that cannot be believed or was set back, else an outcome without an intent, else a blob that was changed. Any other error
// means that something could not be read, so nothing can be said. What is no damage is in the Report: intents without an
// outcome, and findings such as a blob that is gone.
//
// A last line that is not whole is not held against the log: a writer may be at work. Without an anchor beyond them, the
// loss of the newest whole records cannot be seen if the log's own files were set back too. What Open moved aside is no
// longer in the chain: the note about it is.
func Verify(dir string, anchors ...Anchor) (Report, error) {
	v := verifier{dir: dir, open: openIntents{}, named: map[string]uint64{}}
	err := v.run(anchors)
	if err != nil {
		err = fmt.Errorf("verify audit log %s: %w", dir, err)
	}
	return v.report, err
}

// verifier follows a log and remembers what is to be said about it.
type verifier struct {
	dir    string
	report Report
	chain  chain
	tree   tree
	open   openIntents
	named  map[string]uint64 // blobs, by the first record that names them
	alone  *Damage           // the first outcome without an intent
	stored *treeCompare
	hashes []tlog.Hash
	known  map[uint64][]claim
	mark   mark
	begun  uint64 // the first record of the newest segment there was before anything was read
	doubt  error  // the first checkpoint that cannot be believed
	denied bool   // the records are sound in themselves, and not those that somebody knows
}

func (v *verifier) run(anchors []Anchor) error {
	all, err := v.prepare(anchors)
	if err != nil {
		return err
	}
	defer v.stored.close()
	err = eachChecked(v.dir, v.take)
	v.report.Log, v.report.Records, v.report.Head, v.report.Root = v.chain.log, v.chain.seq, v.chain.head, v.tree.root()
	v.report.Blobs, v.report.Open = len(v.named), v.open.entries(v.chain.log)
	if err != nil {
		return v.excuse(v.chain.name(err))
	}
	if err := v.missed(all); err != nil {
		return err
	}
	if v.doubt != nil {
		return v.doubt
	}
	if err := v.setBack(all); err != nil {
		return err
	}
	if v.alone != nil {
		return v.alone
	}
	v.find()
	return v.checkBlobs()
}

// prepare reads what the log's own files say, before any record: a writer may be at work.
func (v *verifier) prepare(anchors []Anchor) ([]claim, error) {
	segs, err := segments(v.dir)
	if err != nil {
		return nil, err
	}
	if len(segs) > 0 {
		v.begun = segs[len(segs)-1].first
	}
	if v.mark, err = readMark(v.dir); err != nil {
		return nil, err
	}
	keys, err := VerifierKeys(v.dir)
	if err != nil {
		return nil, err
	}
	if v.report.Checkpoint, err = ownCheckpoint(v.dir, keys); v.doubtful(err) != nil {
		return nil, err
	}
	all := ownClaims(v.mark, v.report.Checkpoint)
	for i, a := range anchors {
		c, err := a.claim(v.dir, keys)
		if v.doubtful(err) != nil {
			return nil, fmt.Errorf("anchor %d: %w", i+1, err)
		}
		all = append(all, c)
	}
	v.known = map[uint64][]claim{}
	for _, c := range all {
		v.known[c.Sequence] = append(v.known[c.Sequence], c)
	}
	v.mark.raise(v.report.Checkpoint)
	v.stored, err = compareTree(v.dir, false)
	return all, err
}

// doubtful keeps the first *Damage for later: what the records say comes first. Any other error it returns.
func (v *verifier) doubtful(err error) error {
	var d *Damage
	if !errors.As(err, &d) {
		return err
	}
	if v.doubt == nil {
		v.doubt = err
	}
	return nil
}

// take follows the log through one line whose own hash holds.
func (v *verifier) take(l checked) error {
	if l.place.line == 1 {
		v.report.Segments++
	}
	if err := v.chain.follow(l.place, l.envelope); err != nil {
		return err
	}
	v.hashes = v.tree.add(l.leaf, v.hashes[:0])
	v.stored.take(v.hashes)
	for _, c := range v.known[v.chain.seq] {
		if err := c.holds(v.chain, &v.tree); err != nil {
			v.denied = true
			d := l.place.damage(err.Error())
			d.Sequence = v.chain.seq
			return d
		}
	}
	if !l.step.elsewhere(v.chain.log) && !v.open.track(l.step, v.chain.seq, l.raw) && v.alone == nil {
		v.alone = l.place.damage("the outcome has no intent before it: what was done was not written down first, or its record is gone")
		v.alone.Sequence = v.chain.seq
	}
	for _, digest := range l.blobs {
		if _, ok := v.named[digest]; !ok {
			v.named[digest] = v.chain.seq
		}
	}
	return nil
}

// missed names the first record that somebody knows of and that the log does not hold.
func (v *verifier) missed(all []claim) error {
	for _, c := range all {
		if c.Sequence > v.chain.seq {
			return &Damage{File: v.dir, Sequence: v.chain.seq + 1, Problem: c.missed(v.chain)}
		}
	}
	return nil
}

// setBack reports whether the log's own checkpoint is older than one that it must have written.
func (v *verifier) setBack(all []claim) error {
	own := v.report.Checkpoint.Size
	if own == 0 {
		return nil
	}
	why, least := "", uint64(0)
	for _, c := range all {
		if c.root != nil && c.Sequence > max(own, least) {
			why, least = "is "+c.by, c.Sequence
		}
	}
	if why == "" && v.begun > own+1 {
		why, least = "was written before the newest segment was begun", v.begun-1
	}
	if why == "" {
		return nil
	}
	return &Damage{File: filepath.Join(v.dir, checkpointName), Sequence: own,
		Problem: fmt.Sprintf("the log's own checkpoint counts %d records, and one of %d %s: an old checkpoint was put back", own, least, why)}
}

// excuse adds to damage at the end of a log that Open would mend it, and why.
func (v *verifier) excuse(err error) error {
	var d *Damage
	segs, lerr := segments(v.dir)
	if v.denied || !errors.As(err, &d) || lerr != nil || len(segs) == 0 || d.File != segs[len(segs)-1].path {
		return err
	}
	if v.mark.excuses(v.chain) {
		d.Problem += fmt.Sprintf("; nothing after record %d was known to be on stable storage, so this may be what a power cut left: opening the log for writing moves it aside and says so", v.mark.Sequence)
	}
	return err
}

// name fills in which record a damaged line should have held.
func (k *chain) name(err error) error {
	var d *Damage
	if errors.As(err, &d) && d.Sequence == 0 {
		d.Sequence = k.seq + 1
	}
	return err
}
