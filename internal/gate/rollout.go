package gate

import "time"

// Rollout is what became of a rollout that was let in, beside what was said of it then.
type Rollout struct {
	Said string `json:"said"` // the answer: Admitted, Warned or SlippedThrough
	// Outcome is a word from the closed list RolloutOutcomes.
	Outcome    string    `json:"outcome"`
	Decision   string    `json:"decision"` // of the verdict that was answered with
	Score      Fact[int] `json:"score"`
	Confidence Fact[int] `json:"confidence"`
	Template   string    `json:"template"`         // its hash
	Images     []string  `json:"images,omitempty"` // that its pods ran, by digest where one is known
	// After is how long after it was let in this was seen.
	After time.Duration `json:"after"`
}

// What may become of a rollout.
const (
	RolloutAvailable        = "Available"        // every pod of it was available, and so it stayed for a while
	RolloutDeadlineExceeded = "DeadlineExceeded" // its controller gave up waiting
	RolloutCrashed          = "Crashed"          // its containers end again and again
	RolloutOutOfMemory      = "OutOfMemory"      // the same, for want of memory
	RolloutImagePull        = "ImagePull"        // its image cannot be pulled
	RolloutRolledBack       = "RolledBack"       // an earlier revision took its place
	RolloutSuperseded       = "Superseded"       // a newer template took its place before anything could be said
	RolloutGone             = "Gone"             // the workload went away
	RolloutUnknown          = "Unknown"          // nobody could say in time
)

// RolloutOutcomes are all of them.
func RolloutOutcomes() []string {
	return []string{RolloutAvailable, RolloutDeadlineExceeded, RolloutCrashed, RolloutOutOfMemory, RolloutImagePull, RolloutRolledBack,
		RolloutSuperseded, RolloutGone, RolloutUnknown}
}

// RolloutFailed reports whether the outcome is a failure. What is Superseded, Gone or Unknown is neither that nor a success.
func RolloutFailed(outcome string) bool {
	switch outcome {
	case RolloutDeadlineExceeded, RolloutCrashed, RolloutOutOfMemory, RolloutImagePull, RolloutRolledBack:
		return true
	}
	return false
}
