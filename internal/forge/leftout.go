package forge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Flux does not deliver all that a commit holds. What the .sourceignore files of the repository name is left out, and what the
// GitRepository's own lines name, which come last and so have the last word. Where neither names anything, Flux leaves out some files by
// itself. Each file is asked about by its whole path, so that a later line may bring one back out of a folder that is left out.

const (
	ignoreFile = ".sourceignore"
	// mostPatterns bounds the lines of all of them together, each of which is tried on every file.
	mostPatterns = 1000
)

// always are what Flux leaves out whatever anybody says, and otherwise what it leaves out where nobody says anything.
var (
	always    = []string{".git/", ".gitignore", ".gitmodules", ".gitattributes"}
	otherwise = []string{"*.jpg", "*.jpeg", "*.gif", "*.png", "*.wmv", "*.flv", "*.tar.gz", "*.zip",
		".github/", ".circleci/", ".travis.yml", ".gitlab-ci.yml", "appveyor.yml", ".drone.yml", "cloudbuild.yaml", "codeship-services.yml", "codeship-steps.yml",
		"**/.goreleaser.yml", "**/.sops.yaml", "**/.flux.yaml"}
)

// leftOut tells of the files of a commit whether Flux leaves them out.
func leftOut(ctx context.Context, whole *object.Tree, own string, limit int64) (func(name string) bool, error) {
	said, err := ignoreFiles(ctx, whole, limit)
	if err != nil {
		return nil, err
	}
	said = append(said, patterns(own, nil)...)
	if len(said) > mostPatterns {
		return nil, fmt.Errorf("what is left out of it is said in more than %d lines", mostPatterns)
	}
	all := patterns(strings.Join(always, "\n"), nil)
	if len(said) == 0 {
		said = patterns(strings.Join(otherwise, "\n"), nil)
	}
	matcher := gitignore.NewMatcher(append(all, said...))
	return func(name string) bool { return matcher.Match(strings.Split(name, "/"), false) }, nil
}

// ignoreFiles are the lines of all .sourceignore files, those of a folder before those of the folders in it.
func ignoreFiles(ctx context.Context, whole *object.Tree, limit int64) ([]gitignore.Pattern, error) {
	type file struct {
		folder []string
		text   string
	}
	var files []file
	walker := object.NewTreeWalker(whole, true, nil)
	defer walker.Close()
	for entries := 0; ; entries++ {
		name, entry, err := walker.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		switch err = cmp.Or(err, ctx.Err()); {
		case err != nil:
			return nil, plain(err, unsound)
		case entries == maxEntries:
			return nil, fmt.Errorf("the repository has more than %d entries", maxEntries)
		case path.Base(name) != ignoreFile || entry.Mode == filemode.Dir:
			continue
		case entry.Mode == filemode.Symlink || !entry.Mode.IsFile():
			return nil, fmt.Errorf("%q is a link, so that it is not known what is left out", name)
		case len(files) == mostPatterns:
			return nil, fmt.Errorf("it has more than %d files %s", mostPatterns, ignoreFile)
		}
		b, err := content(whole, &entry, limit)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		parts := strings.Split(name, "/")
		files = append(files, file{parts[:len(parts)-1], string(b)})
	}
	slices.SortFunc(files, func(a, b file) int { return slices.Compare(a.folder, b.folder) })
	var all []gitignore.Pattern
	for _, f := range files {
		if all = append(all, patterns(f.text, f.folder)...); len(all) > mostPatterns {
			break // which is too many
		}
	}
	return all, nil
}

// patterns are the lines of a text that say something, about what is in a folder.
func patterns(text string, folder []string) []gitignore.Pattern {
	var all []gitignore.Pattern
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			all = append(all, gitignore.ParsePattern(line, folder))
		}
	}
	return all
}
