package advise

import (
	"fmt"
	"strings"
	"time"
)

// refused says why a call may not be made, with every budget that it does not fit in; empty if it may. The caller holds the lock.
func (s *Spend) refused(p Prompt, o owner, most amount, priced bool, now time.Time) string {
	var c, n, d, m account
	if x := s.cases[o.of]; x != nil {
		c = x.account
	} else if len(s.cases) >= casesMost {
		return fmt.Sprintf("%d Cases asked lately, more than are kept apart: what this one spent could not be counted; it is free again as days pass", casesMost)
	}
	if x := s.days.get(dayOf(now)); x != nil {
		d = x.account
		if y := x.namespaces[o.namespace]; y != nil {
			n = *y
		}
	}
	if x := s.months.get(monthOf(now)); x != nil {
		m = *x
	}
	tomorrow, later := "it is free again at "+nextDay(now).Format(time.RFC3339), "it is free again at "+nextMonth(now).Format(time.RFC3339)
	var why []string
	say := func(said string) {
		if said != "" {
			why = append(why, said)
		}
	}
	tokens := func(a account) (int64, int64) { return a.spent.tokens, a.held.tokens }
	micro := func(a account) (int64, int64) { return a.spent.micro, a.held.micro }
	ask := func(of string, size int64, always bool, a account, in func(account) (int64, int64), want int64, show func(int64) string, when string) {
		spent, held := in(a)
		if (always || size > 0) && saturated(saturated(spent, held), want) > size {
			say(fmt.Sprintf("the budget %s is %s, of which %s are spent and %s are held for calls under way, and this call may cost %s; %s",
				of, show(size), show(spent), show(held), show(want), when))
		}
	}
	ask("of Case "+o.of, int64(p.Asking.CaseTokens), true, c, tokens, most.tokens, inTokens, "the Guardrail's caseTokens sets it, and it is for the Case's whole life")
	ask("of namespace "+o.namespace+" for a day", int64(p.Asking.NamespaceTokens), true, n, tokens, most.tokens, inTokens, tomorrow)
	ask("of this process for a day", int64(s.limits.TokensPerDay), false, d, tokens, most.tokens, inTokens, tomorrow)
	if (s.limits.MicroUSDPerDay > 0 || s.limits.MicroUSDPerMonth > 0) && !priced {
		say(fmt.Sprintf("there is a budget of money, and the price of the %s model is not known: configure it", p.Tier))
	}
	ask("of money for a day", s.limits.MicroUSDPerDay, false, d, micro, most.micro, inUSD, tomorrow)
	ask("of money for a month", s.limits.MicroUSDPerMonth, false, m, micro, most.micro, inUSD, later)
	return strings.Join(why, "; and ")
}

func inTokens(n int64) string { return fmt.Sprintf("%d tokens", n) }

func inUSD(micro int64) string { return fmt.Sprintf("$%d.%06d", micro/1e6, micro%1e6) }
