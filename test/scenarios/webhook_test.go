package scenarios

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/yaml"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
	"moorgate.dev/webhook"
)

// TestStories plays every story of the gate.
func TestStories(t *testing.T) {
	t.Parallel()
	all, err := stories(files, storyIDs())
	if err != nil {
		t.Fatal(err)
	}
	h := moored(t)
	for _, s := range all {
		t.Run(s.check+"/"+s.name, func(t *testing.T) {
			t.Parallel()
			if s.asksOutside() && h.out == nil { // loopback is refused by law, and a host elsewhere would be no test of ours
				t.Skip("it wants a host that may be probed: loopback never is, and this machine has no other address")
			}
			h.play(t, s)
		})
	}
}

// plays is how many times a story is played at most, where what was known of a Secret was too old to be given between its rehearsal
// and its change, as on a machine that stood still for some seconds. That it is unknown then is right, and no part of the story.
const plays = 4

func (h *house) play(t *testing.T, s story) {
	t.Helper()
	for range plays {
		again := s
		again.parts = maps.Clone(s.parts)
		if h.playOnce(t, again) {
			return
		}
	}
	t.Errorf("%s: what was known of a Secret was forgotten before the change %d times", s.path(), plays)
}

// playOnce plays a story in a namespace of its own, and reports whether it came to its end.
func (h *house) playOnce(t *testing.T, s story) bool {
	t.Helper()
	spec, err := s.guardrail()
	if err != nil {
		t.Fatal(err)
	}
	p := h.place(t, spec)
	for name, part := range s.parts {
		part = strings.ReplaceAll(part, "registry.example/shop/web:1.", "registry.example/"+p.ns+"/web:1.") // or what crashed in one story is held against another
		s.parts[name] = strings.ReplaceAll(part, "$NAMESPACE", p.ns)
	}
	p.earlier(s, "past.yaml", "--field-manager="+webhook.BreakGlass)
	p.earlier(s, "before.yaml")
	if world := s.parts["world.yaml"]; world != "" {
		p.removeAfterwards(world)
		p.apply("world.yaml", world)
	}
	for _, c := range s.waits {
		p.wait(c)
	}
	if s.parts["twin.yaml"] != "" {
		p.rehearse("the bad twin", s.twin(t), func(out string) error { return holdsAll(out, s.want.Twin...) })
	}
	p.rehearse("the change", s.parts["change.yaml"], s.rehearsed)
	g, err := p.change(s)
	if err != nil {
		t.Fatal(err)
	}
	if s.forgotten(g) {
		t.Logf("%s: the Secret was forgotten before the change; it is played again", s.path())
		return false
	}
	if wrong := s.compare(g); len(wrong) > 0 {
		t.Errorf("%s is not as wanted\n%s\n\nThe story:\n%s\n\n%s\n\nThe end of Moorgate's log:\n%s", s.path(),
			strings.Join(wrong, "\n"), s.prose, g, h.moorgate().LogTail())
	}
	return true
}

// forgotten is whether the answer says that a Secret is unknown, and the story does not.
func (s story) forgotten(g got) bool {
	return len(s.want.Unread) == 0 && slices.ContainsFunc(g.c.Spec.Answer.Opinion.Unread, func(u string) bool { return strings.HasPrefix(u, "Secret/") })
}

// earlier lets the earlier rollouts in, one after the other. Each leaves its Case before the next begins, so that the Case
// of the change can be told from theirs; one that came in past the gate gets its Case when the judge finds it.
func (p *place) earlier(s story, part string, flags ...string) {
	p.t.Helper()
	objects, err := cluster.Decode([]byte(s.parts[part]))
	if err != nil {
		p.t.Fatal(part+": ", err)
	}
	for _, u := range objects {
		known, err := p.cases(gate.FaceWebhook, u.GetKind(), u.GetName())
		if err != nil {
			p.t.Fatal(err)
		}
		text, err := yaml.Marshal(u.Object)
		if err != nil {
			p.t.Fatal(err)
		}
		p.apply(part, string(text), flags...)
		if _, err := p.newCase(u.GetKind(), u.GetName(), known); err != nil {
			p.t.Fatalf("the Case of an earlier rollout: %v", err)
		}
		if strings.Contains(string(text), testcluster.FaultLabel) {
			continue // it never gets through
		}
		if out, err := p.kubectl("", "rollout", "status", u.GetKind()+"/"+u.GetName(), "--timeout", patience.String()); err != nil {
			p.t.Fatalf("wait for an earlier rollout: %v\n%s", err, out)
		}
	}
}

// removeAfterwards has what does not go with the namespace removed when the test ends.
func (p *place) removeAfterwards(manifest string) {
	p.t.Helper()
	objects, err := cluster.Decode([]byte(manifest))
	if err != nil {
		p.t.Fatal("world.yaml: ", err)
	}
	for _, u := range objects {
		if u.GetKind() == "Node" || u.GetKind() == "StorageClass" {
			p.t.Cleanup(func() { _ = p.admin.Delete(context.Background(), u) })
		}
	}
}

// twin is the change with twin.yaml patched into it.
func (s story) twin(t *testing.T) string {
	t.Helper()
	change, err := yaml.YAMLToJSON([]byte(s.parts["change.yaml"]))
	if err != nil {
		t.Fatal(err)
	}
	patch, err := yaml.YAMLToJSONStrict([]byte(s.parts["twin.yaml"]))
	if err != nil {
		t.Fatal("twin.yaml: ", err)
	}
	u, err := s.change()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]any{"Deployment": appsv1.Deployment{}, "StatefulSet": appsv1.StatefulSet{}, "DaemonSet": appsv1.DaemonSet{}}
	patched, err := strategicpatch.StrategicMergePatch(change, patch, kinds[u.GetKind()])
	if err != nil {
		t.Fatal("twin.yaml: ", err)
	}
	return string(patched)
}

// rehearsed says whether a dry run of the change is answered as the change itself should be.
func (s story) rehearsed(out string) error {
	if s.parts["later.yaml"] != "" {
		return holdsAll(out, s.want.Twin...) // before what comes later has come
	}
	if s.want.Answer == webhook.Admitted && strings.Contains(out, "moorgate: ") {
		return errors.New("it is warned about")
	}
	if spec, _ := s.guardrail(); s.want.Answer == webhook.Warned && spec.Admission.Mode == "Enforce" && strings.Contains(out, "would be denied") {
		return errors.New("it would be denied")
	}
	if len(s.want.Unread) == 0 && strings.Contains(out, "moorgate: confidence ") {
		return errors.New("not everything could be read")
	}
	if s.want.Answer == webhook.Admitted {
		return nil
	}
	for _, text := range s.want.Findings {
		if err := holdsAll(out, text); err != nil {
			return err
		}
	}
	return nil
}
