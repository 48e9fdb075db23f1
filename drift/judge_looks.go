package drift

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/api/resource"

	"moorgate.dev/internal/gate"
)

// What follows looks at one field that differs.

func raised(d Drift) bool {
	git, gitOK := d.Git.(int64)
	live, liveOK := d.Live.(int64)
	return gitOK && liveOK && live > git
}

func replicasRaised(d Drift) bool { return d.last() == "replicas" && raised(d) }

func scaledToZero(d Drift) bool { return d.last() == "replicas" && d.Live == int64(0) }

func scaled(d Drift) bool {
	return d.last() == "replicas" && d.Owner.Subresource == "scale" && d.Live != nil && !scaledToZero(d)
}

func memoryRaised(d Drift) bool {
	if d.last() != "memory" || !(d.within("limits") || d.within("requests")) {
		return false
	}
	git, gitErr := resource.ParseQuantity(fmt.Sprint(d.Git))
	live, liveErr := resource.ParseQuantity(fmt.Sprint(d.Live))
	return gitErr == nil && liveErr == nil && live.Cmp(git) > 0
}

var (
	probes   = []string{"livenessProbe", "readinessProbe", "startupProbe"}
	patience = []string{"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold"}
)

func probeRelaxed(d Drift) bool {
	return slices.ContainsFunc(probes, d.within) && (d.Missing || (slices.Contains(patience, d.last()) && raised(d)))
}

// image takes an image's name apart. A digest stands as the tag.
func image(v any) (name, tag string) {
	text, _ := v.(string)
	if name, digest, ok := strings.Cut(text, "@"); ok {
		return name, digest
	}
	if i := strings.LastIndex(text, ":"); i > strings.LastIndex(text, "/") {
		return text[:i], text[i+1:]
	}
	return text, ""
}

func movingTag(d Drift) bool {
	_, git := image(d.Git)
	_, live := image(d.Live)
	moves := func(tag string) bool { return tag == "" || tag == "latest" }
	return d.last() == "image" && !d.Missing && moves(live) && !moves(git)
}

func imageOfBefore(d Drift, older func(string) gate.Fact[bool]) bool {
	git, _ := image(d.Git)
	live, _ := image(d.Live)
	if older == nil || d.last() != "image" || d.Missing || git != live {
		return false
	}
	before, _ := older(d.Live.(string)).Get()
	return before
}

// oneLetterOff reports whether two words differ as by a slip of a finger: by one letter, or by two that changed places. A digit
// is no slip: versions differ by one.
func oneLetterOff(d Drift) bool {
	git, _ := d.Git.(string)
	live, _ := d.Live.(string)
	a, b := []rune(git), []rune(live)
	if !d.shown() || len(a) < 4 || len(b) < 4 {
		return false
	}
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if slices.ContainsFunc(slices.Concat(a, b), func(r rune) bool { return !unicode.IsLetter(r) }) {
		return false
	}
	swapped := len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
	return swapped || (len(a) <= 1 && len(b) <= 1 && len(a)+len(b) > 0)
}

var debugging = regexp.MustCompile(`(?i)\bsleep (infinity|[0-9]{3,}|[0-9]+d)\b|\btail -f /dev/null\b|\btcpdump\b|\bnetshoot\b`)

// debugLeftover looks at commands and images, alone or in a container that Git does not have.
func debugLeftover(d Drift) bool {
	if !slices.ContainsFunc([]string{"command", "args", "image", "containers", "ephemeralContainers"}, d.within) {
		return false
	}
	return debugging.MatchString(strings.Join(words(d.Live), " "))
}

// words are the texts in a value, in their order where it has one.
func words(v any) []string {
	var out []string
	switch t := v.(type) {
	case string:
		return []string{t}
	case []any:
		for _, item := range t {
			out = append(out, words(item)...)
		}
	case map[string]any:
		for _, field := range []string{"image", "command", "args"} {
			out = append(out, words(t[field])...)
		}
	}
	return out
}

// lax are fields and the values of theirs that take a protection away.
var lax = map[string]any{"hostNetwork": true, "hostPID": true, "hostIPC": true, "privileged": true, "allowPrivilegeEscalation": true,
	"shareProcessNamespace": true, "automountServiceAccountToken": true, "runAsNonRoot": false, "readOnlyRootFilesystem": false, "hostUsers": true,
	"runAsUser": int64(0), "procMount": "Unmasked"}

// strict are fields whose absence takes a protection away that Git gives.
var strict = []string{"securityContext", "runAsNonRoot", "readOnlyRootFilesystem", "seccompProfile", "drop", "runAsUser", "allowPrivilegeEscalation"}

func weakened(d Drift) bool {
	if d.Missing {
		return slices.ContainsFunc(strict, d.within)
	}
	switch {
	case d.within("seccompProfile") && d.last() == "type", d.within("appArmorProfile") && d.last() == "type":
		return d.Live == "Unconfined"
	case d.within("capabilities") && d.within("add"):
		return true
	}
	return isLax(d.last(), d.Live)
}

// isLax looks into what a field holds too: a container that Git does not have comes as a whole.
func isLax(field string, v any) bool {
	switch t := v.(type) {
	case map[string]any:
		for name, inner := range t {
			if isLax(name, inner) {
				return true
			}
		}
		return false
	case []any:
		return slices.ContainsFunc(t, func(item any) bool { return isLax("", item) })
	}
	loose, listed := lax[field]
	return listed && v == loose
}
