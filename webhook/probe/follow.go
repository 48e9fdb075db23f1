package probe

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"time"
)

// Follow looks at the file of the list at each tick, until ctx ends, and has what it says probed from then on. A file that cannot be
// read or makes no sense leaves the list as it is, which is said once.
func (p *Prober) Follow(ctx context.Context, path string, ticks <-chan time.Time) {
	var before []byte
	told := ""
	for {
		list, changed, err := p.look(path, &before)
		switch {
		case err != nil && err.Error() != told:
			told = err.Error()
			p.logger.WarnContext(ctx, "the list of probes stays as it was", "because", told)
		case changed:
			told = ""
			select {
			case p.next <- list:
				p.logger.InfoContext(ctx, "the list of probes has changed", "probes", len(list.Probes))
			case <-ctx.Done():
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
	}
}

// look reads the list where the file is another than before. An error is told once for one content.
func (p *Prober) look(path string, before *[]byte) (list List, changed bool, err error) {
	content, err := readFile(path)
	if err != nil {
		return List{}, false, fmt.Errorf("read the list of probes %s: %w", path, err)
	}
	if *before != nil && bytes.Equal(content, *before) {
		return List{}, false, nil
	}
	*before = content
	list, err = parse(path, content)
	return list, err == nil && !reflect.DeepEqual(list, p.current()), err
}
