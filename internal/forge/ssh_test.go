package forge

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
)

// strangersKey is a key of a host, as known_hosts has it.
const strangersKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEzA5pTqpvPzfhoIDHNUPDTVBlqrL1nG4Zq3GtnEQbCU"

// keyOf makes a key for SSH, and what of it is private as a Secret holds it.
func keyOf(t *testing.T, phrase string) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if phrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(phrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	return signer, string(pem.EncodeToMemory(block))
}

// sshServer is a host on loopback that serves repositories by SSH to whoever has a key.
type sshServer struct {
	address string
	host    ssh.Signer
	asked   atomic.Int32 // conversations that were let in
	listener
}

type listener struct{ said atomic.Value }

func (r *repo) serveSSH(client ssh.PublicKey) *sshServer {
	r.t.Helper()
	host, _ := keyOf(r.t, "")
	config := &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if c.User() != "git" || string(key.Marshal()) != string(client.Marshal()) {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, nil
	}}
	config.AddHostKey(host)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	r.ok(err)
	r.t.Cleanup(func() { _ = l.Close() })
	s := &sshServer{address: l.Addr().String(), host: host}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn, config, r.dir)
		}
	}()
	return s
}

func (s *sshServer) serve(conn net.Conn, config *ssh.ServerConfig, dir string) {
	defer func() { _ = conn.Close() }()
	over, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	s.asked.Add(1)
	defer func() { _ = over.Close() }()
	go ssh.DiscardRequests(requests)
	for one := range channels {
		channel, asked, err := one.Accept()
		if err != nil {
			return
		}
		for req := range asked {
			var payload struct{ Command string }
			if req.Type != "exec" || ssh.Unmarshal(req.Payload, &payload) != nil {
				_ = req.Reply(false, nil)
				continue
			}
			s.said.Store(payload.Command)
			_ = req.Reply(true, nil)
			cmd := exec.Command("git", "-c", "safe.directory=*", "upload-pack", dir)
			cmd.Stdin, cmd.Stdout = channel, channel
			if strings.Contains(payload.Command, "gone") {
				_ = channel.Close()
				continue
			}
			_ = cmd.Run()
			_ = channel.Close()
		}
	}
}

// line is what known_hosts says of the server.
func (s *sshServer) line(name string) string {
	return name + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.host.PublicKey())))
}

// name is that of the server in known_hosts, with its port.
func (s *sshServer) name() string {
	_, port, _ := net.SplitHostPort(s.address)
	return "[127.0.0.1]:" + port
}

func hashed(name string) string {
	salt := []byte("01234567890123456789")
	h := hmac.New(sha1.New, salt)
	_, _ = io.WriteString(h, name)
	return "|1|" + base64.StdEncoding.EncodeToString(salt) + "|" + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// TestReadBySSH reads a head, a commit and the past, with a key that is locked and from a host whose name is hidden too.
func TestReadBySSH(t *testing.T) {
	r := newRepo(t)
	first := r.commit(map[string]string{"web.yaml": "a: 1\n"})
	head := r.commit(map[string]string{"web.yaml": "a: 2\n"})
	for name, phrase := range map[string]string{"a key": "", "a locked key": "planted-phrase"} {
		client, identity := keyOf(t, phrase)
		s := r.serveSSH(client.PublicKey())
		for _, host := range []string{s.name(), hashed(s.name())} {
			login, err := loginOf(t, map[string]string{"identity": identity, "password": phrase, "known_hosts": "# who we know\n" + s.line(host) + "\n"})
			if err != nil {
				t.Fatal(err)
			}
			url := "ssh://git@" + s.address + "/acme/shop.git"
			reader := Reader{Local: true}
			tree, err := reader.Read(t.Context(), Repository{URL: url, Branch: "main", Login: login}, "")
			if err != nil || tree.Commit != head || string(tree.Files["web.yaml"]) != "a: 2\n" || s.said.Load() != "git-upload-pack '/acme/shop.git'" {
				t.Fatalf("%s: got %+v, %v; it was told %v", name, tree, err, s.said.Load())
			}
			if tree, err = reader.Read(t.Context(), Repository{URL: url, Branch: "main", Commit: first, Login: login}, ""); err != nil || string(tree.Files["web.yaml"]) != "a: 1\n" {
				t.Errorf("%s: an older commit: %+v, %v", name, tree, err)
			}
			if past, err := reader.Past(t.Context(), Repository{URL: url, Branch: "main", Login: login}, head, []string{"web.yaml"}); err != nil || len(past.Versions) != 1 {
				t.Errorf("%s: the past: %+v, %v", name, past, err)
			}
		}
	}
}

// TestAKeyIsShownToNobodyElse has a host that nobody knows, one that shows another key, one that lets us in by no key, and what is no
// repository.
func TestAKeyIsShownToNobodyElse(t *testing.T) {
	r := newRepo(t)
	r.commit(map[string]string{"web.yaml": "a: 1\n"})
	client, identity := keyOf(t, "")
	s := r.serveSSH(client.PublicKey())
	_, other := keyOf(t, "")
	for name, test := range map[string]struct{ identity, known, url, want string }{
		"a host that is not known":    {identity, "git.example " + strangersKey, "", "its host is not one that the known_hosts"},
		"another port":                {identity, s.line("127.0.0.1"), "", "its host is not one that the known_hosts"},
		"a pattern":                   {identity, s.line("*"), "", "its host is not one that the known_hosts"},
		"a host with another key":     {identity, s.name() + " " + strangersKey, "", "its host is not one that the known_hosts"},
		"a key that is not let in":    {other, s.line(s.name()), "", "it does not let us in with this key"},
		"a repository that is gone":   {identity, s.line(s.name()), "ssh://" + s.address + "/gone", "there is no such repository"},
		"a path that is a command":    {identity, s.line(s.name()), "ssh://" + s.address + "/x'; other '", "makes no sense to Git by SSH"},
		"a password in the URL":       {identity, s.line(s.name()), "ssh://git:planted@" + s.address + "/x", "must not carry a user, a password"},
		"a key where there is no SSH": {identity, s.line(s.name()), "https://" + s.address + "/x", "a key for SSH is of no use there"},
		"a host of this cloud":        {identity, s.line(s.name()), "ssh://169.254.169.254/x", "169.254.169.254 is not allowed"},
		"a server that is not there":  {identity, s.line("[127.0.0.1]:1"), "ssh://127.0.0.1:1/x", "connection refused"},
		"more than may be downloaded": {identity, s.line(s.name()), "", ""},
	} {
		login, err := loginOf(t, map[string]string{"identity": test.identity, "known_hosts": test.known})
		if err != nil {
			t.Fatal(err)
		}
		if test.url == "" {
			test.url = "ssh://git@" + s.address + "/acme/shop.git"
		}
		let := s.asked.Load()
		reader := Reader{Local: true}
		_, err = reader.Read(t.Context(), Repository{URL: test.url, Branch: "main", Login: login}, "")
		if test.want == "" {
			reader.Limits.Packed = 1 - 1<<20
			_, err = reader.Read(t.Context(), Repository{URL: test.url, Branch: "main", Login: login}, "")
			test.want = "more than the"
			let = s.asked.Load()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
		if strings.Contains(test.want, "known_hosts") && s.asked.Load() != let {
			t.Errorf("%s: the key was shown", name)
		}
	}
}
