package gate

import (
	"io"
	"maps"
	"net"
	"slices"
	"sync"
)

// balancer gives each connection to the next of the webhooks that there are. One that does not take it is passed over.
type balancer struct {
	listener net.Listener

	mu   sync.Mutex
	to   map[string]string
	next int
}

func newBalancer() (*balancer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &balancer{listener: l, to: map[string]string{}}
	go b.run()
	return b, nil
}

func (b *balancer) address() string { return b.listener.Addr().String() }

func (b *balancer) set(name, address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.to[name] = address
}

func (b *balancer) close() { _ = b.listener.Close() }

func (b *balancer) run() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return
		}
		go b.serve(conn)
	}
}

func (b *balancer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for _, address := range b.order() {
		to, err := net.Dial("tcp", address)
		if err != nil {
			continue
		}
		go func() {
			_, _ = io.Copy(to, conn)
			_ = to.Close()
		}()
		_, _ = io.Copy(conn, to)
		return
	}
}

func (b *balancer) order() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next++
	names := slices.Sorted(maps.Keys(b.to))
	all := make([]string, len(names))
	for i := range names {
		all[i] = b.to[names[(i+b.next)%len(names)]]
	}
	return all
}
