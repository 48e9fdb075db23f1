package forge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Proposal is a change to a repository that people are asked to take.
type Proposal struct {
	Repository string // owner/name
	Base       string // the branch that it is for
	BaseCommit string // of Base, on which Files were made and proven
	// Key tells this drift from all others, in 64 hexadecimal digits, and names the branch. ValueHash, in as many, tells what is proposed: a
	// person's no holds until it changes.
	Key, ValueHash string
	Files          map[string][]byte // whole, by their paths from the root; each is there already
	Title          string
	Body           string // Markdown, of Story
	Labels         []string
	Draft          bool // where GitHub makes drafts; where it does not, an ordinary one is opened
}

// branchPrefix begins the names of our branches.
const branchPrefix = "moorgate/drift/"

func branchOf(key string) string { return branchPrefix + key[:12] }

// State is what came of a proposal.
type State string

// The states.
const (
	Opened      State = "opened"
	Updated     State = "updated"      // in place
	Unchanged   State = "unchanged"    // it is open already, and says this
	Already     State = "already"      // the base branch says so already: nothing was proposed
	Rejected    State = "rejected"     // a person closed it, and nothing has changed since
	TheirBranch State = "their-branch" // a person works on the branch, which is left alone
	Stale       State = "stale"        // the base branch has moved: it must be made and proven anew
	Held        State = "held"         // enough is open, or was opened in the last hour
	Refused     State = "refused"      // it is none that may be proposed
	Open        State = "open"
	Merged      State = "merged"
	Withdrawn   State = "withdrawn"
	Nothing     State = "nothing" // there is none
)

// Outcome is what came of a proposal, and where to look at it.
type Outcome struct {
	State    State
	Number   int
	URL      string
	Commit   string
	Verified bool     // GitHub vouches for the commit
	Draft    bool     // of one that is open: it is a draft
	Value    string   // of Standing: what an open or merged one proposes, by its ValueHash; empty: nobody knows
	Notes    []string // why, and what did not work besides
}

var (
	slug   = regexp.MustCompile(`^[A-Za-z0-9-]{1,100}/[A-Za-z0-9_.-]{1,100}$`)
	digest = regexp.MustCompile(`^[0-9a-f]{64}$`)
	hash   = regexp.MustCompile(`^[0-9a-f]{40}$`)
	// ours is a manifest by which Moorgate itself is told what to do.
	ours = regexp.MustCompile(`(?m)^[\s-]*["']?apiVersion["']?\s*:\s*["']?moorgate\.dev/`)
)

// maxFiles and maxFile bound what one proposal changes.
const (
	maxFiles = 20
	maxFile  = 1 << 20
	maxBody  = 60_000 // bytes of text; GitHub takes 65,536 characters, and masks may be longer than what they mask
)

// refused says why a proposal may not be made; empty: it may.
func (p Proposal) refused() string {
	owner, name, _ := strings.Cut(p.Repository, "/")
	switch {
	case !slug.MatchString(p.Repository) || owner == "." || name == "." || name == "..":
		return "the repository is not named as owner/name"
	case !digest.MatchString(p.Key) || !digest.MatchString(p.ValueHash):
		return "key and value are no digests"
	case !branchName.MatchString(p.Base) || strings.Contains(p.Base, ".."):
		return "the base is no name for a branch"
	case strings.HasPrefix(p.Base, branchPrefix):
		return "the base is a branch of ours"
	case !hash.MatchString(p.BaseCommit):
		return "the base commit is not named"
	case len(p.Body) > maxBody:
		return fmt.Sprintf("its text is longer than %d bytes", maxBody)
	case len(p.Files) == 0 || len(p.Files) > maxFiles:
		return fmt.Sprintf("it changes %d files; 1 to %d may be", len(p.Files), maxFiles)
	}
	for _, file := range slices.Sorted(maps.Keys(p.Files)) {
		if why := untouchable(file); why != "" {
			return fmt.Sprintf("%q %s", file, why)
		}
		if len(p.Files[file]) > maxFile {
			return fmt.Sprintf("%q is longer than %d MiB", file, maxFile>>20)
		}
		if ours.Match(p.Files[file]) || bytes.ContainsRune(p.Files[file], 0) {
			return fmt.Sprintf("%q declares what Moorgate itself is told, or is no text", file)
		}
	}
	return ""
}

var branchName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_./-]{0,200}$`)

// untouchable says why a file is never proposed: what runs when a change is pushed, and who must agree to it, are not for a program.
func untouchable(file string) string {
	if file != path.Clean(file) || strings.HasPrefix(file, "/") || strings.ContainsAny(file, "\\\x00\n") {
		return "is no path of a file"
	}
	parts := strings.Split(strings.ToLower(file), "/")
	last := parts[len(parts)-1]
	switch {
	case slices.Contains(parts, ".."):
		return "is no path of a file"
	case slices.ContainsFunc(parts, func(part string) bool { return strings.HasPrefix(part, ".") }):
		return "is hidden: workflows and settings are never proposed"
	case strings.HasPrefix(last, "codeowners"):
		return "says who must agree: it is never proposed"
	case !strings.HasSuffix(last, ".yaml") && !strings.HasSuffix(last, ".yml"):
		return "is no YAML"
	}
	return ""
}

// content is a digest of the files, whole.
func (p Proposal) content() string {
	sum := sha256.New()
	for _, file := range slices.Sorted(maps.Keys(p.Files)) {
		of := sha256.Sum256(p.Files[file])
		_, _ = fmt.Fprintf(sum, "%d %s %x\n", len(file), file, of)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// strange is what a subject is not made of, so that it calls nobody, links to nothing and closes nothing.
var strange = regexp.MustCompile(`[^A-Za-z0-9 ._/,()'"=+-]|//|(?i)\bgh-`)

// subject is a text as the title of a pull request, and of a commit.
func subject(text string) string {
	text = strings.Join(strings.Fields(strange.ReplaceAllString(text, " ")), " ")
	return text[:min(len(text), 120)]
}
