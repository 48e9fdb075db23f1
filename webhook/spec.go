package webhook

import "bytes"

// specIn finds the spec in the JSON of an object without reading the object: it is asked about every update, and most of those change
// nothing else. What it finds is good for being compared alone. It finds nothing where the spec is not there exactly once, plainly
// written, or where what it was given is no object; whether it is JSON throughout it does not tell.
func specIn(raw []byte) (spec []byte) {
	depth, from := 0, -1
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '{', '[':
			if depth++; depth == 1 && raw[i] == '[' {
				return nil
			}
		case '}', ']', ',':
			if depth == 1 && from >= 0 {
				spec, from = raw[from:i], -1
			}
			if raw[i] != ',' {
				if depth--; depth == 0 {
					return spec
				}
			}
		case '"':
			end := endOfText(raw, i)
			if end < 0 {
				return nil
			}
			text := raw[i+1 : end]
			if i = end; depth != 1 || i+1 >= len(raw) || raw[i+1] != ':' {
				continue
			}
			if bytes.IndexByte(text, '\\') >= 0 { // it may be the spec, written in another way
				return nil
			}
			if string(text) == "spec" {
				if spec != nil {
					return nil
				}
				from = i + 2
			}
		}
	}
	return nil
}

// endOfText is where the quotes end that begin at a place; below 0 where they do not.
func endOfText(raw []byte, at int) int {
	for i := at + 1; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}
