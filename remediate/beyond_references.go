package remediate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// crashReadings are what the causes rest on of a container that does not come up.
var crashReadings = []reading{
	{of: []causes.Symptom{causes.CannotStart, causes.ImagePull}, read: eye.references},
	{of: []causes.Symptom{causes.InitStuck, causes.NotReady}, read: eye.unserved},
	{of: []causes.Symptom{causes.CrashLoop}, read: eye.usage},
}

// maxReferences is how many references of a workload are looked up.
const maxReferences = 32

// references looks whether there is what the failing containers refer to. Of a ConfigMap the names of its keys are looked at. Secrets
// are not read: that there is one may be asked, what is in it nobody here can say.
func (e eye) references(ctx context.Context, w *causes.World) error {
	refs := referred(w)
	if len(refs) == 0 {
		return nil
	}
	evidence := gate.Evidence{ID: causes.EvidenceReferences, Source: "what " + w.Root.Kind + "/" + w.Root.Name + " refers to", At: w.At, Trust: gate.FromAPI}
	w.References = map[causes.Reference]gate.Fact[bool]{}
	maps := map[string]gate.Fact[*corev1.ConfigMap]{}
	var told, unread []string
	for _, r := range refs {
		there, err := e.there(ctx, w.Root.Namespace, r, maps)
		if err != nil {
			return err
		}
		w.References[r] = there
		switch is, known := there.Get(); {
		case !known && w.Symptom == causes.ImagePull: // what the registry says is no surer for it
			told = append(told, "it is not known whether there is "+referenceText(r))
		case !known:
			unread = append(unread, referenceText(r)+": "+there.Why())
		case is:
			told = append(told, referenceText(r)+" is there")
		default:
			told = append(told, referenceText(r)+" is missing")
		}
	}
	evidence.Text, evidence.Unread = strings.Join(told, "; "), strings.Join(unread, "; ")
	w.Evidence = append(w.Evidence, evidence)
	return nil
}

// referred are the references of the failing pods that are in question.
func referred(w *causes.World) (refs []causes.Reference) {
	for _, p := range w.Failing() {
		for _, r := range p.Asked() {
			if !slices.Contains(refs, r) && len(refs) < maxReferences {
				refs = append(refs, r)
			}
		}
	}
	return refs
}

func referenceText(r causes.Reference) string {
	if r.Key != "" {
		return fmt.Sprintf("key %s of %s %s", r.Key, r.Kind, r.Name)
	}
	return r.Kind + " " + r.Name
}

// there is whether a ConfigMap, a Secret or a key of one exists.
func (e eye) there(ctx context.Context, namespace string, r causes.Reference, maps map[string]gate.Fact[*corev1.ConfigMap]) (gate.Fact[bool], error) {
	if r.Kind == "Secret" {
		return e.secretThere(ctx, namespace, r), nil
	}
	if _, asked := maps[r.Name]; !asked {
		var m corev1.ConfigMap
		err := e.owners.Get(ctx, client.ObjectKey{Namespace: namespace, Name: r.Name}, &m)
		switch {
		case err == nil:
			maps[r.Name] = gate.Known(&m)
		case apierrors.IsNotFound(err):
			maps[r.Name] = gate.Known[*corev1.ConfigMap](nil)
		case apierrors.IsForbidden(err):
			maps[r.Name] = gate.Unknown[*corev1.ConfigMap](refusal(err))
		default:
			return gate.Fact[bool]{}, fmt.Errorf("read ConfigMap %s/%s: %w", namespace, r.Name, err)
		}
	}
	m, known := maps[r.Name].Get()
	if !known {
		return gate.Unknown[bool](maps[r.Name].Why()), nil
	}
	return gate.Known(m != nil && (r.Key == "" || hasKey(m, r.Key))), nil
}

func hasKey(m *corev1.ConfigMap, key string) bool {
	_, text := m.Data[key]
	_, binary := m.BinaryData[key]
	return text || binary
}

func (e eye) secretThere(ctx context.Context, namespace string, r causes.Reference) gate.Fact[bool] {
	if e.secrets == nil {
		return gate.Unknown[bool]("whether a Secret exists is not asked here")
	}
	there := e.secrets(ctx, namespace, r.Name)
	if is, known := there.Get(); r.Key != "" && known && is {
		return gate.Unknown[bool]("nobody here sees what is in a Secret")
	}
	return there
}
