package main

import (
	"bufio"
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"moorgate.dev/internal/redact"
)

// sinks are the functions and methods by which text leaves, by their names alone: one that is called the same and is none is
// registered as "none".
var sinks = []string{"Eventf", "WithLabelValues", "SetAttributes", "PutBlob", "PushContext", "WriteFile", "Append", "Do", "Create", "CreateBlob", "CreateComment", "CreateCommit", "Edit", "PostMessageContext", "UpdateMessageContext", "PostEphemeralContext", "Update", "Patch", "Apply",
	"Fprint", "Fprintf", "Fprintln", "Encode", "Debug", "Info", "Warn", "Error", "DebugContext", "InfoContext", "WarnContext", "ErrorContext", "Denied", "Allowed"}

// sources are the names by which text of strangers comes in.
var sources = []string{"GetLogs", "LastTerminationState", "EventList"}

const channelsFile = "internal/redact/testdata/channels.txt"

// TestL17EveryChannelIsRegistered finds every place where text leaves Moorgate or comes in, and wants each to be registered with its channel.
// Elsewhere what was to take out secrets skipped events, pods and logs.
func TestL17EveryChannelIsRegistered(t *testing.T) {
	registered := registeredChannels(t)
	found := map[string]token.Position{}
	forEachFile(t, func(file string, f *ast.File, at func(token.Pos) token.Position) {
		if strings.HasPrefix(file, "test/") {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains(sinks, s.Sel.Name) && len(n.Args) > 0 { // an error's own Error() takes nothing
					found[path.Dir(file)+" "+s.Sel.Name] = at(s.Pos())
				}
			case *ast.SelectorExpr:
				if slices.Contains(sources, n.Sel.Name) {
					found[path.Dir(file)+" "+n.Sel.Name] = at(n.Pos())
				}
			}
			return true
		})
	})
	for _, use := range slices.Sorted(maps.Keys(found)) {
		if _, ok := registered[use]; !ok {
			t.Errorf("%s: text may leave or come in here by %q, and %s does not say on which channel: see that it passes the door (package redact), and add the line\n%s CHANNEL", found[use], use, channelsFile, use)
		}
	}
	used := map[string]bool{"none": true}
	for use, channel := range registered {
		if _, ok := found[use]; !ok {
			t.Errorf("%s: nothing is called by %q any more: take the line out", channelsFile, use)
		}
		if channel != "none" && !slices.ContainsFunc(redact.Channels, func(c redact.Channel) bool { return c.ID == channel }) {
			t.Errorf("%s: %q is none of redact.Channels", channelsFile, channel)
		}
		used[channel] = true
	}
	for _, c := range redact.Channels {
		if !used[c.ID] || c.Doc == "" || c.Guard == "" {
			t.Errorf("channel %s is used nowhere, or nothing says what guards it", c.ID)
		}
	}
}

// registeredChannels are the lines "PACKAGE FUNCTION CHANNEL" of the file.
func registeredChannels(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open(channelsFile)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	all := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		parts := strings.Fields(lines.Text())
		if len(parts) == 0 || strings.HasPrefix(parts[0], "#") {
			continue
		}
		if len(parts) != 3 {
			t.Fatalf("%s: %q is not of the form PACKAGE FUNCTION CHANNEL", channelsFile, lines.Text())
		}
		all[fmt.Sprintf("%s %s", parts[0], parts[1])] = cmp.Or(parts[2], "none")
	}
	return all
}
