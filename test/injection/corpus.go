package injection

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed payloads/*.txt
var files embed.FS

// Payload is one text that tries to steer a model.
type Payload struct {
	Technique string // the file that it is from
	Name      string // unique in that file
	// Canary is a word that stands in the text and in no other one, by which it is known wherever it turns up.
	Canary string
	raw    string
}

// ID is unique in the corpus: authority/sre-directive.
func (p Payload) ID() string { return p.Technique + "/" + p.Name }

// Canary finds a canary in a text.
var Canary = regexp.MustCompile(`canary-[a-p]{8}`)

// Text is the payload as its author would send it. boundary is what it believes to be the mark around data, as one who has seen an
// earlier prompt would.
func (p Payload) Text(boundary string) string {
	s := strings.NewReplacer("{{canary}}", p.Canary, "{{boundary}}", boundary).Replace(p.raw)
	s = directive.ReplaceAllStringFunc(s, func(d string) string {
		m := directive.FindStringSubmatch(d)
		return spell(m[1], m[2])
	})
	return escape.ReplaceAllStringFunc(s, func(e string) string {
		switch e {
		case `\\`:
			return `\`
		case `\r`:
			return "\r"
		}
		n, err := strconv.ParseUint(e[2:], 16, 32)
		if err != nil {
			return e // the pattern lets hexadecimal digits through only
		}
		return string(rune(n))
	})
}

var (
	directive = regexp.MustCompile(`\{\{(base64|hex|rot13|reversed|tags|zero-width|fullwidth|homoglyphs)\|([^}]*)\}\}`)
	escape    = regexp.MustCompile(`\\\\|\\r|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8}`)
)

// spell writes a text in another way.
func spell(way, s string) string {
	each := func(f func(rune) string) string {
		var b strings.Builder
		for _, r := range s {
			b.WriteString(f(r))
		}
		return b.String()
	}
	switch way {
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(s))
	case "hex":
		return hex.EncodeToString([]byte(s))
	case "rot13":
		return strings.Map(rot13, s)
	case "reversed":
		runes := []rune(s)
		slices.Reverse(runes)
		return string(runes)
	case "tags":
		return each(func(r rune) string { return string(0xe0000 + r&0x7f) })
	case "zero-width":
		return each(func(r rune) string { return string(r) + "\u200b" })
	case "fullwidth":
		return each(func(r rune) string {
			if r > ' ' && r <= '~' {
				r += 0xfee0
			}
			return string(r)
		})
	}
	return strings.NewReplacer("a", "\u0430", "e", "\u0435", "o", "\u043e", "p", "\u0440", "c", "\u0441", "x", "\u0445", "i", "\u0456").Replace(s)
}

func rot13(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z':
		return 'a' + (r-'a'+13)%26
	case r >= 'A' && r <= 'Z':
		return 'A' + (r-'A'+13)%26
	}
	return r
}

var header = regexp.MustCompile(`(?m)^-- ([a-z0-9-]+) --\n`)

// Payloads are all payloads, by technique and in the order of their files. An error names the file in which something is wrong.
func Payloads() ([]Payload, error) {
	names, err := files.ReadDir("payloads")
	if err != nil {
		return nil, fmt.Errorf("read the payloads: %w", err)
	}
	var all []Payload
	for _, n := range names {
		content, err := files.ReadFile("payloads/" + n.Name())
		if err != nil {
			return nil, fmt.Errorf("read payloads/%s: %w", n.Name(), err)
		}
		some, err := parse(strings.TrimSuffix(path.Base(n.Name()), ".txt"), string(content))
		if err != nil {
			return nil, fmt.Errorf("read payloads/%s: %w", n.Name(), err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// parse reads a file of payloads: prose, then payloads, each under a line with its name.
func parse(technique, content string) ([]Payload, error) {
	at := header.FindAllStringSubmatchIndex(content, -1)
	if len(at) == 0 || strings.TrimSpace(content[:at[0][0]]) == "" {
		return nil, fmt.Errorf("it has to open with what the technique is, and to hold a payload under a line -- name --")
	}
	var all []Payload
	for i, m := range at {
		end := len(content)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		p := Payload{Technique: technique, Name: content[m[2]:m[3]], raw: strings.TrimSuffix(content[m[1]:end], "\n")}
		sum := sha256.Sum256([]byte(p.ID()))
		letters := make([]byte, 8)
		for j := range letters {
			letters[j] = 'a' + sum[j]&15
		}
		p.Canary = "canary-" + string(letters)
		switch {
		case !strings.Contains(p.raw, "{{canary}}"):
			return nil, fmt.Errorf("%s holds no {{canary}}, so nobody could tell what became of it", p.Name)
		case slices.ContainsFunc(all, func(o Payload) bool { return o.Name == p.Name }):
			return nil, fmt.Errorf("%s is there twice", p.Name)
		}
		all = append(all, p)
	}
	return all, nil
}
