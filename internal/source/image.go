package source

import (
	"strings"
)

// Part is the part of a rendered value that one scalar of the source makes.
type Part string

// The parts of a value.
const (
	WholeValue  Part = ""
	ImageName   Part = "name"   // kustomize's images: newName
	ImageTag    Part = "tag"    // newTag
	ImageDigest Part = "digest" // digest
)

// image is the reference of a container image in its parts.
type image struct {
	name, tag, digest string
}

func parseImage(s string) image {
	var i image
	s, i.digest, _ = strings.Cut(s, "@")
	if at := strings.LastIndexByte(s, ':'); at > strings.LastIndexByte(s, '/') {
		return image{name: s[:at], tag: s[at+1:], digest: i.digest}
	}
	i.name = s
	return i
}

func (i image) String() string {
	s := i.name
	if i.tag != "" {
		s += ":" + i.tag
	}
	if i.digest != "" {
		s += "@" + i.digest
	}
	return s
}

// part returns a part of the image, for reading and for writing.
func (i *image) part(p Part) *string {
	switch p {
	case ImageName:
		return &i.name
	case ImageTag:
		return &i.tag
	case ImageDigest:
		return &i.digest
	}
	return nil
}

// replaced is the value with one part replaced by text.
func replaced(value any, p Part, text any) any {
	was, isText := value.(string)
	now, textToo := text.(string)
	if p == WholeValue || !isText || !textToo {
		return text
	}
	i := parseImage(was)
	*i.part(p) = now
	return i.String()
}

// partOf is what a part of a value must become so that the value becomes another. It is refused where other parts would
// have to change too: a new tag of the same image is a new tag, and a tag of another image is not.
func partOf(was, want any, p Part) (any, error) {
	if p == WholeValue {
		return want, nil
	}
	text, isText := want.(string)
	if !isText {
		return nil, refuse(NotScalar, "an image is text")
	}
	i := parseImage(text)
	part := *i.part(p)
	if part == "" || !same(replaced(was, p, part), want) {
		return nil, refuse(Composite, "the %s of the image stands alone in Git, and more than that would have to change", p)
	}
	return part, nil
}
