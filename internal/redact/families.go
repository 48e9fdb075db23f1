package redact

import (
	"regexp"
	"strings"
)

// family is one kind of secret. What is masked is the first group that matched, or the whole match where there is none.
type family struct {
	name string
	// hints are lower-case words of which a text must hold one, so that most texts are not searched. Empty: always searched.
	hints   []string
	pattern *regexp.Regexp
	spares  func(value string) bool // nil: nothing is spared
}

func (f *family) hinted(s string) bool {
	for _, h := range f.hints {
		if containsFold(s, h) {
			return true
		}
	}
	return len(f.hints) == 0
}

// secret is where the secret stands in a match.
func (f *family) secret(m []int) (from, to int) {
	for i := 2; i+1 < len(m); i += 2 {
		if m[i] >= 0 {
			return m[i], m[i+1]
		}
	}
	return m[0], m[1]
}

// containsFold is whether s holds the lower-case ASCII word in any case.
func containsFold(s, word string) bool {
	first := word[0]
	upper := first
	if first >= 'a' && first <= 'z' {
		upper -= 'a' - 'A'
	}
	for {
		i := strings.IndexByte(s, first)
		if upper != first {
			if j := strings.IndexByte(s, upper); j >= 0 && (i < 0 || j < i) {
				i = j
			}
		}
		if i < 0 || len(s)-i < len(word) {
			return false
		}
		if strings.EqualFold(s[i:i+len(word)], word) {
			return true
		}
		s = s[i+1:]
	}
}

// blocks may go over several lines.
var blocks = []family{
	{name: "private key", hints: []string{"private key"},
		pattern: regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s:,.()-]|\\[nrt])*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)|-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[^"'<>{}]*`)},
	{name: "certificate or other PEM", hints: []string{"-----begin"},
		pattern: regexp.MustCompile(`-----BEGIN (?:OPENSSH|PGP|ENCRYPTED)[A-Z0-9 ]*-----[^"'<>{}]*?(?:-----END [A-Z0-9 ]*-----|\z)`)},
}

