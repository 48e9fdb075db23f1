package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// report prints what became of the mutants and returns how many survive. What is listed and does not survive counts as a
// survivor, where all were tried: the list must not grow old.
func report(all []mutant, fates []fate, listed map[string]bool, whole bool) int {
	count := map[fate]int{}
	used := map[string]bool{}
	for i, m := range all {
		if fates[i] == survived && listed[m.key()] {
			fates[i] = equivalent
			used[m.key()] = true
		}
		if count[fates[i]]++; fates[i] == survived {
			fmt.Printf("survivor %s\n%s\n", m.place(), m.key())
		}
	}
	for k := range listed {
		if whole && !used[k] {
			count[survived]++
			fmt.Printf("listed as equivalent, and noticed or gone:\n%s\n", k)
		}
	}
	fmt.Printf("%d of %d mutants are noticed; %d more make no difference\n", count[noticed], count[noticed]+count[survived], count[equivalent])
	return count[survived]
}

// key is what equivalent.txt calls a mutant: by its file, the text of its line and the change, because lines move.
func (m mutant) key() string {
	text, _ := os.ReadFile(m.file)
	lines := strings.Split(string(text), "\n")
	return strings.Join([]string{filepath.Base(m.file), strings.TrimSpace(lines[m.line-1]), m.what}, "\t")
}

// readEquivalent reads the mutants that make no difference: file, line, change and reason, between tabs, one a line.
func readEquivalent(path string) (map[string]bool, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{}
	for line := range bytes.Lines(content) {
		text := strings.TrimSpace(string(line))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		i := strings.LastIndex(text, "\t")
		if parts := strings.Split(text, "\t"); len(parts) != 4 || parts[3] == "" {
			return nil, fmt.Errorf("%s: not a file, a line, a change and a reason: %s", path, text)
		}
		listed[text[:i]] = true
	}
	return listed, nil
}
