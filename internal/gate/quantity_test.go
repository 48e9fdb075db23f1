package gate

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestQuantity(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "3": "3", "010": "10", "1.5": "3/2", ".5": "1/2", "5.": "5", `"500m"`: "1/2", "9m": "9/1000", "2u": "2/1000000", "3n": "3/1000000000", "2k": "2000", "2M": "2000000",
		"1G": "1000000000", "1T": "1000000000000", "1P": "1000000000000000", "1E": "1000000000000000000", "1Ki": "1024", "1Mi": "1048576",
		"1.5Gi": "1610612736", "1Ti": "1099511627776", "1Pi": "1125899906842624", "1Ei": "1152921504606846976",
		"999999999999999999999999": "999999999999999999999999",
	} {
		exact, _ := new(big.Rat).SetString(want)
		if got, ok := quantity(text); !ok || got.Cmp(exact) != 0 {
			t.Errorf("%s reads as %v (%t), want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{"", `"`, `""`, ".", "m", "Ki", "-1", "+1", "1e3", "0x10", "1/2", "1_0", "1 ", "1.2.3", "1KiKi", "1kKi", "1mm", "1\"", "\"1", "1mi", `"1`, `1"`, "many", "NaN", "Inf", "{}", "null",
		"9999999999999999999999999"} {
		if got, ok := quantity(text); ok {
			t.Errorf("%q reads as %s", text, got)
		}
	}
}

// FuzzQuantity compares with a reading of its own: digits and at most one dot, and a unit.
func FuzzQuantity(f *testing.F) {
	for _, seed := range []string{"3", `"500m"`, "1.5Gi", "1.2.3", "", ".", "-1", "1e3", "0x10", "1/2", "99999999999999999999999Ei"} {
		f.Add(seed)
	}
	form := regexp.MustCompile(`^(\d*)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)?$`)
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := quantity(text)
		bare := text
		if len(text) >= 2 && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) {
			bare = text[1 : len(text)-1]
		}
		m := form.FindStringSubmatch(bare)
		if fits := m != nil && m[1]+m[2] != "" && len(bare) <= 24; fits != ok {
			t.Fatalf("%q: a quantity %t, want %t", text, ok, fits)
		}
		if !ok {
			return
		}
		digits, _ := new(big.Int).SetString("0"+m[1]+m[2], 10)
		want := new(big.Rat).SetFrac(digits, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(m[2]))), nil))
		unit := big.NewRat(1, 1)
		switch i := strings.Index("n u m k M G T P E", m[3]); {
		case strings.HasSuffix(m[3], "i"):
			unit.SetInt(new(big.Int).Lsh(big.NewInt(1), uint(10*(1+strings.Index("KMGTPE", m[3][:1])))))
		case m[3] != "" && i < 6:
			unit.SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(1000), big.NewInt(int64(3-i/2)), nil))
		case m[3] != "":
			unit.SetInt(new(big.Int).Exp(big.NewInt(1000), big.NewInt(int64(i/2-2)), nil))
		}
		if want.Mul(want, unit); got.Cmp(want) != 0 {
			t.Fatalf("%q reads as %s, want %s", text, got, want)
		}
	})
}

func TestSteps(t *testing.T) {
	for path, want := range map[string][]string{
		"": nil, ".": nil, "spec": {"spec"}, "spec.replicas": {"spec", "replicas"}, "a..b": {"a", "b"},
		"spec.containers[name=app].resources.limits[memory]": {"spec", "containers", "[name=app]", "resources", "limits", "memory"},
		`spec.containers[0].resources["limits"]["a.b/c"].x`:  {"spec", "containers", "[0]", "resources", "limits", "a.b/c", "x"},
		"metadata.annotations[moorgate.dev/readiness-score]": {"metadata", "annotations", "moorgate.dev/readiness-score"},
		"[?]": {"[?]"}, "finalizers[=x]": {"finalizers", "[=x]"}, "a[b": {"a", "b"}, `a["b`: {"a", `"b`}, `a["b"`: {"a", "b"}, "a[]": {"a", ""},
	} {
		if got := steps(path); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// FuzzSteps shows that any path ends.
func FuzzSteps(f *testing.F) {
	f.Add(`spec.containers[0].resources["limits"][memory]`)
	f.Fuzz(func(t *testing.T, path string) {
		if n := len(steps(path)); n > len(path) {
			t.Fatalf("%d steps of %d bytes", n, len(path))
		}
	})
}
