package forge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/google/go-github/v60/github"
)

// refusal is an error in our own words, about numbers and addresses alone.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

func refuse(format string, args ...any) error { return &refusal{fmt.Sprintf(format, args...)} }

// fixed are sentences for what Git servers answer.
var fixed = []struct {
	is   error
	text string
}{
	{transport.ErrAuthenticationRequired, "it asks for credentials, or for other ones (or there is no such repository)"},
	{transport.ErrAuthorizationFailed, "it does not let us read"},
	{transport.ErrRepositoryNotFound, "there is no such repository"},
	{transport.ErrEmptyRemoteRepository, "the repository is empty"},
}

// plain is an error without the words of the other side, which reach people's terminals and the prompts of models: what it
// sent, where it redirects to, and what its certificate says. Where nothing else is known the error is the given sentence.
func plain(err error, otherwise string) error {
	if err == nil {
		return nil
	}
	if unexpected := (*plumbing.UnexpectedError)(nil); errors.As(err, &unexpected) { // go-git hides what is inside
		return plain(unexpected.Err, otherwise)
	}
	for _, end := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, end) {
			return end
		}
	}
	for _, f := range fixed {
		if errors.Is(err, f.is) {
			return errors.New(f.text)
		}
	}
	var own *refusal
	var git *githttp.Err
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var number syscall.Errno
	var request *url.Error
	var limited *Limited
	var exhausted *github.RateLimitError
	switch {
	case errors.As(err, &limited):
		return limited
	case errors.As(err, &exhausted):
		return &Limited{Until: exhausted.Rate.Reset.Time}
	case status(err) != 0:
		return fmt.Errorf("it answers with the HTTP status %d", status(err))
	case errors.As(err, &own):
		return own
	case errors.As(err, &git):
		return fmt.Errorf("it answers with the HTTP status %d", git.StatusCode())
	case errors.As(err, &name):
		return errors.New("its host name cannot be resolved")
	case errors.As(err, &certificate):
		return errors.New("its certificate is not one to trust")
	case errors.As(err, &number):
		return fmt.Errorf("connect to it: %w", number)
	case errors.As(err, &request) && request.Timeout():
		return errors.New("connect to it: no answer in time")
	}
	return errors.New(otherwise)
}
