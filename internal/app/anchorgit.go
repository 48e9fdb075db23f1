package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path"
	"strings"
	"time"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/forge"
)

const (
	anchorGitEvery = 10 * time.Minute
	anchorGitTries = 3
	anchorFolder   = "moorgate-audit-anchors"
)

// gitAnchors copies what the cluster remembers of all audit logs into a Git repository, a file each, so that whoever owns the
// cluster cannot rewrite the logs unseen either. act does it, which holds the token that may write.
type gitAnchors struct {
	anchors cluster.Anchors
	writer  forge.Writer
	repo    forge.Repository
	token   string // file that holds the token, read anew each time
	logger  *slog.Logger
}

func (g gitAnchors) run(ctx context.Context) error {
	ticker := time.NewTicker(anchorGitEvery)
	defer ticker.Stop()
	for {
		if err := g.copy(ctx); err != nil && ctx.Err() == nil {
			g.logger.WarnContext(ctx, "the checkpoints of the audit logs could not be remembered in Git", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (g gitAnchors) copy(ctx context.Context) error {
	remembered, err := g.anchors.Read(ctx)
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	for key, value := range remembered {
		if !strings.HasPrefix(key, caPrefix) {
			files[path.Join(g.repo.Path, anchorFolder, key)] = []byte(value)
		}
	}
	if len(files) == 0 {
		return nil
	}
	w := g.writer
	if g.token != "" {
		token, err := os.ReadFile(g.token)
		if err != nil {
			return fmt.Errorf("read the Git token (--git-token-file): %w", err)
		}
		w.Token = strings.TrimSpace(string(token))
	}
	for range anchorGitTries {
		_, err = w.Put(ctx, g.repo, maps.Clone(files), "Remember how far Moorgate's audit logs go\n")
		if !errors.Is(err, forge.ErrMoved) {
			return err
		}
	}
	return err
}
