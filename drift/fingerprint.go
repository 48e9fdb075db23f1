package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// fingerprint is the same for two sights of an object only where nothing of it has changed that a comparison with the same manifest
// goes by. It is made of metadata alone, so that nobody has to be asked for the rest:
//
//   - which object it is, by its UID;
//   - what it should be: the API server counts the generation up with every change of a spec. Where a kind has no generation, as
//     ConfigMaps and Services have none, it is the resourceVersion, which every write moves;
//   - its labels and annotations, which no generation counts;
//   - who owns which of its fields, and since when, but for its status, which is not compared.
func fingerprint(o metav1.Object) string {
	h := sha256.New()
	counted := fmt.Sprint(o.GetGeneration())
	if o.GetGeneration() == 0 {
		counted = "at " + o.GetResourceVersion()
	}
	_, _ = fmt.Fprintf(h, "%q %q\n", o.GetUID(), counted)
	for _, entries := range []map[string]string{o.GetLabels(), o.GetAnnotations()} {
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			_, _ = fmt.Fprintf(h, "%q %q\n", name, entries[name])
		}
		_, _ = fmt.Fprintf(h, "\n")
	}
	for _, e := range o.GetManagedFields() {
		if e.Subresource == "status" {
			continue
		}
		_, _ = fmt.Fprintf(h, "%q %q %q %q %d ", e.Manager, e.Operation, e.APIVersion, e.Subresource, e.Time.ProtoTime().Seconds)
		_, _ = h.Write(inOrder(e))
		_, _ = fmt.Fprintf(h, "\n")
	}
	return hex.EncodeToString(h.Sum(nil))
}

// inOrder are the fields of an entry as text, in an order that does not depend on how the object came here.
func inOrder(e metav1.ManagedFieldsEntry) []byte {
	set, err := fields(e)
	if err == nil {
		var text []byte
		if text, err = set.ToJSON(); err == nil {
			return text
		}
	}
	return e.FieldsV1.GetRawBytes() // which no comparison can read either
}

// slimmer leaves of an object that is watched its name, its fingerprint, in the place of its UID, and the labels by which Flux marks it.
// Metadata is mostly managed fields and annotations, and of ten thousand objects that is too much to keep; what has the same labels shares
// them.
type slimmer struct {
	lock  sync.Mutex
	marks map[[2]string]map[string]string
}

// mostMarks bounds what is shared: whoever may label objects may think up as many marks as they like.
const mostMarks = 4096

func (s *slimmer) slim(obj any) (any, error) {
	m, ok := obj.(*metav1.PartialObjectMetadata)
	if !ok || len(m.UID) == hex.EncodedLen(sha256.Size) { // which was slimmed before
		return obj, nil
	}
	kept := &metav1.PartialObjectMetadata{TypeMeta: m.TypeMeta}
	kept.Namespace, kept.Name, kept.ResourceVersion, kept.UID, kept.Labels = m.Namespace, m.Name, m.ResourceVersion, types.UID(fingerprint(m)), s.mark(m.Labels)
	return kept, nil
}

func (s *slimmer) mark(labels map[string]string) map[string]string {
	of := [2]string{labels[fluxName], labels[fluxNamespace]}
	if of == [2]string{} {
		return nil
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.marks == nil || len(s.marks) >= mostMarks {
		s.marks = map[[2]string]map[string]string{}
	}
	if s.marks[of] == nil {
		s.marks[of] = map[string]string{fluxName: of[0], fluxNamespace: of[1]}
	}
	return s.marks[of]
}
