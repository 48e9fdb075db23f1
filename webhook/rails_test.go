package webhook

import (
	"net/http"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
)

// One Guardrail enforces the usual numbers, and beside it stands another.
func TestOnlyAGuardrailThatEnforcesRefuses(t *testing.T) {
	trial := gate.Rail{Name: "trial", Admission: gate.AdmissionObserve, WarnBelow: gate.Known(100), DenyBelow: gate.Known(100), ConfidenceBelow: gate.Known(100)}
	loud, frozen := trial, trial
	loud.Name, loud.Admission = "loud", gate.AdmissionWarn
	frozen.Name, frozen.Admission, frozen.Paused = "frozen", gate.AdmissionEnforce, []string{"ana: release day"}
	sound, lesser := deployment("shop", "web"), deployment("shop", "web")
	lesser.Spec.Template.Spec.Containers[0].Image = "app:latest" // 90 of 100
	for name, tt := range map[string]struct {
		beside []gate.Rail
		obj    client.Object
		code   int32
		said   string
		says   string
		silent string // must not be said
	}{
		"a trial's numbers are heard by nobody":           {[]gate.Rail{trial}, lesser, http.StatusOK, Admitted, "", "moorgate"},
		"nor do they speak in a refusal":                  {[]gate.Rail{trial}, poor("shop", "web"), http.StatusForbidden, Denied, "Guardrail production:", "trial"},
		"one that warns would deny, and does not":         {[]gate.Rail{loud}, lesser, http.StatusOK, Warned, "would be denied: score 90", "refused"},
		"a paused one would deny, and does not":           {[]gate.Rail{frozen}, lesser, http.StatusOK, Warned, "would be denied: score 90", "refused"},
		"a refusal names those alone that refuse":         {[]gate.Rail{trial, loud, frozen}, poor("shop", "web"), http.StatusForbidden, Denied, "Guardrail production:", "Guardrail loud"},
		"what is sound passes a trial without a word":     {[]gate.Rail{trial}, sound, http.StatusOK, Admitted, "", "moorgate"},
		"a trial beside one that warns leaves it its own": {[]gate.Rail{trial}, poor("shop", "web"), http.StatusForbidden, Denied, "nowhere", "below 100"},
	} {
		t.Run(name, func(t *testing.T) {
			p := rail(gate.AdmissionEnforce)
			p.Rails = append(p.Rails, tt.beside...)
			b := newBench(t, p)
			resp := b.Handle(t.Context(), request(t, admissionv1.Create, nil, tt.obj))
			said := strings.Join(append(resp.Warnings, resp.Result.Message), "\n")
			if resp.Result.Code != tt.code || !strings.Contains(said, tt.says) || strings.Contains(said, tt.silent) {
				t.Errorf("%d %s", resp.Result.Code, said)
			}
			if got := b.queued()[0].Answer.Said; got != tt.said {
				t.Errorf("the Case says %s, want %s", got, tt.said)
			}
		})
	}
}

func TestAPausedGuardrailAloneRefusesNothing(t *testing.T) {
	p := rail(gate.AdmissionEnforce)
	p.Rails[0].Paused = []string{"ana: release day"}
	resp := newBench(t, p).Handle(t.Context(), request(t, admissionv1.Create, nil, poor("shop", "web")))
	if !resp.Allowed || !strings.Contains(strings.Join(resp.Warnings, "\n"), "would be denied") {
		t.Errorf("%+v %q", resp.Result, resp.Warnings)
	}
}
