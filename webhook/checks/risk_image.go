package checks

import (
	"strconv"
	"strings"

	"golang.org/x/mod/semver"
)

// calendarMajor is the first major number that is a year, or a build, rather than a promise.
const calendarMajor = 1000

// imaged finds images that come from another repository, go back, or take a step over a major version. Tags are compared
// only where both are versions of at least two numbers, and only by as many numbers as both have: 1.4 is no older than
// 1.4.2, and what follows a dash says of which kind an image is, not of which age.
func imaged(pairs []pair) []risk {
	var elsewhere, older, major []string
	for _, p := range pairs {
		was, is := imageOf(p.old.Image), imageOf(p.new.Image)
		if was.repository != is.repository {
			elsewhere = append(elsewhere, p.new.Name+" from "+is.repository)
			continue
		}
		a, b := versionOf(was.tag), versionOf(is.tag)
		n := min(len(a), len(b))
		if n == 0 {
			continue
		}
		step := is.tag + " after " + was.tag + " (" + name(p.new.Name) + ")"
		switch d := semver.Compare("v"+strings.Join(b[:n], "."), "v"+strings.Join(a[:n], ".")); {
		case d < 0:
			older = append(older, step)
		case d > 0 && a[0] != b[0] && promises(a[0]) && promises(b[0]):
			major = append(major, step)
		}
	}
	var out []risk
	for _, c := range []struct {
		class  string
		points int
		text   string
		names  []string
	}{
		{classElsewhere, pointsRiskMiddle, "image of another repository: ", elsewhere},
		{classOlder, pointsRiskMiddle, "an older image: ", older},
		{classMajor, pointsRiskLow, "an image of another major version: ", major},
	} {
		if len(c.names) > 0 {
			out = append(out, risk{c.class, c.points, c.text + names(c.names)})
		}
	}
	return out
}

type image struct{ repository, tag string }

// imageOf takes an image reference apart. The names that a container runtime gives the same repository are one.
func imageOf(reference string) image {
	reference, _, _ = strings.Cut(reference, "@")
	var i image
	i.repository = reference
	if at := strings.LastIndex(reference, ":"); at > strings.LastIndex(reference, "/") {
		i.repository, i.tag = reference[:at], reference[at+1:]
	}
	host, rest, ok := strings.Cut(i.repository, "/")
	switch {
	case !ok:
		i.repository = "docker.io/library/" + i.repository
	case host == "index.docker.io" || host == "docker.io":
		if !strings.Contains(rest, "/") {
			rest = "library/" + rest
		}
		i.repository = "docker.io/" + rest
	case !strings.ContainsAny(host, ".:") && host != "localhost":
		i.repository = "docker.io/" + i.repository
	}
	return i
}

// versionOf returns the numbers of a tag that is a version, nil where it is none or is one number, which may be a build.
func versionOf(tag string) []string {
	v := "v" + strings.TrimPrefix(tag, "v")
	core, _, _ := strings.Cut(v, "-")
	core, _, _ = strings.Cut(core, "+")
	numbers := strings.Split(strings.TrimPrefix(core, "v"), ".")
	if len(numbers) < 2 || !semver.IsValid(core) {
		return nil
	}
	return numbers
}

// promises reports whether a major number is one by which a project says that something breaks.
func promises(major string) bool {
	n, err := strconv.Atoi(major)
	return err == nil && n < calendarMajor
}
