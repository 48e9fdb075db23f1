package app

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

const casesAtOnce = 500 // Cases that are listed at once

// caseKey is which Case is meant: NAME, NAMESPACE/NAME, or case/NAME, by default in the kubeconfig's namespace.
func caseKey(arg, namespace, kubeconfig string) (client.ObjectKey, error) {
	name, err := caseNamed(arg, namespace)
	if err != nil {
		return client.ObjectKey{}, err
	}
	if in, of, both := strings.Cut(name, "/"); both {
		return client.ObjectKey{Namespace: in, Name: of}, nil
	}
	return client.ObjectKey{Namespace: currentNamespace(kubeconfig), Name: name}, nil
}

// readCase reads one Case, and says what to do where it cannot; role is that of those who can do what it is read for.
func readCase(ctx context.Context, from client.Client, key client.ObjectKey, role string, into *v1alpha1.Case) error {
	err := from.Get(ctx, key, into)
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("there is no Case %s in namespace %s%s (moorgate cases -A lists all)", shown(key.Name), shown(key.Namespace), meant(ctx, from, key))
	case err != nil:
		return fmt.Errorf("read case %s: %w", key, unreadable(err, "get", key.Namespace, role))
	}
	return nil
}

// unreadable says what to do about Cases that cannot be read.
func unreadable(err error, verb, namespace, role string) error {
	switch {
	case meta.IsNoMatchError(err):
		return fmt.Errorf("in this cluster Moorgate is not installed: run moorgate install (%w)", err)
	case apierrors.IsForbidden(err) && namespace == "":
		return fmt.Errorf("you may not in every namespace; -n NAMESPACE lists one: %w", err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("you may not; %s: %w", howToGrant(namespace, verb+" on cases", role, ""), err)
	}
	return err
}

// meant suggests the Cases whose names look like the one that is not there.
func meant(ctx context.Context, from client.Client, key client.ObjectKey) string {
	var list v1alpha1.CaseList
	if err := from.List(ctx, &list, client.InNamespace(key.Namespace)); err != nil {
		return ""
	}
	var names []string
	for _, c := range list.Items {
		names = append(names, c.Name)
	}
	if names = nearest(key.Name, names); len(names) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(names, ", ") + "?"
}

// listCases are the Cases of a namespace, of all where it is empty, and the version of the list, to watch from.
func listCases(ctx context.Context, from client.Reader, namespace string, more ...client.ListOption) (all []v1alpha1.Case, version string, err error) {
	after := ""
	for {
		var page v1alpha1.CaseList
		if err := from.List(ctx, &page, append(more, client.InNamespace(namespace), client.Limit(casesAtOnce), client.Continue(after))...); err != nil {
			return nil, "", fmt.Errorf("list Cases: %w", unreadable(err, "list", namespace, readerRole))
		}
		all = append(all, page.Items...)
		if after = page.Continue; after == "" {
			return all, page.ResourceVersion, nil
		}
	}
}
