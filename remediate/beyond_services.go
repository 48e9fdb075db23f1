package remediate

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// What is looked at of a manifest's text, and how many Services that it names.
const (
	maxManifestText = 64 << 10
	maxNamed        = 16
)

// host is what may be a Service's name in a manifest's text, with the domain behind it.
var host = regexp.MustCompile(`[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?`)

// unserved finds the Services that a failing container names and behind which nobody is ready. The text of the manifest is compared
// with the names of the Services that there are and goes no further.
func (e eye) unserved(ctx context.Context, w *causes.World) error {
	evidence := gate.Evidence{ID: causes.EvidenceServices, Source: "Services of namespace " + w.Root.Namespace, At: w.At, Trust: gate.FromAPI}
	names, told, err := e.namedServices(ctx, w)
	switch {
	case err != nil && refused(err):
		evidence.Unread = refusal(err)
		w.Unserved = gate.Unknown[[]string](evidence.Unread)
	case err != nil:
		return err
	default:
		evidence.Text = strings.Join(told, "; ")
		if len(told) == 0 {
			evidence.Text = "the container names none"
		}
		w.Unserved = gate.Known(names)
	}
	w.Evidence = append(w.Evidence, evidence)
	return nil
}

func (e eye) namedServices(ctx context.Context, w *causes.World) (unserved, told []string, err error) {
	var pod corev1.Pod
	target := w.Failing()[0].Ref
	if err := e.reader.Get(ctx, client.ObjectKey{Namespace: target.Namespace, Name: target.Name}, &pod); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, nil, nil
		}
		return nil, nil, fmt.Errorf("read pod %s: %w", target, err)
	}
	words := wordsOf(&pod, w.Container)
	var services corev1.ServiceList
	if err := e.owners.List(ctx, &services, client.InNamespace(pod.Namespace)); err != nil {
		return nil, nil, fmt.Errorf("list the Services beside %s: %w", w.Root, err)
	}
	for i := range services.Items {
		s := &services.Items[i]
		if !words[s.Name] || !waitsBehind(s, &pod) || len(told) >= maxNamed {
			continue
		}
		ready, err := e.ready(ctx, s)
		if err != nil {
			return nil, nil, err
		}
		told = append(told, fmt.Sprintf("Service %s has %d ready endpoints", s.Name, ready))
		if ready == 0 {
			unserved = append(unserved, s.Name)
		}
	}
	slices.Sort(unserved)
	return unserved, told, nil
}

// waitsBehind is whether a pod may wait for a Service: endpoints are made for it, and not from the pod's own like.
func waitsBehind(s *corev1.Service, pod *corev1.Pod) bool {
	return len(s.Spec.Selector) > 0 && s.Spec.Type != corev1.ServiceTypeExternalName &&
		!labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(pod.Labels))
}

func (e eye) ready(ctx context.Context, s *corev1.Service) (n int, err error) {
	var list discoveryv1.EndpointSliceList
	if err := e.owners.List(ctx, &list, client.InNamespace(s.Namespace), client.MatchingLabels{discoveryv1.LabelServiceName: s.Name}); err != nil {
		return 0, fmt.Errorf("list the endpoints of Service %s/%s: %w", s.Namespace, s.Name, err)
	}
	for _, slice := range list.Items {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
				n++
			}
		}
	}
	return n, nil
}

// wordsOf are the names of Services of the pod's own namespace that may stand in a container's command, arguments and environment.
func wordsOf(pod *corev1.Pod, container string) map[string]bool {
	words, left := map[string]bool{}, maxManifestText
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if c.Name != container {
			continue
		}
		texts := slices.Concat(c.Command, c.Args)
		for _, e := range c.Env {
			texts = append(texts, e.Value)
		}
		for _, text := range texts {
			text = text[:min(len(text), left)]
			left -= len(text)
			for _, word := range host.FindAllString(strings.ToLower(text), -1) {
				if name, here := local(word, pod.Namespace); here {
					words[name] = true
				}
			}
		}
	}
	return words
}

// local is the first part of a host's name, and whether that is of a namespace: db, db.shop, db.shop.svc.cluster.local.
func local(word, namespace string) (string, bool) {
	parts := strings.Split(word, ".")
	return parts[0], len(parts) == 1 || parts[1] == namespace && (len(parts) == 2 || parts[2] == "svc")
}
