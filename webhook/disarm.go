package webhook

import (
	"context"
	"encoding/json"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
)

const (
	// AnnotationDisarmed on the registration says who keeps it empty, since when and why. While it is there no webhook is
	// registered; anybody may write it who may write the registration, also where Moorgate is gone.
	AnnotationDisarmed = "moorgate.dev/disarmed"

	disarmer   = "moorgate-disarm" // the field manager of who disarms and arms
	disarmText = 1024
)

// Standing is how a registration stands.
type Standing struct {
	// Disarmed says who keeps it empty and why; empty where nobody does.
	Disarmed string
	// Asked is whether the API server asks anybody.
	Asked bool
}

// StandingOf reads how a registration stands; empty means RegistrationName. One that is not there asks nobody.
func StandingOf(ctx context.Context, r client.Reader, name string) (Standing, error) {
	var config admissionregistrationv1.ValidatingWebhookConfiguration
	if err := r.Get(ctx, client.ObjectKey{Name: orName(name)}, &config); client.IgnoreNotFound(err) != nil {
		return Standing{}, fmt.Errorf("read the registration %s: %w", orName(name), err)
	}
	s := Standing{Asked: len(config.Webhooks) > 0}
	if why, there := config.Annotations[AnnotationDisarmed]; there {
		if s.Disarmed = gate.OneLine(why, disarmText); s.Disarmed == "" {
			s.Disarmed = "no reason given"
		}
	}
	return s, nil
}

// Disarm empties a registration and says in it why, in one write: from then on nobody is asked about a rollout, and no
// gateway fills it again before Arm.
func Disarm(ctx context.Context, c client.Client, name, why string) error {
	return patchRegistration(ctx, c, name, "disarm", map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{AnnotationDisarmed: gate.OneLine(why, disarmText)}}, "webhooks": []any{}})
}

// Arm takes the annotation away. The registration is filled by the gateway, which knows its own address.
func Arm(ctx context.Context, c client.Client, name string) error {
	return patchRegistration(ctx, c, name, "arm", map[string]any{"metadata": map[string]any{"annotations": map[string]any{AnnotationDisarmed: nil}}})
}

func patchRegistration(ctx context.Context, c client.Client, name, what string, change map[string]any) error {
	content, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("%s the registration: %w", what, err)
	}
	config := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	config.Name = orName(name)
	if err := c.Patch(ctx, config, client.RawPatch(types.MergePatchType, content), client.FieldOwner(disarmer)); err != nil {
		return fmt.Errorf("%s the registration %s: %w", what, config.Name, err)
	}
	return nil
}
