package webhook

import (
	"context"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/certs"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/webhook/checks"
)

// Review judges a change that nobody has asked the API server for yet, the same way as if somebody had: from old, nil on
// create, to is. It leaves no record and no Case. Where beside is given, a model is asked too: whoever reviews waits for it. What it
// is told passes the door.
func (s Sight) Review(ctx context.Context, old, is client.Object, beside flow.Beside, door *redact.Door) (flow.Judgement, error) {
	c := Change{Operation: string(admissionv1.Create), is: is, DryRun: true}
	var err error
	if c.New, err = checks.FromObject(is); err != nil {
		return flow.Judgement{}, err
	}
	if old != nil {
		before, err := checks.FromObject(old)
		if err != nil {
			return flow.Judgement{}, err
		}
		c.Operation, c.Old, c.was = string(admissionv1.Update), &before, old
	}
	seen, err := s.see(ctx, c)
	if err != nil {
		return flow.Judgement{}, err
	}
	said := flow.AdvisorFunc(func(context.Context, flow.Question) gate.Assessment { return seen.assessment })
	if beside == nil {
		return flow.Judge(ctx, nil, seen.question, seen.policy, beside.Of(said))
	}
	var before *corev1.PodTemplateSpec
	if c.Old != nil {
		before = &c.Old.Template
	}
	brief(&seen, before, door)
	seen.question.OffRecord = false // or no model would be asked
	return flow.Judge(ctx, nowhere{}, seen.question, seen.policy, beside.Of(said))
}

// nowhere is a log for what is nobody's decision.
type nowhere struct{}

func (nowhere) Append(context.Context, gate.Record) (gate.Position, error) {
	return gate.Position{}, nil
}

// Complete adds what the files hold to what the cluster holds: a Secret that is applied together with its Deployment is
// there, for a reviewer, and so are a LimitRange, a PodDisruptionBudget, an autoscaler, a Service and what leads to it.
func (f *Files) Complete(r *checks.Rollout) {
	ns := r.New.Ref.Namespace
	for kind, names := range map[string]map[string]gate.Fact[bool]{"Secret": r.World.Secrets, "ConfigMap": r.World.ConfigMaps,
		"ServiceAccount": r.World.ServiceAccounts, "PersistentVolumeClaim": r.World.Claims} {
		for _, o := range f.byKind[corev1.SchemeGroupVersion.WithKind(kind)] {
			if _, asked := names[o.GetName()]; asked && o.GetNamespace() == ns {
				names[o.GetName()] = gate.Known(true)
			}
		}
	}
	f.completeKeys(r)
	f.completeDependencies(r)
	f.completeAutoscalers(r)
	r.World.Budgets = together[policyv1.PodDisruptionBudget](f, policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"), ns, r.World.Budgets)
	r.World.Services = together[corev1.Service](f, corev1.SchemeGroupVersion.WithKind("Service"), ns, r.World.Services)
	r.World.Ingresses = together[networkingv1.Ingress](f, networkingv1.SchemeGroupVersion.WithKind("Ingress"), ns, r.World.Ingresses)
	r.World.Certificates = togetherRead(f, certificateKind, ns, r.World.Certificates, certs.Issued, func(a certs.IssuedCertificate) string { return a.Name })
	r.World.HTTPRoutes = togetherRead(f, httpRouteKind, ns, r.World.HTTPRoutes, routeOf, func(a checks.Route) string { return a.Name })
	r.World.LimitRanges = together[corev1.LimitRange](f, corev1.SchemeGroupVersion.WithKind("LimitRange"), ns, r.World.LimitRanges)
}
