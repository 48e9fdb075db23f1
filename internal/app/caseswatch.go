package app

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

const (
	watchAgain = time.Second     // between two watches, where one ends
	listAgain  = 5 * time.Second // where there is no right to watch
)

// seenCases are the Cases as they were printed last. Most of what is written to a Case changes nothing that is listed.
type seenCases map[client.ObjectKey]caseLine

// fresh reports whether a line says something that was not said, and remembers it.
func (s seenCases) fresh(l caseLine) bool {
	key := client.ObjectKey{Namespace: l.Namespace, Name: l.Name}
	before, known := s[key]
	s[key] = l
	return !known || !sameLine(before, l)
}

func sameLine(a, b caseLine) bool {
	number := func(x, y *int32) bool { return numberOf(x) == numberOf(y) }
	if !number(a.Score, b.Score) || !number(a.Confidence, b.Confidence) || !a.Opened.Equal(b.Opened) {
		return false
	}
	a.Score, a.Confidence, a.Opened, b.Score, b.Confidence, b.Opened = nil, nil, time.Time{}, nil, nil, time.Time{}
	return a == b
}

// follow prints what changes after a list, until somebody ends it. A watch that ends goes on from a new list, and nothing is printed
// twice for it.
func (p *casesPage) follow(ctx context.Context, from client.WithWatch, found []v1alpha1.Case, version string) error {
	seen := seenCases{}
	for i := range found {
		seen.fresh(lineOf(&found[i]))
	}
	for ctx.Err() == nil {
		again := watchAgain
		w, err := from.Watch(ctx, &v1alpha1.CaseList{}, &client.ListOptions{Namespace: p.options.namespace, Raw: &metav1.ListOptions{ResourceVersion: version}})
		switch {
		case ctx.Err() != nil:
			return nil
		case apierrors.IsForbidden(err):
			again = listAgain
		case err == nil:
			err = p.until(ctx, w, seen)
			w.Stop()
			if err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(again):
		}
		if found, next, err := listCases(ctx, from, p.options.namespace); err == nil {
			version = next
			if err := p.changed(seen, found...); err != nil {
				return err
			}
		}
	}
	return nil
}

// until prints what a watch says, until it ends.
func (p *casesPage) until(ctx context.Context, w watch.Interface, seen seenCases) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, open := <-w.ResultChan():
			c, ok := e.Object.(*v1alpha1.Case)
			switch {
			case !open || e.Type == watch.Error:
				return nil
			case !ok || e.Type == watch.Bookmark:
			case e.Type == watch.Deleted:
				delete(seen, client.ObjectKeyFromObject(c))
			default:
				if err := p.changed(seen, *c); err != nil {
					return err
				}
			}
		}
	}
}

func (p *casesPage) changed(seen seenCases, found ...v1alpha1.Case) error {
	for i := range found {
		l := lineOf(&found[i])
		if !seen.fresh(l) || !p.options.wants(l) {
			continue
		}
		if err := p.more(l); err != nil {
			return err
		}
	}
	return nil
}
