package drift

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// plainly is why a dry run failed, without the values of the manifest that the API server or an admission webhook repeats:
// the reason, which fields it is about, and which webhook or policy said no. Nothing else of the message is kept.
func plainly(err error) string {
	var answer apierrors.APIStatus
	if !errors.As(err, &answer) {
		return silentFailure(err)
	}
	s := answer.Status()
	reason := string(s.Reason)
	if reason == "" {
		reason = fmt.Sprintf("status %d", s.Code)
	}
	text := "the API server refuses what Git says (" + reason + ")"
	if by := refuser.FindStringSubmatch(s.Message); by != nil {
		text += ", by the " + by[1]
	}
	if at := refused(s); len(at) > 0 {
		text += ": " + strings.Join(at, ", ")
	}
	return text
}

// silentFailure is a failure in which the API server said nothing.
func silentFailure(err error) string {
	var request *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "there was no time for it"
	case errors.As(err, &request):
		return "the API server could not be asked: " + request.Err.Error()
	}
	return "it could not be asked for"
}

var (
	refuser = regexp.MustCompile(`^(?:[a-z.]+ "[a-z0-9.-]+" is forbidden: )?((?:admission webhook "[A-Za-z0-9.-]+")|(?:ValidatingAdmissionPolicy '[A-Za-z0-9.-]+'))`)
	// mismatch is the first field that does not fit the schema. What follows it may repeat a value, and look like a field.
	mismatch = regexp.MustCompile(`^failed to create (?:typed patch|manager for existing fields|typed live object) ?(?:object)? ?\([^()]*\): (?:errors:\s+)?` +
		`((?:\.[A-Za-z0-9_-]+|` + item + `)+): ` + `(field not declared in schema|duplicate entries|expected (?:string|map|list|numeric|boolean|scalar))?`)
	items   = regexp.MustCompile(item)
	indexed = regexp.MustCompile(`^\[([0-9]+|name="[A-Za-z0-9._-]{1,63}")\]$`)
)

// item is an item of a list in a field's path, or a key of a map.
const item = `\[(?:[^\]"\\]|"(?:[^"\\]|\\.)*")*\]`

// refused are the fields that an answer is about.
func refused(s metav1.Status) []string {
	var at []string
	if s.Details != nil {
		for _, c := range s.Details.Causes {
			if c.Field != "" {
				at = append(at, masking(c.Field)+" ("+string(c.Type)+")")
			}
		}
	}
	if found := mismatch.FindStringSubmatch(s.Message); found != nil && len(at) == 0 {
		at = append(at, strings.TrimSuffix(masking(found[1])+": "+found[2], ": "))
	}
	return at
}

// masking is a field's path without what tells the items of lists and maps apart, unless it is a position or a name.
func masking(path string) string {
	return items.ReplaceAllStringFunc(path, func(at string) string {
		if indexed.MatchString(at) {
			return at
		}
		return "[…]"
	})
}
