package github

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// into reads a body, which fits GitHub's description.
func into[T any](a ask) T {
	var v T
	must(json.Unmarshal(a.body, &v))
	return v
}

func (a ask) showRef() (int, any) {
	name, ok := strings.CutPrefix(a.path("ref"), "heads/")
	head, found := a.head(name)
	if !ok || !found {
		return missing()
	}
	return http.StatusOK, reference(name, head)
}

func reference(branch string, at plumbing.Hash) Object {
	return Object{"ref": "refs/heads/" + branch, "object": Object{"type": "commit", "sha": at.String()}}
}

func (a ask) makeRef() (int, any) {
	asked := into[struct{ Ref, SHA string }](a)
	name, ok := strings.CutPrefix(asked.Ref, "refs/heads/")
	if !ok || plumbing.NewBranchReferenceName(name).Validate() != nil {
		return invalid("Reference name must start with 'refs/'")
	}
	if _, there := a.head(name); there {
		return invalid("Reference already exists")
	}
	if a.commit(plumbing.NewHash(asked.SHA)) == nil {
		return invalid("Object does not exist")
	}
	a.point(name, plumbing.NewHash(asked.SHA))
	return http.StatusCreated, reference(name, plumbing.NewHash(asked.SHA))
}

func (a ask) moveRef() (int, any) {
	asked := into[struct {
		SHA   string
		Force bool
	}](a)
	name := strings.TrimPrefix(a.path("ref"), "heads/")
	head, there := a.head(name)
	next := plumbing.NewHash(asked.SHA)
	switch {
	case !there:
		return invalid("Reference does not exist")
	case a.commit(next) == nil:
		return invalid("Object does not exist")
	case !asked.Force && !a.ancestors(next)[head]:
		return invalid("Update is not a fast forward")
	}
	a.point(name, next)
	return http.StatusOK, reference(name, next)
}

// removeRef removes a branch, and closes the pull requests from it.
func (a ask) removeRef() (int, any) {
	name := strings.TrimPrefix(a.path("ref"), "heads/")
	if _, there := a.head(name); !there {
		return invalid("Reference does not exist")
	}
	for _, i := range a.issues {
		if i.Head == name && i.State == "open" {
			a.close(i, a.write)
		}
	}
	must(a.store.RemoveReference(plumbing.NewBranchReferenceName(name)))
	return http.StatusNoContent, nil
}

func (a ask) makeBlob() (int, any) {
	asked := into[struct{ Content, Encoding string }](a)
	content := []byte(asked.Content)
	if asked.Encoding == "base64" {
		var err error
		if content, err = base64.StdEncoding.DecodeString(asked.Content); err != nil {
			return invalid("content is not valid Base64", Object{"code": "invalid"})
		}
	}
	return http.StatusCreated, Object{"sha": a.blob(content).String()}
}

func (a ask) showBlob() (int, any) {
	hash := plumbing.NewHash(a.path("file_sha"))
	if _, err := object.GetBlob(a.store, hash); err != nil {
		return missing()
	}
	content := a.content(hash)
	return http.StatusOK, Object{"sha": hash.String(), "size": len(content), "encoding": "base64", "content": base64.StdEncoding.EncodeToString([]byte(content)) + "\n"}
}

func (a ask) showTree() (int, any) {
	hash := plumbing.NewHash(a.path("tree_sha"))
	if c := a.commit(hash); c != nil {
		hash = c.TreeHash
	}
	t, err := object.GetTree(a.store, hash)
	if err != nil {
		return missing()
	}
	return http.StatusOK, treeObject(t)
}

func treeObject(t *object.Tree) Object {
	entries := []any{}
	for _, e := range t.Entries {
		kind := map[filemode.FileMode]string{filemode.Dir: "tree", filemode.Submodule: "commit"}[e.Mode]
		if kind == "" {
			kind = "blob"
		}
		entries = append(entries, Object{"path": e.Name, "mode": pad(e.Mode), "type": kind, "sha": e.Hash.String()})
	}
	return Object{"sha": t.Hash.String(), "tree": entries, "truncated": false}
}

func pad(m filemode.FileMode) string {
	s := strconv.FormatUint(uint64(m), 8)
	return strings.Repeat("0", 6-len(s)) + s
}

