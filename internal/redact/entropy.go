package redact

import (
	"encoding/base64"
	"math"
	"regexp"
	"strings"
)

// The second net masks long runs of characters that are too random for words, whatever stands around them.
const (
	randomLeast = 20  // characters
	randomBits  = 3.6 // of Shannon entropy a character, where upper case, lower case and digits are mixed
)

// runs are the stretches of characters that a random value may be made of.
func runs(s string) [][2]int {
	var all [][2]int
	from := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && ofRun[s[i]] {
			continue
		}
		if i-from >= randomLeast {
			all = append(all, [2]int{from, i})
		}
		from = i + 1
	}
	return all
}

var ofRun = func() (of [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_=~!*^$%-") {
		of[c] = true
	}
	return of
}()

// The forms that operators need, and that no secret has by design: hexadecimal digests and ids, UIDs, names of objects.
var (
	hexadecimal = regexp.MustCompile(`^(?:0x)?(?:[0-9a-f]+|[0-9A-F]+)$`)
	legible     = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|\b(?:[0-9a-f]{8,}|[0-9A-F]{8,})\b`)
	shouts      = regexp.MustCompile(`[A-Z]{2,}`)
	digits      = regexp.MustCompile(`^[0-9_.-]+$`)
)

func (d *Door) entropy(s string) string {
	if len(s) < randomLeast {
		return s
	}
	at := runs(s)
	if len(at) == 0 {
		return s
	}
	var out strings.Builder
	last := 0
	for _, m := range at {
		v := s[m[0]:m[1]]
		if strings.HasPrefix(s[m[0]:], "[") || !d.random(v) && !d.encoded(v) {
			continue
		}
		out.WriteString(s[last:m[0]])
		out.WriteString(d.Value(v))
		last = m[1]
	}
	if last == 0 {
		return s
	}
	out.WriteString(s[last:])
	return out.String()
}

// random is whether a run is too random for words, once what operators need is taken out of it.
func (d *Door) random(v string) bool {
	v = legible.ReplaceAllString(v, "/")
	for _, part := range strings.FieldsFunc(v, func(r rune) bool { return r == '/' || r == '=' || r == '%' || r == '$' || r == '~' }) {
		if randomPart(part) {
			return true
		}
	}
	return strings.Contains(v, "/") && !looksLikePath(v) && randomPart(strings.NewReplacer("/", "", "=", "").Replace(v))
}

func randomPart(v string) bool {
	if len(v) < randomLeast || hexadecimal.MatchString(v) || digits.MatchString(v) {
		return false
	}
	upper, lower, digit, turns := classes(v)
	switch {
	case upper+lower == 0, digit == 0 && lower == 0:
		return false
	case digit == 0:
		return len(shouts.FindAllString(v, -1)) >= 3 && bits(v) > randomBits
	case wordy(v):
		return false
	case upper == 0 || lower == 0: // one case and digits: base32 and the like; names are made of words and short suffixes
		return turns*3 > len(v) && bits(v) > randomBits && len(v) >= 24
	}
	return bits(v) > randomBits
}

// classes counts what a run is made of, and how often it changes from one class to another.
func classes(v string) (upper, lower, digit, turns int) {
	last := byte(0)
	for i := range len(v) {
		class := byte(0)
		switch c := v[i]; {
		case c >= 'A' && c <= 'Z':
			upper, class = upper+1, 'u'
		case c >= 'a' && c <= 'z':
			lower, class = lower+1, 'l'
		case c >= '0' && c <= '9':
			digit, class = digit+1, 'd'
		}
		if class != 0 && last != 0 && class != last {
			turns++
		}
		if class != 0 {
			last = class
		}
	}
	return upper, lower, digit, turns
}

// wordy is whether a run is made of words: names of classes, objects and files, with numbers here and there.
func wordy(v string) bool {
	_, _, _, turns := classes(v)
	parts := strings.FieldsFunc(v, func(r rune) bool { return r == '-' || r == '_' || r == '.' || r == '$' || r == '+' || r == '~' })
	longest := 0
	for _, p := range parts {
		longest = max(longest, len(p))
	}
	return turns*4 <= len(v) || len(parts) > 2 && longest <= 16 && turns*3 <= len(v) || longest < 12
}

func looksLikePath(v string) bool {
	parts := strings.Split(v, "/")
	for _, p := range parts {
		if len(p) > 0 && !wordy(p) && len(p) >= 12 {
			return false
		}
	}
	return len(parts) > 2
}

// bits is the Shannon entropy of a run in bits a character.
func bits(v string) float64 {
	var count [256]int
	for i := range len(v) {
		count[v[i]]++
	}
	sum := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(v))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// encoded is whether a run is base64 of a text in which a pattern finds something.
func (d *Door) encoded(v string) bool {
	if len(v) > 1<<16 {
		return false
	}
	clear := strings.TrimRight(v, "=")
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		b, err := e.DecodeString(clear)
		if err != nil || !printable(b) {
			continue
		}
		text := string(b)
		if d.patterns(text) != text {
			return true
		}
	}
	return false
}

// patterns is a text without what a pattern knows.
func (d *Door) patterns(s string) string {
	for _, known := range [][]family{blocks, families} {
		for i := range known {
			s = d.apply(&known[i], s)
		}
	}
	return s
}

func printable(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return len(b) > 0
}
