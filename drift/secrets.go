package drift

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"moorgate.dev/internal/source"
)

// Where that is asked for, Secrets are compared by seals: a keyed hash of each value, under a key that nobody has but this process, and that
// is another one when it starts again. Values become seals where an object is read, from Git or from the cluster, before anything else looks
// at it, so that what comes after, Cases, logs and models among it, has no value to give away; and what is masked, as all of a Secret is, is
// never edited in Git. That the value of a key differs is all that can be told.
//
// A Secret that Git holds encrypted, or with placeholders that somebody else fills in, is not compared, which is told.

// Sealer makes seals of values. The same value of the same key of the same object has the same seal, and no other has.
type Sealer struct{ key []byte }

// NewSealer makes one with a key of its own.
func NewSealer() (*Sealer, error) {
	s := &Sealer{key: make([]byte, 32)}
	if _, err := rand.Read(s.key); err != nil {
		return nil, fmt.Errorf("make a key to seal the values of Secrets with: %w", err)
	}
	return s, nil
}

// secretName reports whether an object is a Secret.
func secretName(n source.Name) bool { return n.Group == "" && n.Kind == "Secret" }

// unsealable are the words that say that Git does not hold the value itself: of SOPS, and of what fills in placeholders.
var unsealable = []string{"ENC[", "${", "{{", "<path:", "ref+"}

// sealed is a Secret in which seals stand for values, also for those of annotations, which may hold them too. why says why its values are
// not known; it is empty where they are.
func (s *Sealer) sealed(u *unstructured.Unstructured, namespace string) (out *unstructured.Unstructured, why string) {
	if _, encrypted := u.Object["sops"]; encrypted {
		return nil, "encrypted in Git"
	}
	out = &unstructured.Unstructured{Object: map[string]any{}}
	out.SetAPIVersion(u.GetAPIVersion())
	out.SetKind(u.GetKind())
	out.SetNamespace(u.GetNamespace())
	out.SetName(u.GetName())
	out.SetUID(u.GetUID())
	out.SetResourceVersion(u.GetResourceVersion())
	out.SetLabels(u.GetLabels())
	out.SetManagedFields(u.GetManagedFields())
	for _, field := range []string{"type", "immutable"} {
		if v, has := u.Object[field]; has {
			out.Object[field] = v
		}
	}
	seals := map[string]any{}
	for _, field := range []string{"data", "stringData"} {
		values, ok := u.Object[field].(map[string]any)
		if !ok && u.Object[field] != nil {
			return nil, "not of the form of a Secret"
		}
		for key, v := range values {
			text, ok := v.(string)
			if field == "data" && ok {
				raw, err := base64.StdEncoding.DecodeString(text)
				if text, ok = string(raw), err == nil; !ok && strings.HasPrefix(v.(string), unsealable[0]) {
					return nil, "encrypted in Git"
				}
			}
			if !ok {
				return nil, "not of the form of a Secret"
			}
			if why := filled(text); why != "" && u.GetUID() == "" {
				return nil, why
			}
			seals[key] = s.seal(namespace, u.GetName(), "data."+key, text)
		}
	}
	if len(seals) > 0 {
		out.Object["data"] = seals
	}
	annotations := map[string]string{}
	for name, v := range u.GetAnnotations() {
		if name == lastApplied {
			continue // which holds the values as they were
		}
		if annotations[name] = v; !directs(name) {
			annotations[name] = s.seal(namespace, u.GetName(), "annotations."+name, v)
		}
	}
	if len(annotations) > 0 {
		out.SetAnnotations(annotations)
	}
	return out, ""
}

// filled is why a value in Git is not the one that is delivered.
func filled(text string) string {
	for i, mark := range unsealable {
		switch {
		case !strings.Contains(text, mark):
		case i == 0:
			return "encrypted in Git"
		default:
			return "with a placeholder in Git"
		}
	}
	return ""
}

// directs reports whether an annotation is a word for who delivers or compares, which has to be read.
func directs(name string) bool {
	for _, group := range []string{"moorgate.dev/", "kustomize.toolkit.fluxcd.io/", "argocd.argoproj.io/", "helm.sh/"} {
		if strings.HasPrefix(name, group) {
			return true
		}
	}
	return false
}

func (s *Sealer) seal(namespace, name, field, value string) string {
	h := hmac.New(sha256.New, s.key)
	for _, part := range []string{namespace, name, field, value} {
		_, _ = fmt.Fprintf(h, "%d %s", len(part), part)
	}
	return "sealed:" + hex.EncodeToString(h.Sum(nil))
}

// secretForm is the form in which a sealed Secret is kept.
func secretForm(content map[string]any) (map[string]any, error) {
	if t, ok := content["type"]; ok && t == "" {
		content["type"] = "Opaque"
	}
	return content, nil
}
