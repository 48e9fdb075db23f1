package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"golang.org/x/crypto/ssh"
)

// By SSH a repository is read with a key of its own, from a host that its Secret knows, and from no other: neither the keys, the
// configuration nor the agent of this machine's user are looked at, and no host is believed at first sight.

// shell is a repository behind ssh. It speaks to its host once for each question.
type shell struct {
	address string // of the host, with its port
	host    string // as known_hosts has it
	path    string
	user    string
	keys    keys
	reader  Reader

	open *channel // of which the references were read; nil: none
}

// keys are what is shown to a host, and by what the host is known.
type keys struct {
	signer ssh.Signer
	known  []knownHost
}

func (r Reader) shell(u *url.URL, login Login) (*shell, error) {
	k, err := login.keys()
	if err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = "22"
	}
	s := &shell{address: net.JoinHostPort(u.Hostname(), port), host: strings.ToLower(u.Hostname()), path: u.Path, user: u.User.Username(), keys: k, reader: r}
	if port != "22" {
		s.host = "[" + s.host + "]:" + port
	}
	if s.user == "" {
		s.user = "git"
	}
	if strings.ContainsAny(s.path, "'\\\x00\r\n") || s.path == "" {
		return nil, errors.New("its URL makes no sense to Git by SSH")
	}
	return s, nil
}

// channel is one conversation with a host.
type channel struct {
	client *ssh.Client
	in     io.WriteCloser
	out    io.ReadCloser
}

func (c *channel) Close() error { return c.client.Close() }

// connect begins a conversation, which ends with ctx.
func (s *shell) connect(ctx context.Context) (*channel, error) {
	conn, err := dialer(s.reader.Local).DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	if until, ends := ctx.Deadline(); ends {
		_ = conn.SetDeadline(until) // or it ends with ctx alone
	}
	c := &ssh.ClientConfig{User: s.user, Auth: []ssh.AuthMethod{ssh.PublicKeys(s.keys.signer)}, HostKeyAlgorithms: algorithms(s.keys.known, s.host),
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error { return trusted(s.keys.known, s.host, key) }}
	if len(c.HostKeyAlgorithms) == 0 {
		_ = conn.Close()
		return nil, errStranger
	}
	metered := &meteredConn{Conn: conn}
	metered.ReadCloser, metered.left, metered.limit = conn, s.reader.Limits.withDefaults().Packed+1<<20, s.reader.Limits.withDefaults().Packed
	over, channels, requests, err := ssh.NewClientConn(metered, s.address, c)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	client := ssh.NewClient(over, channels, requests)
	session, err := client.NewSession()
	if err != nil {
		_ = client.Close()
		return nil, err
	}
	in, errIn := session.StdinPipe()
	out, errOut := session.StdoutPipe()
	if err := errors.Join(errIn, errOut, session.Start("git-upload-pack '"+s.path+"'")); err != nil {
		_ = client.Close()
		return nil, err
	}
	return &channel{client: client, in: in, out: io.NopCloser(out)}, nil
}

// meteredConn is a connection of which so much is read and no more.
type meteredConn struct {
	net.Conn
	meter
}

func (c *meteredConn) Read(p []byte) (int, error) { return c.meter.Read(p) }
func (c *meteredConn) Close() error               { return c.Conn.Close() }

// AdvertisedReferencesContext asks which branches there are.
func (s *shell) AdvertisedReferencesContext(ctx context.Context) (*packp.AdvRefs, error) {
	c, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	refs := packp.NewAdvRefs()
	if err := refs.Decode(c.out); err != nil {
		_ = c.Close()
		if errors.Is(err, packp.ErrEmptyInput) {
			err = transport.ErrRepositoryNotFound
		}
		return nil, err
	}
	if refs.IsEmpty() {
		_ = c.Close()
		return nil, transport.ErrEmptyRemoteRepository
	}
	transport.FilterUnsupportedCapabilities(refs.Capabilities)
	s.open = c
	return refs, nil
}

// AdvertisedReferences is the same for ever.
func (s *shell) AdvertisedReferences() (*packp.AdvRefs, error) {
	return s.AdvertisedReferencesContext(context.Background())
}

// UploadPack asks for commits, in a conversation of its own where the one in which the branches were told is over.
func (s *shell) UploadPack(ctx context.Context, req *packp.UploadPackRequest) (*packp.UploadPackResponse, error) {
	if s.open == nil {
		if _, err := s.AdvertisedReferencesContext(ctx); err != nil {
			return nil, err
		}
	}
	c := s.open
	s.open = nil
	err := req.UploadRequest.Encode(c.in)
	if err == nil {
		_, err = io.WriteString(c.in, "0009done\n")
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	answer := packp.NewUploadPackResponse(req)
	if err := answer.Decode(struct {
		io.Reader
		io.Closer
	}{c.out, c}); err != nil {
		_ = c.Close()
		return nil, err
	}
	return answer, nil
}

// Close ends what was begun.
func (s *shell) Close() error {
	if s.open == nil {
		return nil
	}
	return s.open.Close()
}

// read is the repository behind ssh.
func (s *shell) origin(ctx context.Context) (origin, error) {
	refs, err := s.AdvertisedReferencesContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for its branches: %w", plainSSH(err))
	}
	return server{session: s, advertised: refs, limits: s.reader.Limits.withDefaults()}, nil
}

// plainSSH is an error of SSH without the words of the other side.
func plainSSH(err error) error {
	switch {
	case errors.Is(err, errStranger):
		return errStranger
	case strings.Contains(err.Error(), "unable to authenticate"):
		return errors.New("it does not let us in with this key")
	}
	return plain(err, "it does not speak Git by SSH, or there is no such repository")
}
