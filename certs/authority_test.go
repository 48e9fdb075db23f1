package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a clock that tests put.
type clock struct{ at atomic.Pointer[time.Time] }

func newClock() *clock {
	c := &clock{}
	c.put(birth)
	return c
}

func (c *clock) put(t time.Time)      { c.at.Store(&t) }
func (c *clock) pass(d time.Duration) { c.put(c.now().Add(d)) }
func (c *clock) now() time.Time       { return *c.at.Load() }
func (c *clock) authority(s Store) *Authority {
	return &Authority{Store: s, DNSNames: local.names, IPs: local.ips, Now: c.now}
}

func ensure(t *testing.T, a *Authority) Bundle {
	t.Helper()
	b, err := a.Ensure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Elsewhere, rotating a self-signed leaf refused calls for 49 to 90 seconds. Here the clock runs through 14 months in which
// leaf and root are renewed, one tick every 12 hours, while clients that learn of new roots a whole tick late shake hands
// without a pause: none may fail.
func TestL24RotationUnderLoadFailsNoHandshake(t *testing.T) {
	clock := newClock()
	var trusted, next atomic.Pointer[x509.CertPool]
	a := clock.authority(Folder(t.TempDir()))
	// A root is due on day 240, the very tick on which the fourth leaf is: the new root must not sign it.
	a.terms = terms{root: 365 * day, rootAhead: 125 * day, overlap: 2 * day, leaf: 90 * day, skew: time.Hour}
	a.Publish = func(_ context.Context, bundle []byte) error {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(bundle) {
			return errors.New("no certificate in the bundle")
		}
		if late := next.Swap(pool); late != nil {
			trusted.Store(late)
		}
		return nil
	}
	ensure(t, a)
	ensure(t, a)
	address := serve(t, a.TLS())
	ctx, stop := context.WithCancel(t.Context())
	var shaken, failed atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				config := &tls.Config{RootCAs: trusted.Load(), ServerName: local.names[0], Time: clock.now}
				if err := shake(address, config); err != nil {
					failed.Add(1)
					t.Errorf("on %s: %v", clock.now().Format(time.DateTime), err)
					return
				}
				shaken.Add(1)
			}
		})
	}
	renewals, roots := 0, map[string]bool{}
	for range 14 * 30 * 2 {
		clock.pass(12 * time.Hour)
		if len(ensure(t, a).Renewed) > 0 {
			renewals++
		}
		roots[string(a.CABundle())] = true
		for seen := shaken.Load(); shaken.Load() < seen+4 && failed.Load() == 0; { // the load goes on between ticks
			time.Sleep(100 * time.Microsecond)
		}
	}
	stop()
	clients.Wait()
	t.Logf("%d handshakes, %d renewals, %d different bundles", shaken.Load(), renewals, len(roots))
	if renewals < 6 || len(roots) < 3 {
		t.Errorf("%d renewals and %d bundles: the test did not see both leaf and root change", renewals, len(roots))
	}
}

// serve accepts TLS connections until the test ends.
func serve(t *testing.T, config *tls.Config) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return l.Addr().String()
}

// shake opens a connection, sends a byte and wants it back.
func shake(address string, config *tls.Config) error {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 30 * time.Second}, "tcp", address, config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte{1}); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, 1))
	return err
}

func TestServesByAddressToo(t *testing.T) {
	clock := newClock()
	a := clock.authority(Folder(t.TempDir()))
	if err := shake(serve(t, a.TLS()), &tls.Config{InsecureSkipVerify: true}); err == nil || a.Ready() == nil {
		t.Error("it serves before it has a certificate")
	}
	ensure(t, a)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.CABundle())
	if err := shake(serve(t, a.TLS()), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", Time: clock.now}); err != nil {
		t.Error(err)
	}
	if err := a.Ready(); err != nil {
		t.Error(err)
	}
	clock.pass(91 * day)
	if a.Ready() == nil {
		t.Error("ready with an expired certificate")
	}
}

func TestReplicasAgree(t *testing.T) {
	replicasAgree(t, Folder(t.TempDir()), Folder(t.TempDir()))
}

