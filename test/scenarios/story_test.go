package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/webhook/checks"
)

//go:embed all:webhook
var files embed.FS

// story is one archive.
type story struct {
	check string // the folder
	name  string // the file without its ending
	prose string
	parts map[string]string
	want  want
	waits []condition
}

// want is what must come of a story.
type want struct {
	Answer       string            `json:"answer"`
	Score        *int32            `json:"score,omitempty"`
	ScoreAtMost  *int32            `json:"scoreAtMost,omitempty"`
	ScoreAtLeast *int32            `json:"scoreAtLeast,omitempty"`
	Findings     map[string]string `json:"findings,omitempty"`
	Absent       []string          `json:"absent,omitempty"`
	Says         []string          `json:"says,omitempty"`
	Unread       []string          `json:"unread,omitempty"`
	Twin         []string          `json:"twin,omitempty"`
}

// condition is something to wait for.
type condition struct {
	Pods    map[string]string `json:"pods"`
	Are     string            `json:"are"`
	AtLeast int               `json:"atLeast"`
}

func (s story) path() string { return path.Join("webhook", s.check, s.name+".txtar") }
func (s story) fails() bool  { return strings.HasPrefix(s.name, "failure-") }

var (
	storyName = regexp.MustCompile(`^(success|failure)-[a-z0-9]+(-[a-z0-9]+)*\.txtar$`)
	partNames = []string{"guardrail.yaml", "past.yaml", "before.yaml", "world.yaml", "wait.yaml", "twin.yaml", "change.yaml", "later.yaml", "want.yaml"}
)

// stories finds every story. Whatever lies in the folder and is none is an error: nothing there goes unplayed.
func stories(from fs.FS, ids []string) ([]story, error) {
	var all []story
	var errs []error
	told := map[string]bool{}
	err := fs.WalkDir(from, "webhook", func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		check := path.Base(path.Dir(at))
		if path.Dir(path.Dir(at)) != "webhook" || !slices.Contains(ids, check) || !storyName.MatchString(d.Name()) {
			errs = append(errs, fmt.Errorf("%s: not of the form webhook/<check>/<success|failure>-<words>.txtar, so nobody plays it", at))
			return nil
		}
		s, err := readStory(from, check, strings.TrimSuffix(d.Name(), ".txtar"))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", at, err))
			return nil
		}
		all = append(all, s)
		told[check+"/"+s.name[:len("success")]] = true
		return nil
	})
	for _, id := range ids {
		for _, kind := range []string{"success", "failure"} {
			if !told[id+"/"+kind] {
				errs = append(errs, fmt.Errorf("the check %s has no %s story", id, kind))
			}
		}
	}
	return all, errors.Join(append(errs, err)...)
}

// aRule is the rule of the guardrail that stories are told about beside the checks.
const aRule = "frozen"

// storyIDs are the folders of stories.
func storyIDs() []string { return append(checkIDs(), aRule) }

func checkIDs() []string {
	var ids []string
	for _, c := range checks.All() {
		ids = append(ids, c.ID)
	}
	return ids
}

func readStory(from fs.FS, check, name string) (story, error) {
	s := story{check: check, name: name, parts: map[string]string{}}
	content, err := fs.ReadFile(from, s.path())
	if err != nil {
		return s, err
	}
	archive := txtar.Parse(content)
	s.prose = strings.TrimSpace(string(archive.Comment))
	for _, f := range archive.Files {
		if _, twice := s.parts[f.Name]; twice || !slices.Contains(partNames, f.Name) {
			return s, fmt.Errorf("%s is there twice or is none of %v", f.Name, partNames)
		}
		if s.parts[f.Name] = string(f.Data); strings.TrimSpace(s.parts[f.Name]) == "" {
			return s, fmt.Errorf("%s is empty", f.Name)
		}
	}
	if err := yaml.UnmarshalStrict([]byte(s.parts["want.yaml"]), &s.want); err != nil {
		return s, fmt.Errorf("want.yaml: %w", err)
	}
	if err := yaml.UnmarshalStrict([]byte(s.parts["wait.yaml"]), &s.waits); err != nil {
		return s, fmt.Errorf("wait.yaml: %w", err)
	}
	return s, errors.Join(s.checkParts(), s.checkWant())
}

// change is the one workload under test.
func (s story) change() (*unstructured.Unstructured, error) {
	objects, err := cluster.Decode([]byte(s.parts["change.yaml"]))
	if err != nil {
		return nil, fmt.Errorf("change.yaml: %w", err)
	}
	if len(objects) != 1 || !slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, objects[0].GetKind()) {
		return nil, errors.New("change.yaml: not one Deployment, StatefulSet or DaemonSet")
	}
	return objects[0], nil
}

// guardrail is the story's Guardrail, but for its name and the namespace that it selects.
func (s story) guardrail() (v1alpha1.GuardrailSpec, error) {
	spec := usual("Enforce")
	if err := yaml.UnmarshalStrict([]byte(s.parts["guardrail.yaml"]), &spec); err != nil {
		return spec, fmt.Errorf("guardrail.yaml: %w", err)
	}
	if spec.Admission.Mode == "Observe" {
		return spec, errors.New("guardrail.yaml: a gate that only observes says nothing that a story could wait for")
	}
	return spec, nil
}

// usual is the Guardrail that stories are told under.
func usual(admission string) v1alpha1.GuardrailSpec {
	return v1alpha1.GuardrailSpec{Mode: "Observe", Admission: v1alpha1.Admission{Mode: admission, OnMissing: "Warn"},
		Thresholds: v1alpha1.Thresholds{WarnBelow: new(int32(80)), DenyBelow: new(int32(50)), ConfidenceBelow: new(int32(100))}}
}
