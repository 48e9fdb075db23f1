package app

import (
	"encoding/json"
	"fmt"
	"strings"

	"moorgate.dev/internal/cluster"
)

// pauseReport is what pause prints as JSON.
type pauseReport struct {
	Paused        []pausedRail `json:"paused"`
	Reason        string       `json:"reason"`
	StillRefusing []string     `json:"stillRefusing,omitempty"` // Guardrails that go on refusing rollouts
	Resume        string       `json:"resume"`                  // the command that undoes it
}

type pausedRail struct {
	Guardrail  string `json:"guardrail"`
	Everything bool   `json:"everything,omitempty"` // in every namespace
	Already    bool   `json:"already,omitempty"`    // it was paused for this reason before
}

// resumeReport is what resume prints as JSON.
type resumeReport struct {
	Resumed     []resumedRail `json:"resumed"`
	StillPaused []stillPaused `json:"stillPaused,omitempty"`
}

type resumedRail struct {
	Guardrail  string   `json:"guardrail"`
	Everything bool     `json:"everything,omitempty"`
	Removed    []string `json:"removed,omitempty"`
	Left       []string `json:"left,omitempty"`
}

type stillPaused struct {
	Guardrail string   `json:"guardrail"`
	Reasons   []string `json:"reasons"`
}

// print writes a report, as text only where there is something to tell.
func (p pauses) print(report fmt.Stringer, tell bool) error {
	text := report.String()
	if p.output == "json" {
		content, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			return fmt.Errorf("print the result: %w", err)
		}
		text, tell = string(content)+"\n", true
	}
	if !tell {
		return nil
	}
	if _, err := fmt.Fprint(p.out, text); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

func (r pauseReport) String() string {
	var b strings.Builder
	everything := false
	for _, rail := range r.Paused {
		everything = everything || rail.Everything
		what := "what Guardrail " + shown(rail.Guardrail) + " applies to"
		if rail.Everything {
			what = "everything, in every namespace (Guardrail " + cluster.PauseName + ")"
		}
		if rail.Already {
			what += ", as it was already"
		}
		fmt.Fprintf(&b, "paused     %s\n", what)
	}
	fmt.Fprintf(&b, "because    %s\n", shown(r.Reason))
	b.WriteString("stopped    live actions, pull requests and annotations on rollouts, within seconds; what was sent already is not taken back\n")
	b.WriteString("goes on    judging, Cases, the audit log, and the answers to rollouts\n")
	if !everything {
		b.WriteString("           what these Guardrails would refuse is let in with a warning\n")
	}
	if len(r.StillRefusing) > 0 {
		names := shown(strings.Join(r.StillRefusing, " "))
		fmt.Fprintf(&b, "refuses    rollouts as before: %s (pause them by name to let everything in)\n", names)
	}
	fmt.Fprintf(&b, "to go on   %s\n", r.Resume)
	return b.String()
}

func (r resumeReport) String() string {
	var b strings.Builder
	for _, rail := range r.Resumed {
		what := "Guardrail " + shown(rail.Guardrail)
		if rail.Everything {
			what = "everything"
		}
		switch {
		case len(rail.Removed) > 0:
			fmt.Fprintf(&b, "resumed    %s, which was paused for: %s\n", what, shown(strings.Join(rail.Removed, "; ")))
		case len(rail.Left) > 0:
			fmt.Fprintf(&b, "unchanged  %s is not paused for this reason\n", what)
		default:
			fmt.Fprintf(&b, "unchanged  %s was not paused\n", what)
		}
	}
	for _, s := range r.StillPaused {
		command := "moorgate resume " + s.Guardrail
		if s.Guardrail == cluster.PauseName {
			command = "moorgate resume"
		}
		fmt.Fprintf(&b, "paused     %s: %s (%s)\n", shown(s.Guardrail), shown(strings.Join(s.Reasons, "; ")), shown(command))
	}
	return b.String()
}

// resumeCommand is the command that undoes a pause.
func (p pauses) resumeCommand(names []string) string {
	return shown(strings.Join(append([]string{"moorgate resume --reason", quoted(p.reason)}, names...), " "))
}

// quoted is a word as a shell takes it literally.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