// replicasAgree lets five replicas race for the first certificate in each store.
func replicasAgree(t *testing.T, stores ...Store) {
	t.Helper()
	for _, s := range stores {
		replicas := make([]*Authority, 5)
		var all sync.WaitGroup
		for i := range replicas {
			replicas[i] = newClock().authority(s)
			all.Go(func() {
				if _, err := replicas[i].Ensure(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, a := range replicas[1:] {
			if string(a.CABundle()) != string(replicas[0].CABundle()) || !a.serving.Load().leaf.cert.Equal(replicas[0].serving.Load().leaf.cert) {
				t.Error("two replicas serve different certificates")
			}
		}
		if again := ensure(t, replicas[0]); len(again.Renewed) > 0 {
			t.Errorf("it does not settle: %q", again.Renewed)
		}
	}
}

// flaky is a Store that can be broken.
type flaky struct {
	Store
	load, save error
}

func (f *flaky) Load(ctx context.Context) (map[string][]byte, string, error) {
	if f.load != nil {
		return nil, "", f.load
	}
	return f.Store.Load(ctx)
}

func (f *flaky) Save(ctx context.Context, files map[string][]byte, version string) error {
	if f.save != nil {
		return f.save
	}
	return f.Store.Save(ctx, files, version)
}

func TestStoreThatFails(t *testing.T) {
	broken := errors.New("broken")
	store := &flaky{Store: Folder(t.TempDir())}
	clock := newClock()
	a := clock.authority(store)
	store.save = broken
	if _, err := a.Ensure(t.Context()); !errors.Is(err, broken) || a.CABundle() != nil {
		t.Errorf("got %v and a bundle of %d bytes: it serves what it could not store", err, len(a.CABundle()))
	}
	store.save = nil
	first := ensure(t, a)
	clock.pass(61 * day)
	for _, breakage := range []flaky{{load: broken}, {save: broken}} {
		store.load, store.save = breakage.load, breakage.save
		if _, err := a.Ensure(t.Context()); !errors.Is(err, broken) || string(a.CABundle()) != string(first.CABundle) || a.Ready() != nil {
			t.Errorf("got %v: it stopped serving what it had", err)
		}
	}
	store.load, store.save = nil, ErrConflict
	if _, err := a.Ensure(t.Context()); err == nil {
		t.Error("it never gives up")
	}
}

func TestWhatIsCorruptedIsHealed(t *testing.T) {
	clock := newClock()
	store := Folder(t.TempDir())
	a := clock.authority(store)
	first := ensure(t, a)
	for _, c := range []struct {
		name  string
		files []string
		same  bool // the same root stays trusted, without a replica that remembers
	}{
		{"the leaf", []string{fileLeaf}, true}, {"the leaf's key", []string{fileLeafKey}, true}, {"the root's key", []string{fileRootKeys}, true},
		{"the roots", []string{fileRoots}, false}, {"everything", []string{fileLeaf, fileLeafKey, fileRoots, fileRootKeys}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			version, err := store.current()
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range c.files {
				if err := os.WriteFile(filepath.Join(store.dir(version), file), []byte("-----BEGIN rubbish"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			b := ensure(t, a)
			pool := x509.NewCertPool()
			pool.AppendCertsFromPEM(first.CABundle)
			if err := shake(serve(t, a.TLS()), &tls.Config{RootCAs: pool, ServerName: local.names[0], Time: clock.now}); err != nil {
				t.Errorf("clients that trust what was published before are refused: %v", err)
			}
			if len(b.Renewed) == 0 || len(ensure(t, clock.authority(store)).Renewed) > 0 {
				t.Error("what is stored was not healed")
			}
		})
	}
}

func TestFolderIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	clock := newClock()
	a := clock.authority(Folder(dir))
	for range 5 {
		ensure(t, a)
		clock.pass(61 * day)
	}
	kept := 0
	err := filepath.Walk(dir, func(path string, f os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if f.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %s", path, f.Mode())
		}
		if !f.IsDir() {
			kept++
		}
		return nil
	})
	if err != nil || kept != keepVersions*4 {
		t.Errorf("%d files are kept, want %d versions of 4: %v", kept, keepVersions, err)
	}
}

func TestRun(t *testing.T) {
	clock := newClock()
	ticks, reports := make(chan time.Time), make(chan Bundle)
	a := clock.authority(Folder(t.TempDir()))
	a.Ticks = ticks
	a.Report = func(b Bundle, err error) {
		if err != nil {
			t.Error(err)
		}
		reports <- b
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	ticks <- clock.now()
	first := <-reports
	clock.pass(61 * day)
	ticks <- clock.now()
	if second := <-reports; !second.NotAfter.After(first.NotAfter) || string(second.CABundle) != string(first.CABundle) {
		t.Errorf("the second certificate ends %s, the first %s", second.NotAfter, first.NotAfter)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
