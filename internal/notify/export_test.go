package notify

import "time"

// SetTimeout has tests not wait as long as people.
func SetTimeout(f *Flux, d time.Duration) { f.client.Timeout = d }
