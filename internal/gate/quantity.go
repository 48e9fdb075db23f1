package gate

import (
	"math/big"
	"strings"
)

// units are the suffixes of quantities as Kubernetes writes them, longest first, as powers of a base.
var units = []struct {
	suffix      string
	base, power int64
}{
	{"Ki", 1024, 1}, {"Mi", 1024, 2}, {"Gi", 1024, 3}, {"Ti", 1024, 4}, {"Pi", 1024, 5}, {"Ei", 1024, 6},
	{"n", 1000, -3}, {"u", 1000, -2}, {"m", 1000, -1},
	{"k", 1000, 1}, {"M", 1000, 2}, {"G", 1000, 3}, {"T", 1000, 4}, {"P", 1000, 5}, {"E", 1000, 6},
}

// quantityMax is how many characters a quantity may have.
const quantityMax = 24

// quantity reads a quantity that is not negative, bare or as a JSON string: 3, "500m", 1.5Gi. It is exact. Anything else is
// none.
func quantity(s string) (*big.Rat, bool) {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	if len(s) > quantityMax {
		return nil, false
	}
	factor := big.NewRat(1, 1)
	for _, u := range units {
		if digits, ok := strings.CutSuffix(s, u.suffix); ok {
			s, factor = digits, power(u.base, u.power)
			break
		}
	}
	if strings.Trim(s, "0123456789.") != "" {
		return nil, false
	}
	n, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, false
	}
	return n.Mul(n, factor), true
}

func power(base, n int64) *big.Rat {
	if n < 0 {
		return new(big.Rat).Inv(power(base, -n))
	}
	return new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(base), big.NewInt(n), nil))
}
