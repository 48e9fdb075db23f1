package gate

// The law: silence is not consent. Where no advisor has an opinion, or none chose anything, a human decides.
var silenceRule = rule{
	doc: Doc{ID: "silence", Since: "v0.1", Severity: Hold, Title: "Silence is not consent",
		Text: "Without an opinion and a choice nothing is done; the happening is left to a human."},
	weigh: func(_ *Rail, m *matter) (Decision, string) {
		if m.Silent != "" {
			return Hold, "there is no opinion: " + m.Silent
		}
		if len(m.Choice) == 0 {
			return Hold, "nothing was chosen"
		}
		return Allow, ""
	},
}
