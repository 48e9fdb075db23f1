package gate

import "time"

// Direction is which way a drift may be settled. The zero Direction only reports it.
type Direction int

// The directions, most careful first.
const (
	DirectionReport Direction = iota // tell people
	DirectionRevert                  // tell people, with what it takes to go back to Git
	DirectionAdopt                   // propose to Git what the cluster says, too
)

var directionNames = [...]string{"Report", "Revert", "Adopt"}

func (d Direction) String() string { return nameOf(directionNames[:], int(d)) }

// MarshalText writes the direction's name.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a direction's name; an unknown one reads as Report.
func (d *Direction) UnmarshalText(b []byte) error {
	*d = Direction(indexOf(directionNames[:], string(b)))
	return nil
}

// Settling is what a Guardrail says about drift. The zero Settling has it reported, and nothing else.
type Settling struct {
	Direction Direction `json:"direction"`
	// Any lets whatever may be adopted be proposed to Git, and not an emergency fix alone.
	Any bool `json:"any,omitempty"`
	// HoldFor is for how long who delivers an object may be kept from undoing its drift while people decide, once one of them has
	// approved that; 0: not at all.
	HoldFor time.Duration `json:"holdFor,omitempty"`
}

// CauseEmergency is what a drift looks like that somebody made to end an incident.
const CauseEmergency = "emergency-fix"

// Direction is the most careful direction of all Guardrails that apply; without any it is Report.
func (p Policy) Direction() Direction {
	if len(p.Rails) == 0 {
		return DirectionReport
	}
	all := DirectionAdopt
	for _, r := range p.Rails {
		if r.Drift.Direction < DirectionReport || r.Drift.Direction > DirectionAdopt {
			return DirectionReport
		}
		all = min(all, r.Drift.Direction)
	}
	return all
}