func (a ask) makeTree() (int, any) {
	asked := into[struct {
		Base string `json:"base_tree"`
		Tree []struct {
			Path, Mode, Type string
			SHA              *string
			Content          *string
		}
	}](a)
	files := map[string]object.TreeEntry{}
	if asked.Base != "" {
		files = a.flat(plumbing.NewHash(asked.Base))
	}
	for _, e := range asked.Tree {
		mode, err := filemode.New(e.Mode)
		if err != nil {
			return invalid("tree.mode is not valid")
		}
		switch {
		case e.Content != nil:
			files[e.Path] = object.TreeEntry{Mode: mode, Hash: a.blob([]byte(*e.Content))}
		case e.SHA == nil:
			delete(files, e.Path)
		case a.store.HasEncodedObject(plumbing.NewHash(*e.SHA)) != nil:
			return invalid("tree.sha " + *e.SHA + " is not a valid blob")
		default:
			files[e.Path] = object.TreeEntry{Mode: mode, Hash: plumbing.NewHash(*e.SHA)}
		}
	}
	t, err := object.GetTree(a.store, a.build(files))
	must(err)
	return http.StatusCreated, treeObject(t)
}

func (a ask) showCommit() (int, any) {
	c := a.commit(plumbing.NewHash(a.path("commit_sha")))
	if c == nil {
		return missing()
	}
	return http.StatusOK, a.commitObject(c)
}

// signed is whom GitHub commits as, for an App that names nobody.
const signed = "noreply@github.com"

func (a ask) makeCommit() (int, any) {
	asked := into[struct {
		Message, Tree     string
		Parents           []string
		Author, Committer *struct{ Name, Email string }
	}](a)
	now := a.server.options.Now().UTC().Truncate(time.Second)
	author := object.Signature{Name: a.write, Email: "1+" + a.write + "@users.noreply.github.com", When: now}
	committer := object.Signature{Name: "GitHub", Email: signed, When: now}
	if asked.Author != nil || !a.server.options.Verified {
		committer = author
	}
	c := &object.Commit{Author: author, Committer: committer, Message: asked.Message, TreeHash: plumbing.NewHash(asked.Tree)}
	if _, err := object.GetTree(a.store, c.TreeHash); err != nil {
		return invalid("Tree SHA does not exist")
	}
	for _, p := range asked.Parents {
		if a.commit(plumbing.NewHash(p)) == nil {
			return invalid("Parent SHA does not exist or is not a commit object")
		}
		c.ParentHashes = append(c.ParentHashes, plumbing.NewHash(p))
	}
	return http.StatusCreated, a.commitObject(a.commit(a.keep(c)))
}

func (a ask) commitObject(c *object.Commit) Object {
	verified, reason := c.Committer.Email == signed, "unsigned"
	if verified {
		reason = "valid"
	}
	parents := []any{}
	for _, p := range c.ParentHashes {
		parents = append(parents, Object{"sha": p.String()})
	}
	by := func(s object.Signature) Object {
		return Object{"name": s.Name, "email": s.Email, "date": s.When.UTC().Format(time.RFC3339)}
	}
	return Object{"sha": c.Hash.String(), "message": c.Message, "tree": Object{"sha": c.TreeHash.String()}, "parents": parents,
		"author": by(c.Author), "committer": by(c.Committer), "verification": Object{"verified": verified, "reason": reason}}
}

// compare lists the commits of a branch that its base has not.
func (a ask) compare() (int, any) {
	base, head, ok := strings.Cut(a.path("basehead"), "...")
	from, there := a.resolve(base)
	to, there2 := a.resolve(head)
	if !ok || !there || !there2 {
		return missing()
	}
	old, all := a.ancestors(from), a.ancestors(to)
	var commits []*object.Commit
	for hash := range all {
		if !old[hash] {
			commits = append(commits, a.commit(hash))
		}
	}
	slices.SortFunc(commits, func(x, y *object.Commit) int { return len(a.ancestors(x.Hash)) - len(a.ancestors(y.Hash)) })
	listed := []any{}
	for _, c := range commits {
		whole := a.commitObject(c)
		listed = append(listed, Object{"sha": c.Hash.String(), "parents": whole["parents"],
			"commit": Object{"message": c.Message, "tree": whole["tree"], "author": whole["author"], "committer": whole["committer"], "verification": whole["verification"]}})
	}
	behind := 0
	for hash := range old {
		if !all[hash] {
			behind++
		}
	}
	status := map[[2]bool]string{{false, false}: "identical", {true, false}: "ahead", {false, true}: "behind", {true, true}: "diverged"}[[2]bool{len(commits) > 0, behind > 0}]
	return http.StatusOK, Object{"status": status, "ahead_by": len(commits), "behind_by": behind, "total_commits": len(commits), "commits": listed}
}

func (a ask) resolve(name string) (plumbing.Hash, bool) {
	if head, ok := a.head(name); ok {
		return head, true
	}
	hash := plumbing.NewHash(name)
	return hash, a.commit(hash) != nil
}
