//go:build !linux

package process

// listens: only Linux tells whose a listener is, without a tool.
func listens(int, string) error { return nil }
