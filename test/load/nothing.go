package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"moorgate.dev/certs"
	"moorgate.dev/test/cluster"
)

// nothingVar, where it is set, has this program be the webhook that does nothing, with its certificate in the folder that it names.
// It is a process of its own so that what it uses can be told apart.
const nothingVar = "MOORGATE_LOAD_NOTHING"

// nothing is the running webhook that does nothing.
type nothing struct {
	Address  string `json:"address"`
	CABundle []byte `json:"caBundle"`

	cmd *exec.Cmd
}

// serveNothing says yes to everything, at once and, under /hold, as late as a model would be.
func serveNothing() error {
	ctrl.SetLogger(logr.Discard())
	authority := certs.Authority{Store: certs.Folder(os.Getenv(nothingVar)), IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Now: time.Now}
	bundle, err := authority.Ensure(context.Background())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	yes := &admission.Webhook{Handler: admission.HandlerFunc(func(context.Context, admission.Request) admission.Response { return admission.Allowed("") })}
	mux := http.NewServeMux()
	mux.Handle("/", yes)
	mux.HandleFunc("/hold/{time}", func(w http.ResponseWriter, r *http.Request) {
		hold, _ := time.ParseDuration(r.PathValue("time"))
		select {
		case <-time.After(hold):
			yes.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
	if err := json.NewEncoder(os.Stdout).Encode(nothing{Address: listener.Addr().String(), CABundle: bundle.CABundle}); err != nil {
		return err
	}
	config := authority.TLS()
	config.NextProtos = []string{"h2", "http/1.1"}
	server := &http.Server{Handler: mux, TLSConfig: config, ReadHeaderTimeout: 5 * time.Second}
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// startNothing starts this program as the webhook that does nothing.
func startNothing(folder string) (*nothing, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start the webhook that does nothing: %w", err)
	}
	cmd := exec.Command(self)
	cmd.Env, cmd.Stderr = append(os.Environ(), nothingVar+"="+folder), os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cluster.StartBound(cmd)
	}
	if err != nil {
		return nil, fmt.Errorf("start the webhook that does nothing: %w", err)
	}
	n := &nothing{cmd: cmd}
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(n); err != nil {
		n.stop()
		return nil, fmt.Errorf("start the webhook that does nothing: %w", err)
	}
	return n, nil
}

func (n *nothing) stop() {
	_ = n.cmd.Process.Kill()
	_ = n.cmd.Wait()
}
