package forge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/memory"
)

// origin is a repository that answers two questions: where a branch stands, and what a commit holds that was found at a point.
type origin interface {
	head(branch plumbing.ReferenceName) (plumbing.Hash, error)
	objects(ctx context.Context, at point, commit plumbing.Hash) (storer.EncodedObjectStorer, error)
	// fetch answers a commit with so many commits of its history, itself among them.
	fetch(ctx context.Context, commit plumbing.Hash, depth int) (storer.EncodedObjectStorer, error)
}

// local is a repository on this machine's disk, bare or not.
type local struct{ store *filesystem.Storage }

func (r Reader) disk(u *url.URL) (origin, error) {
	if !r.Local {
		return nil, errors.New("file:// is not allowed here")
	}
	if u.Host != "" {
		return nil, errors.New("a file:// URL names no host")
	}
	fs := osfs.New(u.Path, osfs.WithBoundOS())
	if stat, err := fs.Stat(".git"); err == nil && stat.IsDir() {
		fs = osfs.New(u.Path+"/.git", osfs.WithBoundOS())
	}
	if _, err := fs.Stat("HEAD"); err != nil {
		return nil, fmt.Errorf("there is no Git repository there: %w", err)
	}
	return local{filesystem.NewStorage(fs, cache.NewObjectLRUDefault())}, nil
}

func (l local) head(branch plumbing.ReferenceName) (plumbing.Hash, error) {
	ref, err := l.store.Reference(branch)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return ref.Hash(), nil
}

func (l local) objects(_ context.Context, _ point, commit plumbing.Hash) (storer.EncodedObjectStorer, error) {
	if l.store.HasEncodedObject(commit) != nil {
		return nil, errNoCommit
	}
	return l.store, nil
}

func (l local) fetch(context.Context, plumbing.Hash, int) (storer.EncodedObjectStorer, error) {
	return l.store, nil
}

// noGit is what is said of an answer that cannot be understood.
const noGit = "it does not speak Git"

// server is a repository behind https, http or ssh.
type server struct {
	session    transport.UploadPackSession
	advertised *packp.AdvRefs
	limits     Limits
}

func (r Reader) remote(ctx context.Context, u *url.URL, login Login) (origin, error) {
	if u.Scheme == "ssh" {
		s, err := r.shell(u, login)
		if err != nil {
			return nil, err
		}
		return s.origin(ctx)
	}
	endpoint, err := transport.NewEndpoint(u.String())
	if err != nil {
		return nil, errors.New("its URL makes no sense to Git")
	}
	client, err := r.client(login)
	if err != nil {
		return nil, err
	}
	session, err := githttp.NewClient(client).NewUploadPackSession(endpoint, login.auth())
	if err != nil {
		return nil, errors.New("its URL makes no sense to Git")
	}
	advertised, err := session.AdvertisedReferencesContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for its branches: %w", plain(err, noGit))
	}
	return server{session: session, advertised: advertised, limits: r.Limits.withDefaults()}, nil
}

func (s server) head(branch plumbing.ReferenceName) (plumbing.Hash, error) {
	hash, ok := s.advertised.References[branch.String()]
	if !ok {
		return plumbing.ZeroHash, plumbing.ErrReferenceNotFound
	}
	return hash, nil
}

// fetch fetches a commit with so many commits of its history, itself among them.
func (s server) fetch(ctx context.Context, commit plumbing.Hash, depth int) (storer.EncodedObjectStorer, error) {
	req := packp.NewUploadPackRequestFromCapabilities(s.advertised.Capabilities)
	req.Wants = []plumbing.Hash{commit}
	if s.advertised.Capabilities.Supports(capability.Shallow) {
		req.Depth = packp.DepthCommits(depth)
		if err := req.Capabilities.Set(capability.Shallow); err != nil {
			return nil, fmt.Errorf("ask for commit %s: %w", commit, err)
		}
	}
	answer, err := s.session.UploadPack(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("fetch commit %s: %w", commit, plain(err, noGit))
	}
	defer func() { _ = answer.Close() }()
	var body io.Reader = answer
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		body = sideband.NewDemuxer(sideband.Sideband64k, answer)
	case req.Capabilities.Supports(capability.Sideband):
		body = sideband.NewDemuxer(sideband.Sideband, answer)
	}
	pack, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("fetch commit %s: %w", commit, plain(err, noGit))
	}
	if err := weigh(pack, s.limits.Unpacked); err != nil {
		return nil, fmt.Errorf("look at commit %s: %w", commit, err)
	}
	store := memory.NewStorage()
	if err := packfile.UpdateObjectStorage(store, bytes.NewReader(pack)); err != nil {
		return nil, fmt.Errorf("unpack commit %s: %w", commit, plain(err, errPack.Error()))
	}
	return store, nil
}
