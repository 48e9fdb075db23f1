package gate

import (
	"strconv"
	"strings"
)

// units are the suffixes of quantities as Kubernetes writes them, longest first.
var units = []struct {
	suffix string
	factor float64
}{
	{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40}, {"Pi", 1 << 50},
	{"m", 1e-3}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"P", 1e15},
}

// quantity reads a quantity that is not negative, bare or as a JSON string: 3, "500m", 1.5Gi. Anything else is none.
func quantity(s string) (float64, bool) {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	factor := 1.0
	for _, u := range units {
		if digits, ok := strings.CutSuffix(s, u.suffix); ok {
			s, factor = digits, u.factor
			break
		}
	}
	if s == "" || len(s) > 20 || strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n * factor, err == nil
}
