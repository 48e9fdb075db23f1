package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"moorgate.dev/webhook"
)

// marker stands in a request where each has a number of its own.
const marker = "777000777"

// question is a kind of AdmissionReview, with a marker where each that is sent differs.
type question struct {
	what   string
	body   []byte
	rate   int
	target float64 // over nothing, in milliseconds
	scored bool    // whether it is weighed at all
}

// straight sends AdmissionReviews to the TLS ports, without an API server between.
func (b *bench) straight(ctx context.Context) error {
	live, err := b.admin.AppsV1().Deployments(shop(0)).Get(ctx, "app-0", metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read a Deployment to ask about: %w", err)
	}
	questions, err := b.questions(live)
	if err != nil {
		return err
	}
	for _, q := range questions {
		if err := b.compare(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// compare asks both webhooks the same, in turns.
func (b *bench) compare(ctx context.Context, q question) error {
	b.say("straight, %d/s for %s: %s", q.rate, b.o.window(), q.what)
	sides := []*side{
		{name: "does nothing", pid: b.nothing.cmd.Process.Pid, send: sender("https://"+b.nothing.Address+"/", b.nothing.CABundle, q, false)},
		{name: "Moorgate", pid: b.gate.PID(), idle: b.idle, send: sender("https://"+b.gate.Address()+webhook.Path, b.trusted, q, q.scored)},
	}
	if err := b.takeTurns(ctx, q.rate, sides); err != nil {
		return err
	}
	b.report.Straight = append(b.report.Straight, rowsOf(q.what, q.rate, q.target, sides, sides[0])...)
	return nil
}

// questions are those that a gate is asked about a Deployment.
func (b *bench) questions(live *appsv1.Deployment) ([]question, error) {
	live.TypeMeta = metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}
	fresh := live.DeepCopy()
	fresh.Name, fresh.UID, fresh.ResourceVersion, fresh.Generation, fresh.Status = "fresh", "", "", 1, appsv1.DeploymentStatus{}
	fresh.Spec.Template.Spec.Containers[0].Image = "registry.example/shop/app:1.0." + marker
	changed := live.DeepCopy()
	changed.Spec.Template.Spec.Containers[0].Image = "registry.example/shop/app:1.0." + marker
	same := live.DeepCopy()
	same.Annotations["reconciled"] = marker
	var all []question
	for _, q := range []struct {
		question
		old, new *appsv1.Deployment
		dry      bool
	}{
		{question{what: "dry-run create, a new template each", rate: b.o.rate, target: 10, scored: true}, nil, fresh, true},
		{question{what: "dry-run update, a new template each", rate: b.o.rate, target: 10, scored: true}, live, changed, true},
		{question{what: "update, recorded and with a Case, a new template each", rate: b.o.applies, target: 10, scored: true}, live, changed, false},
		{question{what: "update that changes nothing", rate: b.o.rate, target: 1}, live, same, false},
		{question{what: "dry run of an unchanged object", rate: b.o.rate, target: 1}, live, live, true},
	} {
		body, err := reviewOf(q.old, q.new, q.dry)
		if err != nil {
			return nil, err
		}
		q.body = body
		all = append(all, q.question)
	}
	return all, nil
}

// reviewOf is an AdmissionReview as the API server would write it.
func reviewOf(old, new *appsv1.Deployment, dry bool) ([]byte, error) {
	req := &admissionv1.AdmissionRequest{UID: "00000000-0000-4000-8000-000" + marker, Kind: metav1.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"},
		Resource: metav1.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}, Name: new.Name, Namespace: new.Namespace, Operation: admissionv1.Create,
		UserInfo: authenticationv1.UserInfo{Username: "load", Groups: []string{people, "system:authenticated"}}, DryRun: &dry}
	req.RequestKind, req.RequestResource = &req.Kind, &req.Resource
	raw, err := json.Marshal(new)
	if err == nil && old != nil {
		req.Operation = admissionv1.Update
		req.OldObject.Raw, err = json.Marshal(old)
	}
	req.Object = runtime.RawExtension{Raw: raw}
	if err != nil {
		return nil, fmt.Errorf("write a Deployment: %w", err)
	}
	body, err := json.Marshal(admissionv1.AdmissionReview{TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"}, Request: req})
	if err != nil {
		return nil, fmt.Errorf("write an AdmissionReview: %w", err)
	}
	return body, nil
}

// sender sends a question over one connection, as the API server does.
func sender(url string, roots []byte, q question, scored bool) func(context.Context, int) error {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(roots)
	c := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}}
	return func(ctx context.Context, n int) error {
		body := bytes.ReplaceAll(q.body, []byte(marker), []byte(strconv.Itoa(100000000+n)))
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := c.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		return judgedAs(text, scored)
	}
}

// judgedAs checks that an answer is one of those that are measured.
func judgedAs(text []byte, scored bool) error {
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(text, &review); err != nil || review.Response == nil {
		return errors.Join(fmt.Errorf("it is no answer: %.200s", text), err)
	}
	r := review.Response
	switch decision := r.AuditAnnotations["decision"]; {
	case !r.Allowed && r.Result != nil:
		return fmt.Errorf("%w: refused: %.200s", errOdd, r.Result.Message)
	case scored && (decision == "" || decision == "unscored"):
		return fmt.Errorf("%w: not scored: %s", errOdd, r.AuditAnnotations["reason"])
	}
	return nil
}
