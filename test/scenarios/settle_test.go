package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook"
)

// TestWhatIsMissingAtFirstIsLookedForAgain: a rollout is warned about because its ConfigMap is not there. When it comes, the
// Case says so, and the rollout carries the better score; what was answered stays what it was.
func TestWhatIsMissingAtFirstIsLookedForAgain(t *testing.T) {
	t.Parallel()
	p := moored(t).place(t, usual("Enforce"))
	incomplete := strings.Replace(sound("web"), "          resources:", "          envFrom: [{configMapRef: {name: settings}}]\n          resources:", 1)
	incomplete = strings.Replace(incomplete, "registry.example/shop/", "registry.example/"+p.ns+"/", 1) // or what crashed in another test is held against it
	out, err := p.kubectl(incomplete, "apply", "-f", "-")
	if err != nil || !strings.Contains(out, "ConfigMap settings does not exist") {
		t.Fatalf("it is not let in with a warning: %v\n%s", err, out)
	}
	first, err := p.newCase("Deployment", "web", nil)
	if err != nil {
		t.Fatal(err)
	}
	p.apply("the ConfigMap", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n")
	p.eventually(t, "the Case is settled and the rollout carries the better score", func() error {
		cases, err := p.cases(gate.FaceWebhook, "Deployment", "web")
		if err != nil {
			return err
		}
		i := slices.IndexFunc(cases, func(c v1alpha1.Case) bool { return c.Name == first.Name })
		if i < 0 || len(cases) != 1 {
			return fmt.Errorf("there are %d Cases", len(cases))
		}
		c := cases[i]
		if c.Status.Score == nil || *c.Status.Score != 100 || c.Status.Decision != "Allow" {
			return errors.New("not judged again: " + c.Status.Summary)
		}
		if c.Status.Answer != webhook.Warned || *c.Spec.Answer.Opinion.Score != 75 {
			return fmt.Errorf("the answer that was given has changed:\n%s", asYAML(c))
		}
		var d appsv1.Deployment
		if err := p.admin.Get(t.Context(), client.ObjectKey{Namespace: p.ns, Name: "web"}, &d); err != nil {
			return err
		}
		return marked(&d, c)
	})
}
