package app

import (
	"context"
	"errors"
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

// tail is the end of a stream, at most n bytes of it. It keeps no more than twice that in memory, however long the stream is.
func tail(r io.Reader, n int64) ([]byte, error) {
	var kept []byte
	part := make([]byte, 32<<10)
	for {
		m, err := r.Read(part)
		kept = append(kept, part[:m]...)
		if over := int64(len(kept)) - n; over > n || over > 0 && err != nil {
			kept = append(kept[:0], kept[over:]...)
		}
		if errors.Is(err, io.EOF) {
			return kept, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read a log: %w", err)
		}
	}
}
