package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/webhook"
)

// The namespaces of requests. Moorgate is never asked about the first three.
const (
	noNamespace      = "kube-node-lease" // under no webhook
	nothingNamespace = "kube-public"     // under the one that does nothing
	holdNamespace    = "kube-system"     // under the one that asks a model while the request waits
	modelNamespace   = "load-model"      // under Moorgate, which waits for a model
	othersNamespace  = "load-others"     // of those who use the API server meanwhile
	postsNamespace   = "load-posts"      // of what they make

	people = "load:people"
)

// roots are those of the gate's certificate, as its registration has them.
func (b *bench) roots(ctx context.Context) ([]byte, error) {
	deadline := time.Now().Add(readyIn)
	for {
		r, err := b.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(ctx, webhook.RegistrationName, metav1.GetOptions{})
		if err == nil && len(r.Webhooks) == 0 {
			err = errors.New("it is empty")
		}
		if err == nil {
			return r.Webhooks[0].ClientConfig.CABundle, nil
		}
		if time.Now().After(deadline) || !until(ctx, time.Now().Add(time.Second/5)) {
			return nil, fmt.Errorf("read the registration of the gate: %w", err)
		}
	}
}

// register has the API server ask the webhook that does nothing about Deployments of one namespace, under a path of it.
func (b *bench) register(ctx context.Context, namespace, path string) error {
	r := webhook.Registration(webhook.RegistrationOptions{Name: "load-" + namespace, URL: "https://" + b.nothing.Address + path, CABundle: b.nothing.CABundle})
	w := &r.Webhooks[0]
	w.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}}
	w.TimeoutSeconds = new(int32(min(30, 2+int(b.o.model.Seconds()))))
	if _, err := b.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(ctx, r, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("register the webhook that does nothing: %w", err)
	}
	return nil
}

// admit lets the people do everything, and makes the namespaces that they do it in.
func (b *bench) admit(ctx context.Context) error {
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: people}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "Group", Name: people}}}
	if _, err := b.admin.RbacV1().ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("let people in: %w", err)
	}
	for _, ns := range []string{modelNamespace, othersNamespace, postsNamespace} {
		if _, err := b.admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("make namespace %s: %w", ns, err)
		}
	}
	return nil
}
