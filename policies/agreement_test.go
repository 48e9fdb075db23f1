package policies

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

// Whatever somebody writes into a Guardrail, a file and the API server agree on whether it is one, and on what it means. All that
// a file is refused for beyond that is what no schema can say: freeze windows and labels that make no sense.
func TestFilesAndTheServerAgree(t *testing.T) {
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	h := handOf(t, c.Config())
	schema, err := guardrailSchema()
	if err != nil {
		t.Fatal(err)
	}
	accepted, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		wrong := rapid.IntRange(0, 3).Draw(rt, "wrong") // how many mistakes may be made
		spec := drawValue(rt, schema.Properties["spec"], "spec", &wrong)
		content := rail("{name: agreement}", asJSON(t, spec))
		parsed, ours := Parse("r.yaml", []byte(content))
		stored := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
		stored.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Guardrail"))
		stored.SetName("agreement")
		theirs := h.client.Create(t.Context(), stored, client.DryRunAll)
		switch {
		case ours == nil && theirs == nil:
			accepted++
			if got, want := parsed[0].Object["spec"], stored.Object["spec"]; !equality.Semantic.DeepEqual(got, want) {
				rt.Fatalf("the file means %s\nthe server stores %s", asJSON(t, got), asJSON(t, want))
			}
		case ours == nil:
			rt.Fatalf("the server refuses what a file may say: %v\n%s", theirs, content)
		case theirs == nil && !onlySense(ours):
			rt.Fatalf("the server takes what a file is refused for: %v\n%s", ours, content)
		case theirs != nil && !apierrors.IsInvalid(theirs) && !apierrors.IsForbidden(theirs) && !apierrors.IsBadRequest(theirs):
			rt.Fatalf("the server fails: %v", theirs)
		default:
			refused++
		}
	})
	if accepted == 0 || refused == 0 {
		t.Errorf("%d accepted, %d refused: nothing is shown", accepted, refused)
	}
}

// onlySense reports whether all that is wrong is what no schema can say.
func onlySense(err error) bool {
	var all interface{ Unwrap() []error }
	if !errors.As(err, &all) {
		return false
	}
	return !slices.ContainsFunc(all.Unwrap(), func(e error) bool {
		return !strings.Contains(e.Error(), "]: schedule ") && !strings.Contains(e.Error(), "]: timeZone ") &&
			!strings.Contains(e.Error(), "spec.namespaceSelector.match")
	})
}

// drawValue draws a value of a schema, with as many mistakes as are left to make.
func drawValue(t *rapid.T, s props, path string, wrong *int) any {
	mistake := *wrong > 0 && rapid.IntRange(0, 19).Draw(t, path+" mistaken") == 0
	if mistake {
		*wrong--
		if rapid.Bool().Draw(t, path+" of another kind") {
			return rapid.SampledFrom([]any{"", "x", int64(-1), true, []any{"x"}, map[string]any{"x": "y"}}).Draw(t, path)
		}
	}
	switch s.Type {
	case "object":
		return drawMapping(t, s, path, mistake, wrong)
	case "array":
		list := []any{}
		for range rapid.IntRange(0, 2).Draw(t, path+" entries") {
			list = append(list, drawValue(t, *s.Items.Schema, path+"[]", wrong))
		}
		return list
	case "integer":
		least, most := int64(*s.Minimum), int64(*s.Maximum)
		if mistake {
			return rapid.SampledFrom([]int64{least - 1, most + 1}).Draw(t, path)
		}
		return rapid.SampledFrom([]int64{least, most, (least + most) / 2}).Draw(t, path)
	}
	return drawText(t, s, path, mistake)
}

func drawMapping(t *rapid.T, s props, path string, mistake bool, wrong *int) any {
	object := map[string]any{}
	if mistake {
		object["unheard"] = "of"
	}
	if s.AdditionalProperties != nil {
		for _, key := range rapid.SliceOfN(rapid.SampledFrom([]string{"team", "team.example/tier", "team", "tier", "a b"}), 0, 2).Draw(t, path+" keys") {
			object[key] = drawValue(t, *s.AdditionalProperties.Schema, path+"."+key, wrong)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		must := slices.Contains(s.Required, name) && !mistake
		if must || rapid.IntRange(0, 2).Draw(t, path+" has "+name) == 0 {
			object[name] = drawValue(t, s.Properties[name], path+"."+name, wrong)
		}
	}
	return object
}

func drawText(t *rapid.T, s props, path string, mistake bool) string {
	switch {
	case mistake:
		return rapid.SampledFrom([]string{"", strings.Repeat("x", 400), "1h1h1h1h", "-5m", "1e9", "system:serviceaccount:a", "at noon"}).Draw(t, path)
	case len(s.Enum) > 0:
		return literal(rapid.SampledFrom(s.Enum).Draw(t, path))
	case strings.Contains(s.Pattern, "[smh]"):
		return rapid.SampledFrom([]string{"30s", "1m", "5m", "1h", "24h", "744h", "25h", "59s", "1h30m", "4s", "0h"}).Draw(t, path)
	case strings.Contains(s.Pattern, "serviceaccount"):
		return rapid.SampledFrom([]string{"system:serviceaccount:ci:bot", "system:serviceaccount:ci:bot.2"}).Draw(t, path)
	case s.Pattern != "":
		return rapid.SampledFrom([]string{"1", "500m", "1.5Gi", "10k"}).Draw(t, path)
	case s.MinLength != nil && *s.MinLength == 9:
		return rapid.SampledFrom([]string{"0 0 * * *", "0 22 * * 1-5", "*/5 * * * *", "0 0 31 2 *", "@every 1h"}).Draw(t, path)
	case s.Default != nil:
		return rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "Europe/Atlantis"}).Draw(t, path)
	}
	return rapid.SampledFrom([]string{"a", "b", "a", "b", "a", "b", "é世", "resources.limits[memory]"}).Draw(t, path)
}
