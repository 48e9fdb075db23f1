package audit

import (
	"runtime"
	"sync"
)

// inOrder hands every piece of work that next makes to every processor, and what became of it to each, in the order in which it
// was made. next reports whether there is more, each whether more is wanted. A few pieces are held at a time.
func inOrder[W any](next func() (*W, bool), work func(*W), each func(*W) bool) {
	type piece struct {
		it   *W
		done chan struct{}
	}
	workers := runtime.GOMAXPROCS(0)
	ordered, todo, stop := make(chan piece, 2*workers), make(chan piece, 2*workers), make(chan struct{})
	var running sync.WaitGroup
	defer running.Wait()
	defer close(stop)
	running.Go(func() {
		defer close(todo)
		defer close(ordered)
		for more := true; more; {
			p := piece{done: make(chan struct{})}
			p.it, more = next()
			select {
			case ordered <- p:
				todo <- p // those who take from it never stop before it is closed
			case <-stop:
				return
			}
		}
	})
	for range workers {
		running.Go(func() {
			for p := range todo {
				work(p.it)
				close(p.done)
			}
		})
	}
	for p := range ordered {
		<-p.done
		if !each(p.it) {
			return
		}
	}
}
