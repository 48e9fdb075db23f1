// Package markdown writes texts that anybody may have made up into Markdown that GitHub shows, so that they stay texts: no link,
// mention, image, HTML, or end of a table or of a line.
//
// It takes no secrets out: that is for the door (package redact), before.
package markdown

import (
	"html"
	"regexp"
	"strings"

	"moorgate.dev/internal/gate"
)

// What GitHub makes of a comment is decided twice: once by Markdown, and once more on the text that comes out of it, where
// @name calls somebody and #1 links an issue however it was escaped. Only code is left alone both times. So a word that is
// nothing but letters or a number stays as it is, and every other one, which is where names and images are, stands as code.

// Most is how many bytes of a text Prose keeps, before they are escaped.
const Most = 400

// What follows tells the words that mean nothing to Markdown or to GitHub.
var (
	plainWord = regexp.MustCompile(`^(?:[A-Za-z]+(?:-[A-Za-z]+)*(?:'[a-z]{1,2})?|[0-9]{1,6}%?|—)$`)
	// commit is what GitHub would look up as one.
	commit = regexp.MustCompile(`^[0-9a-fA-F]{7,}$`)
	// around is punctuation that may stand around a word, whatever is in it.
	around = regexp.MustCompile(`^(\(?)(.*?)([),.;:]*)$`)
)

// Prose is a text that anybody may have written, as one line of Markdown: no link, mention, image, HTML or end of anything.
func Prose(text string) string {
	var out, strange []string
	flush := func(before, after string) {
		if len(strange) > 0 {
			out = append(out, before+Code(strings.Join(strange, " "))+after)
		}
		strange = nil
	}
	for word := range strings.FieldsSeq(gate.OneLine(text, Most)) {
		parts := around.FindStringSubmatch(word)
		if bare := parts[2]; bare == "" || (plainWord.MatchString(bare) && !commit.MatchString(bare)) {
			flush("", "")
			out = append(out, plainly(word, parts))
			continue
		}
		if parts[1]+parts[3] == "" {
			strange = append(strange, word)
			continue
		}
		if parts[1] != "" {
			flush("", "")
		}
		strange = append(strange, parts[2])
		flush(parts[1], parts[3])
	}
	flush("", "")
	return strings.Join(out, " ")
}

// plainly is a word that needs no code. Punctuation alone could be the mark of a list or a face, and becomes code too.
func plainly(word string, parts []string) string {
	if parts[2] == "" {
		return Code(word)
	}
	return word
}

// Code is a text as code in Markdown. The fence is longer than any run of backticks in it, so nothing in it ends it.
func Code(text string) string {
	longest, run := 0, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " " // Markdown takes these out again
	}
	return fence + text + fence
}

// Cell is code in a cell of a table, where a bar would begin the next one even inside of code.
func Cell(text string, limit int) string {
	return Code(strings.ReplaceAll(gate.OneLine(text, limit), "|", "¦"))
}

// HTML is code where Markdown is not read: inside of a line of HTML.
func HTML(text string, limit int) string {
	return "<code>" + html.EscapeString(gate.OneLine(text, limit)) + "</code>"
}
