package forge

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"

	"moorgate.dev/internal/redact"
)

// job is one proposal on its way.
type job struct {
	*Hub
	Proposal
	owner, name string
	root        string // the tree of BaseCommit, once it is known
}

func (h *Hub) job(p Proposal) *job {
	owner, name, _ := strings.Cut(p.Repository, "/")
	return &job{Hub: h, Proposal: p, owner: owner, name: name}
}

// entries are the files that the proposal changes, as they stand in the base commit. A file that is not there, or is no plain file, is a
// refusal; a file that says so already is left out.
func (j *job) entries(ctx context.Context) (changed []*github.TreeEntry, why string, err error) {
	base, _, err := j.api.Git.GetCommit(ctx, j.owner, j.name, j.BaseCommit)
	if err != nil {
		return nil, "", fmt.Errorf("read commit %.12s: %w", j.BaseCommit, plain(err, noHub))
	}
	j.root = base.GetTree().GetSHA()
	folders := map[string]*github.Tree{}
	for _, file := range slices.Sorted(maps.Keys(j.Files)) {
		entry, err := j.entry(ctx, file, folders)
		if err != nil {
			return nil, "", err
		}
		if entry == nil || entry.GetType() != "blob" || entry.GetMode() != "100644" && entry.GetMode() != "100755" {
			return nil, fmt.Sprintf("%q is no plain file of commit %.12s", file, j.BaseCommit), nil
		}
		old, err := j.blob(ctx, entry.GetSHA())
		if err != nil {
			return nil, "", fmt.Errorf("read %s: %w", file, err)
		}
		if old == string(j.Files[file]) {
			continue
		}
		if j.leaks(old, string(j.Files[file])) {
			return nil, fmt.Sprintf("what would be new in %q looks like a secret", file), nil
		}
		changed = append(changed, &github.TreeEntry{Path: &file, Mode: entry.Mode, Type: entry.Type})
	}
	return changed, "", nil
}

// entry finds a file in a tree, folder by folder; a list of everything may be cut by GitHub.
func (j *job) entry(ctx context.Context, file string, folders map[string]*github.Tree) (*github.TreeEntry, error) {
	var found *github.TreeEntry
	sha := j.root
	parts := strings.Split(file, "/")
	for i, part := range parts {
		tree := folders[sha]
		if tree == nil {
			var err error
			if tree, _, err = j.api.Git.GetTree(ctx, j.owner, j.name, sha, false); err != nil {
				return nil, fmt.Errorf("read a folder of %s: %w", file, plain(err, noHub))
			}
			folders[sha] = tree
		}
		at := slices.IndexFunc(tree.Entries, func(e *github.TreeEntry) bool { return e.GetPath() == part })
		if at < 0 || i < len(parts)-1 && tree.Entries[at].GetType() != "tree" {
			return nil, nil
		}
		found = tree.Entries[at]
		sha = found.GetSHA()
	}
	return found, nil
}

func (j *job) blob(ctx context.Context, sha string) (string, error) {
	b, _, err := j.api.Git.GetBlob(ctx, j.owner, j.name, sha)
	if err != nil {
		return "", plain(err, noHub)
	}
	content, err := base64.StdEncoding.DecodeString(b.GetContent()) // with line ends in it, which are skipped
	if err != nil || b.GetEncoding() != "base64" {
		return "", errors.New(noHub)
	}
	return string(content), nil
}

// leaks reports whether the door masks something of the new text that it does not mask of the old one.
func (j *job) leaks(old, fresh string) bool {
	known := redact.Placeholders(j.Door.Text(old))
	return slices.ContainsFunc(redact.Placeholders(j.Door.Text(fresh)), func(mask string) bool { return !slices.Contains(known, mask) })
}

// tree writes the changed files into the repository and answers with the tree that holds them.
func (j *job) tree(ctx context.Context, changed []*github.TreeEntry) (string, error) {
	for _, e := range changed {
		content, encoding := base64.StdEncoding.EncodeToString(j.Files[e.GetPath()]), "base64"
		blob, _, err := j.api.Git.CreateBlob(ctx, j.owner, j.name, &github.Blob{Content: &content, Encoding: &encoding})
		if err != nil {
			return "", fmt.Errorf("write %s: %w", e.GetPath(), plain(err, noHub))
		}
		e.SHA = blob.SHA
	}
	tree, _, err := j.api.Git.CreateTree(ctx, j.owner, j.name, j.root, changed)
	if err != nil {
		return "", fmt.Errorf("write a tree: %w", plain(err, noHub))
	}
	return tree.GetSHA(), nil
}

// tip is where our branch stands.
type tip struct {
	commit, tree string // empty: there is no branch, or nothing on it
	head         string // where the branch stands; empty: there is no branch
	onBase       bool   // it builds on the base branch's head
	theirs       bool   // there is a commit on it that we did not make
	verified     bool
}

// tip reads where the branch stands, and whose the commits are that its base has not.
func (j *job) tip(ctx context.Context) (tip, error) {
	compared, _, err := j.api.Repositories.CompareCommits(ctx, j.owner, j.name, j.Base, branchOf(j.Key), nil)
	if status(err) == http.StatusNotFound {
		return tip{}, nil
	}
	if err != nil {
		return tip{}, fmt.Errorf("compare with the branch %s: %w", branchOf(j.Key), plain(err, noHub))
	}
	t := tip{onBase: compared.GetBehindBy() == 0, theirs: compared.GetTotalCommits() > len(compared.Commits)}
	for _, c := range compared.Commits {
		t.theirs = t.theirs || !madeFor(j.Key, c.Commit)
		t.commit, t.head, t.tree, t.verified = c.GetSHA(), c.GetSHA(), c.Commit.GetTree().GetSHA(), c.Commit.GetVerification().GetVerified()
	}
	if len(compared.Commits) == 0 { // it stands on a commit of the base branch
		ref, _, err := j.api.Git.GetRef(ctx, j.owner, j.name, "heads/"+branchOf(j.Key))
		if err != nil {
			return tip{}, fmt.Errorf("find the branch %s: %w", branchOf(j.Key), plain(err, noHub))
		}
		t.head = ref.GetObject().GetSHA()
	}
	return t, nil
}
