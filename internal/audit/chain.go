package audit

import "fmt"

// chain is where a log stands: what the next record must follow. The zero chain is an empty log.
type chain struct {
	log  string
	seq  uint64
	head Hash
}

// follow takes the line that stands at p into the chain, or says why it does not belong there.
func (k *chain) follow(p place, e envelope) error {
	want := k.seq + 1
	problem := ""
	switch {
	case e.pos.Sequence != want && k.seq == 0:
		problem = fmt.Sprintf("the log begins with record %d: what came before is missing", e.pos.Sequence)
	case e.pos.Sequence > want:
		problem = fmt.Sprintf("record %d follows record %d: %d missing or out of order", e.pos.Sequence, k.seq, e.pos.Sequence-want)
	case e.pos.Sequence < want:
		problem = fmt.Sprintf("record %d follows record %d: it is out of order or stands twice", e.pos.Sequence, k.seq)
	case k.log != "" && e.pos.Log != k.log:
		problem = fmt.Sprintf("the record belongs to log %s, and this is log %s", e.pos.Log, k.log)
	case e.prev != k.head:
		problem = fmt.Sprintf("the record follows one with hash %s, but record %d before it has hash %s: one of the two was changed", e.prev, k.seq, k.head)
	case p.line == 1 && p.seg.first != want:
		problem = fmt.Sprintf("the segment is named after record %d and begins with record %d", p.seg.first, want)
	}
	if problem != "" {
		d := p.damage(problem)
		d.Sequence = want
		return d
	}
	k.log, k.seq, k.head = e.pos.Log, e.pos.Sequence, e.hash
	return nil
}
