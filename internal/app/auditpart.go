package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/forge"
)

const (
	judgeRole = "judge"
	actRole   = "act"
)

// everywhere is a part of a process that runs whether or not the process leads.
type everywhere func(ctx context.Context) error

// Start runs it until ctx ends.
func (e everywhere) Start(ctx context.Context) error { return e(ctx) }

// NeedLeaderElection says that every replica does.
func (everywhere) NeedLeaderElection() bool { return false }

// addAudit has the log of this process compared with what the cluster remembers of it, remembered from now on, and served.
// Where several parts share a process, and so its log, the first does.
func addAudit(ctx context.Context, p *process, mgr ctrl.Manager, role string) (err error) {
	p.auditing.Do(func() { err = p.audit(ctx, mgr, role) })
	return err
}

func (p *process) audit(ctx context.Context, mgr ctrl.Manager, role string) error {
	log, ok := ownLog(p.log)
	if !ok {
		return errors.New("this part keeps a log of its own, and none was opened")
	}
	live, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme()})
	if err != nil {
		return fmt.Errorf("prepare to remember the audit log in the cluster: %w", err)
	}
	anchors := cluster.Anchors{Client: live}
	anchoring := &anchoring{log: log, anchors: anchors, logger: p.logger}
	if err := anchoring.hold(ctx); err != nil {
		return err
	}
	kube, err := kubernetes.NewForConfig(mgr.GetConfig())
	if err != nil {
		return fmt.Errorf("prepare to serve the audit log: %w", err)
	}
	server := &auditServer{dir: p.auditDir, log: log, door: newDoorkeeper(kube, p.logger), logger: p.logger, readiness: p.readiness, alerts: p.alerts}
	hosts := []string{"localhost", "moorgate-" + role + "." + ownNamespace + ".svc", "moorgate-" + role + "." + ownNamespace + ".svc.cluster.local"}
	publish := func(ctx context.Context, roots []byte) error { return anchors.Set(ctx, caPrefix+role, string(roots)) }
	return errors.Join(mgr.Add(everywhere(anchoring.run)), mgr.Add(everywhere(func(ctx context.Context) error {
		if p.auditListen == "" {
			return nil
		}
		return server.serve(ctx, p.auditListen, hosts, publish)
	})))
}

// addGitAnchors has what the cluster remembers of all audit logs remembered in Git too.
func addGitAnchors(p *process, mgr ctrl.Manager, anchors cluster.Anchors) error {
	if p.anchorGit == "" {
		return nil
	}
	g := gitAnchors{anchors: anchors, token: p.gitToken, logger: p.logger, repo: forge.Repository{URL: p.anchorGit, Branch: p.anchorBranch, Path: p.anchorPath},
		writer: forge.Writer{Reader: forge.Reader{Local: p.localGit}, Name: "Moorgate", Email: "moorgate@moorgate.dev", Now: time.Now}}
	return mgr.Add(everywhere(g.run))
}
