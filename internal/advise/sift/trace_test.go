package sift

import (
	"fmt"
	"strings"
	"testing"
)

// traces are one of each runtime; each is told whole.
var traces = map[string]string{
	"JVM": "java.lang.IllegalStateException: no context\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)\nCaused by: java.sql.SQLException: denied\n\tat x.Y.z(Y.java:3)\n\t... 12 more",
	".NET": "System.InvalidOperationException: x\n ---> System.Net.Sockets.SocketException (111): refused\n   at A.B() in /src/A.cs:line 3\n   --- End of inner exception stack trace ---\n" +
		"   at A.C() in /src/A.cs:line 9",
	"Node":   "TypeError: x is not a function\n    at f (/app/a.js:1:2)\n    at async g (/app/b.js:3:4)",
	"Python": "Traceback (most recent call last):\n  File \"/a.py\", line 3, in f\n    g()\nKeyError: 'x'\nDuring handling of the above exception, another exception occurred:\nTraceback (most recent call last):\n  File \"/a.py\", line 5, in h\n    raise V\nValueError: y",
	"Go":     "panic: runtime error: index out of range\ngoroutine 1 [running]:\nmain.f(0x1)\n\t/a/main.go:3 +0x1d\nmain.main()\n\t/a/main.go:9 +0x2d\nexit status 2",
	"Ruby":   "a.rb:3:in `f': boom (RuntimeError)\n\tfrom a.rb:9:in `g'\n\tfrom a.rb:12:in `<main>'",
	"Rust":   "thread 'main' panicked at src/main.rs:3:5:\nboom\nstack backtrace:\n   0: std::panicking\n             at /rustc/x\n   1: main::f\nnote: run with more",
}

func TestTracesAreKeptWhole(t *testing.T) {
	for name, trace := range traces {
		lines := linesOf("before it\n" + trace + "\nafter it\n")
		if end := traceEnd(lines, 1); end != len(lines)-1 {
			t.Errorf("%s: ends at %d of %d: %q", name, end, len(lines)-1, lines[1:end])
		}
		stamped := linesOf("2026-11-26T07:00:00.1Z x\n2026-11-26T07:00:00.1Z " + strings.ReplaceAll(trace, "\n", "\n2026-11-26T07:00:00.2Z ") + "\nend")
		if end := traceEnd(stamped, 1); end != len(stamped)-1 {
			t.Errorf("%s, with times: ends at %d of %d", name, end, len(stamped)-1)
		}
	}
}

func TestATraceThatRepeatsIsToldOnce(t *testing.T) {
	log := "start\n" + strings.Repeat("request failed\n"+traces["JVM"]+"\n", 30) + "end\n"
	kept, _ := Lines(log, 2000)
	if n := strings.Count(kept, "Caused by"); n != 1 || !strings.Contains(kept, "×30 ") {
		t.Errorf("%d times:\n%s", n, kept)
	}
}

func TestADeepTraceIsCutInItsMiddleAndSaysSo(t *testing.T) {
	var b strings.Builder
	b.WriteString("java.lang.Error: deep\n")
	for i := range 300 {
		fmt.Fprintf(&b, "\tat a.B.m%d(B.java)\n", i)
		if i == 150 {
			b.WriteString("Caused by: java.io.IOException: disk full\n")
		}
	}
	kept, _ := Lines("start\n"+b.String()+"end\n", 3000)
	for _, want := range []string{"java.lang.Error: deep", "a.B.m0(", "a.B.m299(", "Caused by: java.io.IOException: disk full", "lines of this trace left out"} {
		if !strings.Contains(kept, want) {
			t.Errorf("%q is missing in\n%s", want, kept)
		}
	}
	if n := strings.Count(kept, "\n"); n > 50 {
		t.Errorf("%d lines", n)
	}
}
