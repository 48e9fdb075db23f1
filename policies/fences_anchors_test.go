package policies

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
)

// note is a checkpoint as far as the fence reads it.
func note(size int) string { return fmt.Sprintf("moorgate.dev/audit/judge-1\n%d\nroot\n", size) }

// What is remembered of an audit log outside of it cannot be set back or taken away, by none of Moorgate's own identities.
func TestAnchorsOnlyGrow(t *testing.T) {
	s := newStage(t)
	anchors := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: cluster.AnchorsName}}
	set := func(data map[string]any) func(ctx context.Context, h hand) error {
		return func(ctx context.Context, h hand) error {
			return client.IgnoreNotFound(h.client.Patch(ctx, anchors.DeepCopy(), client.RawPatch("application/merge-patch+json", jsonOf(t, map[string]any{"data": data}))))
		}
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := set(map[string]any{"judge-1": nil, "judge-1.keys": nil, "ca.judge": nil})(ctx, s.admin); err != nil {
			t.Error(err)
		}
	})
	judge, act, webhook := s.unbound(t, "moorgate-judge"), s.unbound(t, "moorgate-act"), s.unbound(t, "moorgate-webhook")
	t.Run("judge and act add to them", func(t *testing.T) {
		allowed(t, judge, []write{
			{"a checkpoint", set(map[string]any{"judge-1": note(10)})},
			{"a greater one", set(map[string]any{"judge-1": note(12)})},
			{"its verifier key", set(map[string]any{"judge-1.keys": "key1\n"})},
			{"one more verifier key", set(map[string]any{"judge-1.keys": "key1\nkey2\n"})},
			{"roots to trust", set(map[string]any{"ca.judge": "one"})},
		})
		allowed(t, act, []write{{"other roots to trust", set(map[string]any{"ca.judge": "two"})}})
	})
	refusals := []write{
		{"take a checkpoint away", set(map[string]any{"judge-1": nil})},
		{"set a checkpoint back", set(map[string]any{"judge-1": note(11)})},
		{"write what is no checkpoint", set(map[string]any{"judge-1": "gone"})},
		{"replace a verifier key", set(map[string]any{"judge-1.keys": "key3\n"})},
		{"take a verifier key away", set(map[string]any{"judge-1.keys": "key1\n"})},
		{"delete them all", remove(anchors)},
	}
	t.Run("the judge may not set them back", func(t *testing.T) { refused(t, judge, refusals, "moorgate-anchors", "moorgate-judge") })
	t.Run("act may not set them back", func(t *testing.T) { refused(t, act, refusals, "moorgate-anchors", "moorgate-act") })
	t.Run("the webhook may write none", func(t *testing.T) {
		refused(t, webhook, []write{{"a checkpoint", set(map[string]any{"judge-1": note(20)})}}, "moorgate-anchors", "moorgate-webhook")
	})
	t.Run("the owner of the namespace may write none", func(t *testing.T) {
		refused(t, s.ownerOf(t, system), []write{{"a checkpoint", set(map[string]any{"judge-1": note(20)})}, {"delete them", remove(anchors)}}, "moorgate-anchors")
	})
	t.Run("installing again leaves them alone", func(t *testing.T) {
		newStage(t)
		var now corev1.ConfigMap
		if err := s.admin.client.Get(t.Context(), client.ObjectKeyFromObject(anchors), &now); err != nil || now.Data["judge-1"] != note(12) {
			t.Errorf("they are %v (%v)", now.Data, err)
		}
	})
}
