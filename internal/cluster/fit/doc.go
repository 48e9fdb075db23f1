// Package fit says which nodes a pod may go to, and why it is on none: what the scheduler weighs, worked out again from what the
// API shows, so that the number that decides can be told.
//
// It is pure: no client, no clock, no context. It never says that a pod will be scheduled.
package fit
