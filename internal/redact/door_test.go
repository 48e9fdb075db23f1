package redact

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func door(t testing.TB) *Door {
	t.Helper()
	d, err := New(Options{Key: bytes.Repeat([]byte{7}, KeyBytes)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func lines(t testing.TB, file string) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, line := range strings.Split(string(b), "\n") {
		if line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}

func TestWhatOperatorsNeedSurvives(t *testing.T) {
	d := door(t)
	for _, line := range lines(t, "survive.txt") {
		if got := d.Text(line); got != line {
			t.Errorf("%s\nbecame\n%s", line, got)
		}
	}
	whole := strings.Join(lines(t, "survive.txt"), "\n")
	if got := d.Text(whole); got != whole {
		t.Error("together, they are changed")
	}
}

func TestWhatIsSecretGoes(t *testing.T) {
	d := door(t)
	for _, line := range lines(t, "mask.txt") {
		text, secret, ok := strings.Cut(line, "\t")
		if !ok || !strings.Contains(text, secret) {
			t.Fatalf("%q is not a text and a secret in it", line)
		}
		got := d.Text(text)
		if strings.Contains(got, secret) || Masked(got) == 0 {
			t.Errorf("%s\nbecame\n%s", text, got)
		}
		if again := d.Text(got); again != got {
			t.Errorf("%s\nbecame, the second time\n%s", got, again)
		}
	}
}

func TestADoorThatIsNotThereLetsNothingThrough(t *testing.T) {
	var d *Door
	if d.Text("hello") != Closed || d.Value("x") != Closed || string(d.Bytes([]byte("hello"))) != Closed || d.Object(map[string]any{"kind": "Pod"})["kind"] != Closed {
		t.Error("something came through")
	}
	if _, err := New(Options{Key: make([]byte, KeyBytes-1)}); err == nil {
		t.Error("a short key is taken")
	}
}

func TestPlaceholdersTellEqualFromDifferent(t *testing.T) {
	d := door(t)
	other, err := New(Options{Key: bytes.Repeat([]byte{8}, KeyBytes)})
	if err != nil {
		t.Fatal(err)
	}
	once, again := d.Value("a"), d.Value("a")
	if once != again || once == d.Value("b") || once == other.Value("a") {
		t.Errorf("%s %s %s %s", once, again, d.Value("b"), other.Value("a"))
	}
	if v := d.Value("a"); d.Value(v) != v || d.Text(v) != v || d.Value("") != "" {
		t.Error("a placeholder is masked again")
	}
}

func TestMailIsMaskedWhereThatIsAskedFor(t *testing.T) {
	d, err := New(Options{Key: bytes.Repeat([]byte{7}, KeyBytes), Mail: true})
	if err != nil {
		t.Fatal(err)
	}
	const line = "mail to ana.lopez@shop.example.com bounced"
	if got := d.Text(line); strings.Contains(got, "ana.lopez") || door(t).Text(line) != line {
		t.Errorf("%s", got)
	}
}

func TestAnyTextComesOutTheSameTheSecondTime(t *testing.T) {
	d := door(t)
	pieces := append(lines(t, "mask.txt"), lines(t, "survive.txt")...)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.SampledFrom(pieces)), 0, 4).Draw(t, "text"), rapid.SampledFrom([]string{" ", "\n", "", ",", `"`}).Draw(t, "joint"))
		once := d.Text(text)
		if twice := d.Text(once); twice != once {
			t.Fatalf("%q\nbecame %q\nand then %q", text, once, twice)
		}
		if utf8.ValidString(text) && !utf8.ValidString(once) {
			t.Fatalf("%q became invalid: %q", text, once)
		}
	})
}

func FuzzText(f *testing.F) {
	d := door(f)
	for _, line := range append(lines(f, "mask.txt"), lines(f, "survive.txt")...) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if out := d.Text(s); utf8.ValidString(s) && !utf8.ValidString(out) {
			t.Fatalf("%q became %q", s, out)
		}
	})
}

func BenchmarkText(b *testing.B) {
	d := door(b)
	for name, file := range map[string]string{"clean": "survive.txt", "dirty": "mask.txt"} {
		text := strings.Repeat(strings.Join(lines(b, file), "\n")+"\n", 20)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				d.Text(text)
			}
		})
	}
}
