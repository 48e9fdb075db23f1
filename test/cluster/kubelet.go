package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const followEvery = 100 * time.Millisecond

// kubelet is what the API server finds at the address of every simulated node: logs of containers. KWOK plays the rest of a kubelet,
// and could serve logs only as files that are named before it starts. It listens on loopback and asks nobody who they are, as KWOK
// does.
type kubelet struct {
	port   int
	server *http.Server
}

func (k *kubelet) stop() { _ = k.server.Close() } // what it serves is about to be thrown away

// startKubelet listens; what it serves is that of this cluster.
func (c *Cluster) startKubelet() (*kubelet, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return nil, fmt.Errorf("listen as a kubelet: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(c.dir.file("serving.crt"), c.dir.file("serving.key"))
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("read the kubelet's certificate: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", c.serveLog)
	c.routeUsage(mux)
	k := &kubelet{port: listener.Addr().(*net.TCPAddr).Port, server: &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}}}
	go func() { _ = k.server.ServeTLS(listener, "", "") }() // it ends when the cluster is stopped
	return k, nil
}

// serveLog answers as a kubelet does, also where there is nothing to show.
func (c *Cluster) serveLog(w http.ResponseWriter, r *http.Request) {
	o, err := logOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	namespace, pod, container := r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container")
	found, err := c.client.CoreV1().Pods(namespace).Get(r.Context(), pod, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		http.Error(w, fmt.Sprintf("pod %q does not exist", pod), http.StatusNotFound)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	before, err := runOf(found, container, o.Previous)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	lines := func() []line { return c.logs.of(namespace, pod, container, before) }
	all := lines()
	o.write(w, all)
	if o.Follow {
		o.follow(r.Context(), w, lines, len(all))
	}
}

// runOf says whether the log that is asked for is of the run before the last restart, or why there is none. A container that waits
// to be started again shows its last run.
func runOf(pod *corev1.Pod, container string, previous bool) (before bool, err error) {
	var s corev1.ContainerStatus
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses, pod.Status.EphemeralContainerStatuses} {
		for _, x := range list {
			if x.Name == container {
				s = x
			}
		}
	}
	ended, waits := s.LastTerminationState.Terminated != nil, s.State.Waiting
	switch {
	case s.Name == "":
		return false, fmt.Errorf("container %q in pod %q is not available", container, pod.Name)
	case previous && !ended:
		return false, fmt.Errorf("previous terminated container %q in pod %q not found", container, pod.Name)
	case previous, ended && waits != nil:
		return true, nil
	case waits == nil:
		return false, nil
	}
	why := waits.Reason
	switch why {
	case "ErrImagePull":
		why = "image can't be pulled"
	case "ImagePullBackOff":
		why = "trying and failing to pull image"
	}
	return false, fmt.Errorf("container %q in pod %q is waiting to start: %s", container, pod.Name, why)
}

// asked is what somebody wants to see of a log.
type asked struct {
	corev1.PodLogOptions
	sent int // bytes
}

func logOptions(r *http.Request) (*asked, error) {
	var errs []error
	query := r.URL.Query()
	number := func(name string) *int64 {
		if !query.Has(name) {
			return nil
		}
		n, err := strconv.ParseInt(query.Get(name), 10, 64)
		if err == nil && n < 0 {
			err = errors.New("it is negative")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("read %s: %w", name, err))
		}
		return &n
	}
	yes := func(name string) bool { return query.Get(name) == "true" }
	o := asked{PodLogOptions: corev1.PodLogOptions{Previous: yes("previous"), Follow: yes("follow"), Timestamps: yes("timestamps"),
		TailLines: number("tailLines"), LimitBytes: number("limitBytes"), SinceSeconds: number("sinceSeconds")}}
	since := time.Time{}
	if s := query.Get("sinceTime"); s != "" {
		var err error
		if since, err = time.Parse(time.RFC3339, s); err != nil {
			errs = append(errs, fmt.Errorf("read sinceTime: %w", err))
		}
	}
	if o.SinceSeconds != nil {
		since = time.Now().Add(-time.Duration(*o.SinceSeconds) * time.Second)
	}
	o.SinceTime = &metav1.Time{Time: since}
	return &o, errors.Join(errs...)
}

// write sends what is wanted of these lines.
func (o *asked) write(w http.ResponseWriter, lines []line) {
	if o.TailLines != nil {
		lines = lines[max(0, len(lines)-int(min(*o.TailLines, int64(len(lines))))):]
	}
	for _, l := range lines {
		if l.at.Before(o.SinceTime.Time) {
			continue
		}
		text := l.text + "\n"
		if o.Timestamps {
			text = l.at.Format(time.RFC3339Nano) + " " + text
		}
		if o.LimitBytes != nil {
			text = text[:min(len(text), max(0, int(*o.LimitBytes)-o.sent))]
		}
		n, err := w.Write([]byte(text))
		if o.sent += n; err != nil {
			return
		}
	}
	_ = http.NewResponseController(w).Flush()
}

// follow sends lines that come to those that were seen, until the client has had enough.
func (o *asked) follow(ctx context.Context, w http.ResponseWriter, lines func() []line, seen int) {
	o.TailLines = nil
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(followEvery):
		}
		if all := lines(); len(all) > seen {
			o.write(w, all[seen:])
			seen = len(all)
		}
	}
}
