package gate

import (
	"math/big"
	"strings"
)

// units are the suffixes of quantities as Kubernetes writes them, longest first, and what they stand for.
var units = []struct{ suffix, factor string }{
	{"Ki", "1024"}, {"Mi", "1048576"}, {"Gi", "1073741824"}, {"Ti", "1099511627776"}, {"Pi", "1125899906842624"}, {"Ei", "1152921504606846976"},
	{"n", "1/1000000000"}, {"u", "1/1000000"}, {"m", "1/1000"},
	{"k", "1000"}, {"M", "1000000"}, {"G", "1000000000"}, {"T", "1000000000000"}, {"P", "1000000000000000"}, {"E", "1000000000000000000"},
}

// quantityMax is how many characters a quantity may have.
const quantityMax = 24

// quantity reads a quantity that is not negative, bare or as a JSON string: 3, "500m", 1.5Gi. It is exact. Anything else is
// none.
func quantity(s string) (*big.Rat, bool) {
	if bare, quoted := strings.CutPrefix(s, `"`); quoted {
		if s, quoted = strings.CutSuffix(bare, `"`); !quoted {
			return nil, false
		}
	}
	if len(s) > quantityMax {
		return nil, false
	}
	factor := "1"
	for _, u := range units {
		if digits, ok := strings.CutSuffix(s, u.suffix); ok {
			s, factor = digits, u.factor
			break
		}
	}
	if strings.Trim(s, "0123456789.") != "" {
		return nil, false
	}
	n, ok := new(big.Rat).SetString(s)
	unit, _ := new(big.Rat).SetString(factor)
	if !ok {
		return nil, false
	}
	return n.Mul(n, unit), true
}
