package sift

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format+"\n", i)
	}
	return b.String()
}

func TestLinesOfOneKindAreToldOnceWithTheirCount(t *testing.T) {
	log := "starting up\n" + numbered(500, "GET /orders/%d 200 from 10.0.0.7") + "dial tcp 10.0.0.9:5432: connect: connection refused\n" +
		numbered(20, "GET /orders/%d 200 from 10.0.0.7") + "shutting down\n"
	kept, left := Lines(log, 400)
	for _, want := range []string{"starting up", "×", "connection refused", "shutting down"} {
		if !strings.Contains(kept, want) {
			t.Errorf("%q is missing in\n%s", want, kept)
		}
	}
	if n := strings.Count(kept, "\n") + 1; n > 14 || left == "" {
		t.Errorf("%d rows, left %q", n, left)
	}
	if !strings.HasPrefix(kept, "starting up") || !strings.HasSuffix(kept, "shutting down") {
		t.Errorf("not in the order of the log:\n%s", kept)
	}
}

func TestAnErrorNeverHidesAmongLinesLikeIt(t *testing.T) {
	access := `10.0.0.1 - - "GET /orders/%d HTTP/1.1" `
	log := "first\n" + numbered(300, access+"200 17") + numbered(3, access+"503 9") + numbered(300, access+"200 17") + "last\n"
	kept, _ := Lines(log, 600)
	if !strings.Contains(kept, "503") || !strings.Contains(kept, "×3 ") {
		t.Error(kept)
	}
	ends := "a\nb\nc\n" + strings.Repeat("container ended, exit code 0\n", 50) + "container ended, exit code 137\n" + strings.Repeat("container ended, exit code 0\n", 50)
	if kept, _ := Lines(ends, 600); !strings.Contains(kept, "137") {
		t.Error(kept)
	}
}

func TestLinesAreCleaned(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"colours go":                          {"\x1b[31mred\x1b[0m alert", "red alert"},
		"links go":                            {"\x1b]8;;http://evil\x1b\\here", "here"},
		"NULs go":                             {"a\x00b", "ab"},
		"bytes that are no text go":           {"a\xffb", "ab"},
		"text that turns goes":                {"a\u202eb\u2066c", "abc"},
		"what hides goes":                     {"a\u200bb\ufeffc\U000e0041d", "abcd"},
		"the last state of a progress bar":    {"10%\r50%\r100%", "100%"},
		"Windows line ends":                   {"a\r\nb\r\n", "a\nb"},
		"JSON: what matters first":            {`{"zone":"a","msg":"boom","level":"error","err":"refused","n":3}`, "error boom err=refused n=3 zone=a"},
		"JSON: nothing is lost of nesting":    {`{"msg":"x","http":{"status":500}}`, `x http={"status":500}`},
		"JSON: a stack becomes lines":         {`{"msg":"x","stack":"Error: y\n    at f (a.js:1:2)\n    at g (b.js:3:4)"}`, "x stack=Error: y\n    at f (a.js:1:2)\n    at g (b.js:3:4)"},
		"what is no JSON stays":               {`{"msg":`, `{"msg":`},
		"two objects on a line stay":          {`{"a":1} {"b":2}`, `{"a":1} {"b":2}`},
		"text in other scripts stays":         {"数据库连接失败", "数据库连接失败"},
		"a line separator makes no new line":  {"a\u2028| b", "a | b"},
		"an empty log is nothing":             {"\n \n", ""},
		"an escape at the end does not break": {"a\x1b", "a"},
	} {
		if got, _ := Lines(c.in, 1000); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestALongLineKeepsItsEnds(t *testing.T) {
	got, _ := Lines("begin "+strings.Repeat("x", 100000)+" end", 1000)
	if !strings.HasPrefix(got, "begin ") || !strings.HasSuffix(got, " end") || len(got) > maxLine+10 {
		t.Error(len(got), got)
	}
}

// lineAlphabet makes logs with every shape that the code knows.
var lineAlphabet = []string{"GET /x/%d 200", "error %d: refused", "Traceback (most recent call last):", `  File "a.py", line %d, in f`, "    f()",
	"ValueError: %d", "java.lang.IllegalStateException: %d", "\tat a.b.C.d(C.java:%d)", "Caused by: x", "panic: %d", "goroutine %d [running]:",
	"main.main()", "\t/a/main.go:%d +0x1d", "thread 'main' panicked at a.rs:%d", "stack backtrace:", "   0: std::x", "a b c d e %d", "λόγος %d", "q"}

func drawLog(t *rapid.T) string {
	lines := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
		l := rapid.SampledFrom(lineAlphabet).Draw(t, "line")
		return strings.ReplaceAll(l, "%d", strconv.Itoa(rapid.IntRange(0, 9999).Draw(t, "n")))
	}), 0, 120).Draw(t, "lines")
	return strings.Join(lines, "\n")
}

func TestLinesInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		budget := rapid.IntRange(0, 600).Draw(t, "budget")
		kept, left := Lines(log, budget)
		if n := Tokens(kept); n > budget {
			t.Fatalf("%d tokens of %d", n, budget)
		}
		if again, l := Lines(log, budget); again != kept || l != left {
			t.Fatal("told in two ways")
		}
		all := linesOf(log)
		for line := range strings.SplitSeq(kept, "\n") {
			if !stands(line, all) {
				t.Fatalf("invented: %q", line)
			}
		}
		if len(all) > 0 && budget >= 300 {
			if first := all[0]; !strings.Contains(kept, first) {
				t.Fatalf("the first line %q is missing in\n%s", first, kept)
			}
			if rows, _ := rowsOf(all); !rows[len(rows)-1].trace() && !strings.Contains(kept, all[len(all)-1]) {
				t.Fatal("the last line is missing")
			}
		}
		rows, homeless := rowsOf(all)
		shown, hidden := fit(rows, budget, 0)
		n := homeless
		for _, r := range rows {
			n += r.count * len(r.lines)
		}
		if n != len(all) || len(shown)+len(hidden) != len(rows) {
			t.Fatalf("%d lines in %d, %d and %d rows of %d", n, len(all), len(shown), len(hidden), len(rows))
		}
	})
}

// stands is whether a shown line is one of the log, but for its count and where it was cut.
func stands(line string, all []string) bool {
	if line == "" || strings.HasPrefix(line, ellipsis) && strings.HasSuffix(line, "lines of this trace left out") {
		return true
	}
	if rest, counted := strings.CutPrefix(line, "×"); counted {
		_, line, _ = strings.Cut(rest, " ")
	}
	line = strings.TrimSuffix(line, ellipsis)
	return slices.ContainsFunc(all, func(l string) bool { return strings.HasPrefix(l, line) })
}

func TestTheMinerIsBounded(t *testing.T) {
	m, n := newMiner(), 0
	for i := range 50000 {
		word := strings.Map(func(r rune) rune { return 'g' + r - '0' }, strconv.Itoa(i))
		if m.of(word+" "+word+" "+word, calm) < 0 {
			n++
		}
	}
	if len(m.templates) != maxTemplates || n != 50000-maxTemplates {
		t.Error(len(m.templates), n)
	}
}

func FuzzLines(f *testing.F) {
	for _, l := range lineAlphabet {
		f.Add(l+"\n"+l, 50)
	}
	f.Add("{\"msg\":\"a\\nb\"}\r\x1b[", 3)
	f.Fuzz(func(t *testing.T, text string, budget int) {
		kept, _ := Lines(text, budget)
		if Tokens(kept) > max(0, budget) {
			t.Fatalf("%d tokens of %d: %q", Tokens(kept), budget, kept)
		}
		for line := range strings.SplitSeq(kept, "\n") {
			if Clean(line) != line {
				t.Fatalf("not clean: %q", line)
			}
		}
	})
}

func BenchmarkLines(b *testing.B) {
	line := `2026-11-26T07:12:55.%03dZ info reconciler: reconciled object namespace=shop name=web-%d took=12ms status=200` + "\n"
	var log strings.Builder
	for i := 0; log.Len() < 5<<20; i++ {
		if i%97 == 0 {
			fmt.Fprintf(&log, "2026-11-26T07:12:55.%03dZ error dial tcp 10.0.0.%d:5432: connect: connection refused\n", i%1000, i%255)
			continue
		}
		fmt.Fprintf(&log, line, i%1000, i)
	}
	b.SetBytes(int64(log.Len()))
	for b.Loop() {
		Lines(log.String(), 4000)
	}
}

func BenchmarkLinesJSON(b *testing.B) {
	log := strings.Repeat(`{"ts":"2026-11-26T07:12:55Z","level":"info","msg":"reconciled","namespace":"shop","took":12}`+"\n", 5<<20/93)
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		Lines(log, 4000)
	}
}
