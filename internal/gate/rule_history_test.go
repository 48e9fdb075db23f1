package gate

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestHistory(t *testing.T) {
	healed := func(well, tried int) func(*Rail, *Assessment, *Facts) {
		return func(_ *Rail, _ *Assessment, f *Facts) {
			f.History = Known(Tally{Cause: "crash", Verb: "evict", Tried: tried, Healed: well})
		}
	}
	below := func(n Fact[int]) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, _ *Assessment, _ *Facts) { r.HistoryBelow = n }
	}
	weigh(t, "history", []weighed{
		{"enough healed", healed(40, 40), Allow, ""},
		{"just enough healed", healed(12, 12), Allow, ""},
		{"one too few", healed(11, 11), Hold, "11 of 11 healed before: sure of 74 %, and 75 % is asked for"},
		{"none healed", healed(0, 3), Hold, "0 of 3"},
		{"never tried", healed(0, 0), Hold, "never tried"},
		{"never tried, and nothing is asked for", func(r *Rail, a *Assessment, f *Facts) { healed(0, 0)(r, a, f); r.HistoryBelow = Known(0) }, Hold, "never tried"},
		{"none healed, and nothing is asked for", func(r *Rail, a *Assessment, f *Facts) { healed(0, 3)(r, a, f); r.HistoryBelow = Known(0) }, Allow, ""},
		{"more healed than were tried", healed(41, 40), Hold, "makes no sense"},
		{"healed without being tried", healed(1, 0), Hold, "makes no sense"},
		{"fewer than none healed", healed(-1, 40), Hold, "makes no sense"},
		{"tried fewer times than never", healed(-2, -1), Hold, "makes no sense"},
		{"nobody knows", func(_ *Rail, _ *Assessment, f *Facts) { f.History = Unknown[Tally]("no audit log") }, Hold, "no audit log"},
		{"of another action", func(_ *Rail, _ *Assessment, f *Facts) {
			f.History = Known(Tally{Cause: "crash", Verb: "scale", Tried: 40, Healed: 40})
		}, Hold, `"scale" for cause "crash"`},
		{"for another cause", func(_ *Rail, _ *Assessment, f *Facts) {
			f.History = Known(Tally{Cause: "oom", Verb: "evict", Tried: 40, Healed: 40})
		}, Hold, `"evict" for cause "oom"`},
		{"no threshold", below(Fact[int]{}), Hold, "there is no historyBelow"},
		{"a threshold that makes no sense", below(Known(101)), Hold, "101 is not between"},
		{"a negative threshold", below(Known(-1)), Hold, "-1 is not between"},
		{"a pull request needs none", func(_ *Rail, a *Assessment, f *Facts) { a.Choice, f.History = []string{"propose"}, Fact[Tally]{} }, Allow, ""},
	})
}

func TestSure(t *testing.T) {
	for _, row := range []struct{ well, tried, want int }{
		{0, 0, 0}, {1, 0, 0}, {-1, 5, 0}, {6, 5, 0}, {1, -1, 0}, {-1, -2, 0}, {0, -2, 0}, {2, 1, 0}, {10001, 10000, 0}, {-1, 10000, 0}, {9000, 10, 0}, {0, 5, 0}, {1, 1, 20}, {3, 3, 43}, {20, 20, 83}, {72, 72, 94}, {73, 73, 95}, {73, 74, 92},
		{1, 2, 9}, {50, 100, 40}, {0, 1000, 0}, {1000000, 1000000, 99},
	} {
		if got := Sure(row.well, row.tried); got != row.want {
			t.Errorf("%d of %d: sure of %d, want %d", row.well, row.tried, got, row.want)
		}
	}
}

// TestSureIsTheWilsonBound compares with the equation that the bound solves: that the observed share lies z standard errors
// above it.
func TestSureIsTheWilsonBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tried := rapid.IntRange(1, 5000).Draw(t, "tried")
		well := rapid.IntRange(0, tried).Draw(t, "well")
		got := Sure(well, tried)
		p, n := float64(well)/float64(tried), float64(tried)
		short := func(percent int) bool { // the share is further above the bound than z standard errors
			q := float64(percent) / 100
			return p-q >= 1.959964*math.Sqrt(q*(1-q)/n)-1e-12
		}
		if !short(got) && got > 0 || short(got+1) && got+1 < 100 && math.Abs(p-float64(got+1)/100-1.959964*math.Sqrt(float64(got+1)/100*(1-float64(got+1)/100)/n)) > 1e-9 {
			t.Fatalf("%d of %d: sure of %d", well, tried, got)
		}
		if tried < 5000 && Sure(well, tried+1) > got {
			t.Fatal("one more that did not heal made surer")
		}
	})
}
