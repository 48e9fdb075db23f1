package forge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/memory"
)

// ErrMoved says that the branch moved while a commit was made: nothing was written, and it may be tried again.
var ErrMoved = errors.New("the branch moved in the meantime")

// Writer adds commits to branches. The zero Writer is the careful one, as of a Reader.
type Writer struct {
	Reader
	// Token is sent as a password over https, and over http only to this machine. Empty: none.
	Token string
	// Name and Email are whom commits are by.
	Name, Email string
	Now         func() time.Time
}

// Put commits files, by their paths from the root, onto the head of a branch, and answers with the commit. It changes nothing
// else, and succeeds only if the branch has not moved (else ErrMoved). Where every file is there already with this content,
// nothing is written and the answer is the head.
func (w Writer) Put(ctx context.Context, repo Repository, files map[string][]byte, message string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, w.timeout())
	defer cancel()
	u, shown, err := parse(repo.URL)
	if err != nil {
		return "", err
	}
	branch := plumbing.NewBranchReferenceName(repo.Branch)
	if err := branch.Validate(); err != nil {
		return "", fmt.Errorf("write to %s: %q is no name for a branch", shown, repo.Branch)
	}
	t, err := w.target(ctx, u)
	if err != nil {
		return "", fmt.Errorf("write to %s: %w", shown, err)
	}
	commit, err := w.put(ctx, t, branch, files, message)
	if err != nil {
		return "", fmt.Errorf("write to branch %s of %s: %w", repo.Branch, shown, err)
	}
	return commit, nil
}

func (w Writer) put(ctx context.Context, t target, branch plumbing.ReferenceName, files map[string][]byte, message string) (string, error) {
	head, err := t.head(branch)
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return "", errNoBranch
	}
	if err != nil {
		return "", fmt.Errorf("find the branch: %w", err)
	}
	store, err := t.objects(ctx, point{branch: branch}, head)
	if err != nil {
		return "", err
	}
	parent, err := object.GetCommit(store, head)
	if err != nil {
		return "", fmt.Errorf("read commit %s: %w", head, plain(err, unsound))
	}
	made := &made{old: store, fresh: memory.NewStorage()}
	root, err := made.graft(parent.TreeHash, files)
	if err != nil {
		return "", err
	}
	if root == parent.TreeHash {
		return head.String(), nil
	}
	by := object.Signature{Name: w.Name, Email: w.Email, When: w.Now().UTC()}
	commit, err := made.keep(&object.Commit{Author: by, Committer: by, Message: message, TreeHash: root, ParentHashes: []plumbing.Hash{head}})
	if err != nil {
		return "", err
	}
	return commit.String(), t.push(ctx, &packp.Command{Name: branch, Old: head, New: commit}, made)
}

// target is an origin that takes commits.
type target interface {
	origin
	push(ctx context.Context, c *packp.Command, m *made) error
}

func (w Writer) target(ctx context.Context, u *url.URL) (target, error) {
	switch u.Scheme {
	case "file":
		o, err := w.disk(u)
		if err != nil {
			return nil, err
		}
		return o.(local), nil
	case "https", "http":
		return w.receiver(ctx, u)
	}
	return nil, fmt.Errorf("%s:// is not supported yet", u.Scheme)
}

// push puts the objects into a repository on disk and moves the branch if nobody else did.
func (l local) push(_ context.Context, c *packp.Command, m *made) error {
	for _, hash := range m.order {
		o, err := m.fresh.EncodedObject(plumbing.AnyObject, hash)
		if err != nil {
			return fmt.Errorf("take up what was made: %w", err)
		}
		if _, err := l.store.SetEncodedObject(o); err != nil {
			return fmt.Errorf("write an object: %w", err)
		}
	}
	err := l.store.CheckAndSetReference(plumbing.NewHashReference(c.Name, c.New), plumbing.NewHashReference(c.Name, c.Old))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMoved, err)
	}
	return nil
}

// receiver is a repository behind https or http that takes what is pushed.
type receiver struct {
	server
	taking transport.ReceivePackSession
	offers *packp.AdvRefs
}

func (w Writer) receiver(ctx context.Context, u *url.URL) (target, error) {
	if w.Token != "" && u.Scheme != "https" && (!w.Local || !here(u)) {
		return nil, errors.New("a token is sent over https only")
	}
	o, err := w.remote(ctx, u, Login{})
	if err != nil {
		return nil, err
	}
	endpoint, err := transport.NewEndpoint(u.String())
	if err != nil {
		return nil, errors.New("its URL makes no sense to Git")
	}
	client, err := w.client(Login{})
	if err != nil {
		return nil, err
	}
	session, err := githttp.NewClient(client).NewReceivePackSession(endpoint, w.auth())
	if err != nil {
		return nil, errors.New("its URL makes no sense to Git")
	}
	offers, err := session.AdvertisedReferencesContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask whether it takes a push: %w", plain(err, noGit))
	}
	return receiver{server: o.(server), taking: session, offers: offers}, nil
}

// push sends the objects, and has the server move the branch if nobody else did.
func (r receiver) push(ctx context.Context, c *packp.Command, m *made) error {
	var pack bytes.Buffer
	if _, err := packfile.NewEncoder(&pack, m.fresh, false).Encode(m.order, 0); err != nil {
		return fmt.Errorf("pack what was made: %w", err)
	}
	req := packp.NewReferenceUpdateRequestFromCapabilities(r.offers.Capabilities)
	req.Commands, req.Packfile = []*packp.Command{c}, io.NopCloser(&pack)
	report, err := r.taking.ReceivePack(ctx, req)
	if report != nil {
		for _, s := range report.CommandStatuses {
			if s.Error() != nil {
				return ErrMoved // or a rule of the server's; its words are not ours
			}
		}
	}
	if err != nil {
		return fmt.Errorf("push: %w", plain(err, noGit))
	}
	return nil
}

// auth is how the token is sent: as the password of a user whose name does not matter to GitHub, GitLab and Gitea.
func (w Writer) auth() transport.AuthMethod {
	if w.Token == "" {
		return nil
	}
	return &githttp.BasicAuth{Username: "moorgate", Password: w.Token}
}

// made is what a new commit consists of, over what the repository has.
type made struct {
	old   storer.EncodedObjectStorer
	fresh *memory.Storage
	order []plumbing.Hash
}

// keep encodes an object among the new ones.
func (m *made) keep(o interface {
	Encode(plumbing.EncodedObject) error
}) (plumbing.Hash, error) {
	encoded := m.fresh.NewEncodedObject()
	if err := o.Encode(encoded); err != nil {
		return plumbing.ZeroHash, fmt.Errorf("encode an object: %w", err)
	}
	return m.take(encoded)
}

func (m *made) take(o plumbing.EncodedObject) (plumbing.Hash, error) {
	hash, err := m.fresh.SetEncodedObject(o)
	if err != nil {
		return plumbing.ZeroHash, fmt.Errorf("keep an object: %w", err)
	}
	m.order = append(m.order, hash)
	return hash, nil
}
