package app

import (
	"context"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"

	"moorgate.dev/internal/gate"
)

// logLines is how many lines of a log are read at most, from its end.
const logLines = 2000

// logsOf reads the ends of containers' logs.
func logsOf(c kubernetes.Interface) func(ctx context.Context, pod gate.Ref, container string, previous bool, bytes int64) ([]byte, error) {
	return func(ctx context.Context, pod gate.Ref, container string, previous bool, bytes int64) ([]byte, error) {
		lines := int64(logLines)
		stream, err := c.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{Container: container, Previous: previous, TailLines: &lines}).Stream(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the log of %s: %w", pod, err)
		}
		defer func() { _ = stream.Close() }()
		return tail(stream, bytes)
	}
}

// tailMost is how much of a log is read to find its end.
const tailMost = 8 << 20

// tail is the end of a stream.
func tail(r io.Reader, n int64) ([]byte, error) {
	all, err := io.ReadAll(io.LimitReader(r, tailMost))
	if err != nil {
		return nil, fmt.Errorf("read a log: %w", err)
	}
	return all[max(0, int64(len(all))-n):], nil
}