// families are tried in this order, on one line: what is longest and surest first.
var families = []family{
	{name: "JSON Web Token", hints: []string{"eyj"},
		pattern: regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}`)},
	{name: "token with a prefix", hints: []string{"akia", "asia", "agpa", "aroa", "aida", "anpa", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "glpat-", "gldt-", "glrt-", "gloas-", "glcbt-", "glptt-", "glft-",
		"glimt-", "glagent-", "glsoat-", "xox", "xapp-", "sk-", "sk_", "pk_", "rk_", "whsec_", "npm_", "pypi-", "hf_", "dckr_", "aiza", "ya29.", "gocspx", "sg.", "key-", "shpat_", "shpss_", "shppa_", "shpca_",
		"dop_v1", "doo_v1", "dor_v1", "lin_api", "hvs.", "hvb.", "hvr.", "atlasv1", "tskey", "eaa", "sq0", "nrak", "glsa_", "ddp_", "dda_", "pat_", "dapi", "figd_", "ntn_", "secret_", "sbp_", "pul-", "ops_", "xai-", "gsk_", "r8_"},
		pattern: regexp.MustCompile(`(?:\b|\x1b\[[0-9;]*m)(` + strings.Join([]string{
			`(?:AKIA|ASIA|AGPA|AROA|AIDA|ANPA)[A-Z0-9]{12,}`,
			`gh[pousr]_[A-Za-z0-9]{20,}`, `github_pat_[A-Za-z0-9_]{20,}`,
			`gl(?:pat|dt|rt|oas|cbt|ptt|ft|imt|agent|soat)-[A-Za-z0-9_.-]{16,}`,
			`xox[abcdeoprs]-[A-Za-z0-9-]{10,}`, `xapp-[A-Za-z0-9-]{10,}`,
			`sk-(?:[A-Za-z0-9]+-)*[A-Za-z0-9_-]{16,}`, `[srp]k_(?:live|test)_[A-Za-z0-9]{10,}`, `whsec_[A-Za-z0-9+/=]{16,}`,
			`npm_[A-Za-z0-9]{20,}`, `pypi-[A-Za-z0-9_-]{20,}`, `hf_[A-Za-z0-9]{20,}`, `dckr_pat_[A-Za-z0-9_-]{16,}`, `dckr_oat_[A-Za-z0-9_-]{16,}`,
			`AIza[A-Za-z0-9_-]{30,}`, `ya29\.[A-Za-z0-9_-]{16,}`, `GOCSPX-[A-Za-z0-9_-]{16,}`,
			`SG\.[A-Za-z0-9_-]{12,}\.[A-Za-z0-9_-]{12,}`, `key-[0-9a-f]{32}`, `shp(?:at|ss|pa|ca)_[A-Fa-f0-9]{20,}`,
			`do[or]_v1_[a-f0-9]{20,}`, `dop_v1_[a-f0-9]{20,}`, `lin_api_[A-Za-z0-9]{16,}`,
			`hv[sbr]\.[A-Za-z0-9_-]{16,}`, `[A-Za-z0-9]{10,}\.atlasv1\.[A-Za-z0-9_=-]{20,}`, `tskey-[a-z]+-[A-Za-z0-9-]{10,}`,
			`EAA[A-Za-z0-9]{40,}`, `sq0[a-z]{3}-[A-Za-z0-9_-]{16,}`, `NRAK-[A-Z0-9]{16,}`, `glsa_[A-Za-z0-9_]{20,}`, `dd[pa]_[A-Za-z0-9]{20,}`,
			`AGE-SECRET-KEY-1[A-Z0-9]{20,}`, `dapi[a-f0-9]{32}`, `figd_[A-Za-z0-9_-]{16,}`, `ntn_[A-Za-z0-9]{20,}`, `secret_[A-Za-z0-9]{20,}`,
			`sbp_[a-f0-9]{20,}`, `pul-[a-f0-9]{20,}`, `ops_[A-Za-z0-9+/=_-]{20,}`, `xai-[A-Za-z0-9]{20,}`, `gsk_[A-Za-z0-9]{20,}`, `r8_[A-Za-z0-9]{20,}`, `pat_[A-Za-z0-9]{20,}`,
		}, `|`) + `)`)},
	{name: "URL with user-info", hints: []string{"://"},
		pattern: regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]{1,30}://([^\s/?#@"'<>]*:[^\s/?#"'<>]*|[^\s/?#@:"'<>]{16,})@[^\s"'<>]`)},
	{name: "webhook URL", hints: []string{"hooks.slack.com", "discord", "webhook.office.com", "/services/", "api.telegram.org"},
		pattern: regexp.MustCompile(`(?i)https?://(?:hooks\.slack\.com/(?:services|workflows|triggers)/|(?:canary\.|ptb\.)?discord(?:app)?\.com/api/webhooks/|[a-z0-9-]+\.webhook\.office\.com/webhookb2/|api\.telegram\.org/bot)([^\s"'<>]+)`)},
	{name: "signed URL", hints: []string{"sig=", "signature=", "sig%3d", "token=", "x-amz-"},
		pattern: regexp.MustCompile(`(?i)[?&;](?:sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature|access_token|token|auth|code)(?:=|%3D)([^\s&"'<>#]{8,})`)},
	{name: "authorization header", hints: []string{"bearer", "basic", "authorization", "api-key", "apikey", "token", "cookie"},
		pattern: regexp.MustCompile(`(?i)\b(?:bearer|basic)[\s:]+([A-Za-z0-9._~+/=-]{8,})|\b(?:proxy-)?authorization["']?\s*(?:[:=]|%3A)\s*["']?(?:(?:bearer|basic|token|digest|negotiate|apikey|aws4-hmac-sha256)[\s:]+)?([^\s"',;\\]{6,})|\b(?:set-)?cookie["']?\s*[:=]\s*["']?([^\r\n"'\\]{6,})`)},
	{name: "password on a command line", hints: []string{"-p", "--"},
		pattern: regexp.MustCompile(`(?i)(?:(?:^|[^\w-])-|--)(?:[a-z0-9]+[-_.])*(?:password|passwd|passphrase|pass|pwd|secret|token|api-?key|access-?key|secret-?key|private-?key|credentials?|auth)(?:[=\s]|","|", "|"\s*,\s*")\s*["']?([^\s"',\[\]]{3,})|\b(?:mysql|mysqldump|mysqladmin|sshpass|mariadb)\b[^\r\n|;]{0,80}?\s-p([^\s"'-][^\s"']{2,})`),
		spares:  spared},
	{name: "quoted value named as a secret", hints: secretWords,
		pattern: regexp.MustCompile(`(?i)(?:password|passwd|passphrase|pwd|secret|token|api[_.-]?key|access[_.-]?key|private[_.-]?key|credentials?)(?:\s+for\s+[^\s"':]{1,64})?\\?["']?\s*(?:[:=]|\bis\b)\s*(?:\\?"((?:[^"\\\r\n]|\\[^"\r\n]){3,}?)\\?"|'([^'\r\n]{3,})')`),
		spares:  spared},
	{name: "user and password on a command line", hints: []string{"-u", "--user"},
		pattern: regexp.MustCompile(`(?:\s|^)(?:-u|--user)[ =]["']?[^\s:"']{1,64}:([^\s"']{3,})`)},
	{name: "value named as a secret", hints: secretWords,
		pattern: regexp.MustCompile(`(?i)(?:[a-z0-9]*[_.-])*(?:password|passwd|passwort|passphrase|pwd|secret|token|api[_.-]?key|apikey|access[_.-]?key(?:[_.-]?id)?|account[_.-]?key|shared[_.-]?access[_.-]?key|secret[_.-]?key|private[_.-]?key|client[_.-]?secret|signing[_.-]?key|encryption[_.-]?key|master[_.-]?key|auth[_.-]?key|connection[_.-]?string|connectionstring|credentials?|dsn|pgpass|pass)(?:[_.-]?(?:value|hash|base64|b64|enc))?` +
			`(?:\\?["'])?(?:\s+(?:is|was)\s+|\s*(?:=>|:=|==|[:=]|%3D|\\u003d|&#61;)\s*)(?:\\?["'])?([^\s"'\\,;&<>{}()\[\]|]{3,}(?:[^\s"'\\<>{}()\[\]]*[^\s"'\\,;&<>{}()\[\].])?)`),
		spares: spared},
}

