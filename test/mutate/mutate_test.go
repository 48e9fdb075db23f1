package main

import (
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMutantsAreTriedOneByOne breaks a small package in every way. Its tests notice all but what makes no difference, and whatever
// is not listed as such, or is and should not be, counts as a survivor.
func TestMutantsAreTriedOneByOne(t *testing.T) {
	b, err := build("testdata/small", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if said, err := b.test(0, leastTime, ""); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	fates := b.tryAll(5*time.Second, options{parallel: 2}) // for those that go round for ever
	what := map[string]int{}
	var survivors []string
	for i, m := range b.mutants {
		what[m.what]++
		if fates[i] == survived {
			survivors = append(survivors, m.key())
		}
	}
	for _, want := range []string{"return is removed", "break is removed", "<= becomes <", "<= becomes >", "|| becomes &&", "&& becomes ||", "< becomes <=", "> becomes <=",
		"++ becomes --", "+ becomes -", "* becomes /", "max becomes min", "== becomes !=", "it is negated", "0 becomes 1", "0 becomes -1"} {
		if what[want] == 0 {
			t.Errorf("no mutant is made in which %s; there are %v", want, what)
		}
	}
	listed := map[string]bool{}
	for _, s := range survivors {
		listed[s] = true
	}
	if n := report(b.mutants, slices.Clone(fates), nil, true); n != len(survivors) {
		t.Errorf("%d survivors are reported, want %d: %q", n, len(survivors), survivors)
	}
	if n := report(b.mutants, slices.Clone(fates), listed, true); n != 0 {
		t.Errorf("%d survivors are reported although all are listed", n)
	}
	listed["small.go\tgone\treturn is removed"] = true
	if n := report(b.mutants, slices.Clone(fates), listed, true); n != 1 {
		t.Errorf("%d survivors are reported where the list is older than the package", n)
	}
	if len(survivors)*5 > len(b.mutants) {
		t.Errorf("%d of %d survive: %q", len(survivors), len(b.mutants), survivors)
	}
}

// TestPatchesNest shows that what is wrapped first is outside, and that ends come before beginnings.
func TestPatchesNest(t *testing.T) {
	var p patch
	p.wrap(1, 6, "(", ")")
	p.wrap(1, 3, "[", "]")
	p.wrap(3, 6, "{", "}")
	p.replace(4, 1, "-")
	if got := string(p.apply([]byte("abcde"), 1)); got != "([ab]{c-e})" {
		t.Error(got)
	}
}

func TestWhatIsBuiltIsGo(t *testing.T) {
	if _, err := format.Source([]byte("package x\n" + switches)); err != nil {
		t.Error(err)
	}
}

func TestTheListIsReadStrictly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list")
	for text, want := range map[string]string{"": "", "# a comment\n\n": "", "a.go\tif x {\tit is negated\tbecause\n": "a.go\tif x {\tit is negated", "a.go\tif x {\tit is negated\n": "error",
		"a.go if x": "error"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		listed, err := readEquivalent(path)
		if (err != nil) != (want == "error") || err == nil && want != "" && !listed[want] || err == nil && len(listed) != strings.Count(want, "a.go") {
			t.Errorf("%q: %v, %v", text, listed, err)
		}
	}
}