var secretWords = []string{"pass", "pwd", "secret", "token", "key", "credential", "dsn", "connectionstring", "connection_string", "connection-string", "connection.string"}

// mails are e-mail addresses.
var mails = family{name: "e-mail address", hints: []string{"@"},
	pattern: regexp.MustCompile(`\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}\b`)}

// spared is what stands where a secret could and is none: words of people and of programs about one.
func spared(v string) bool {
	v = strings.ToLower(strings.Trim(v, `.,:;!?"'`))
	if placeholder.MatchString(v) || strings.HasPrefix(v, "$") || strings.HasPrefix(v, "%!") || strings.HasPrefix(v, "secretkeyref") || strings.HasPrefix(v, "valuefrom") {
		return true
	}
	return plainWords[v]
}

var plainWords = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`yes no null nil none true false empty missing invalid expired required unknown undefined unset redacted hidden masked
		incorrect wrong denied rejected failed authentication mismatch file path name secret secrets password token key not for and the was has must
		cannot error changed rotated absent provided given configured found validation verification is are does could should will without with
		from expected unexpected request response string object value bearer basic type length bytes authenticated unauthorized forbidden
		***** ****** ******** *** <nil> <none> <redacted> xxx xxxx xxxxx xxxxxx xxxxxxxx ... … [masked] configmap opaque kubernetes.io/tls
		kubernetes.io/service-account-token kubernetes.io/dockerconfigjson refresh refreshed issued issuer cache lookup store manager`) {
		plainWords[w] = true
	}
}
