package app

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// modelConfig is the file that --model names: where the models are, how they are asked, and what that may cost in this
// process. Guardrails say when a model is asked, and what one Case and one namespace may cost.
type modelConfig struct {
	// URL is the endpoint, up to where /chat/completions follows: https://api.openai.com/v1.
	URL string `json:"url"`
	// KeyFile is read at each call, so that it can be rotated. Empty: the endpoint wants none. It is relative to this file.
	KeyFile string `json:"keyFile,omitempty"`
	// Auth is how the key is sent: bearer, or api-key as Azure OpenAI wants it.
	Auth string `json:"auth,omitempty"`
	// APIVersion is the query api-version that Azure OpenAI wants.
	APIVersion string `json:"apiVersion,omitempty"`
	// CAFile holds the roots that are trusted in place of the system's.
	CAFile string `json:"caFile,omitempty"`
	// Proxy is the URL of an HTTP proxy. No environment variable sets one.
	Proxy string `json:"proxy,omitempty"`
	// Timeout is how long one call may take, and Patience one question, with its samples, its expert and its retries.
	Timeout  metav1.Duration `json:"timeout,omitzero"`
	Patience metav1.Duration `json:"patience,omitzero"`
	// Triage is asked first, and Expert where that is unsure.
	Triage *tierConfig `json:"triage"`
	Expert *tierConfig `json:"expert,omitempty"`
	Limits limitConfig `json:"limits,omitzero"`
	// Cassette records what models say, or replays it, for tests and evaluation.
	Cassette *cassetteConfig `json:"cassette,omitempty"`

	folder string
}

// cassetteConfig is a folder with recorded answers. The audit folder's redaction key has to be the same for recording and replaying.
type cassetteConfig struct {
	Folder string `json:"folder"`
	Mode   string `json:"mode"` // replay, record, or auto: ask only what is not recorded
}

// tierConfig is one of the two models.
type tierConfig struct {
	Model     string       `json:"model"`
	Samples   int          `json:"samples,omitempty"`   // independent answers to one question
	TokensIn  int          `json:"tokensIn,omitempty"`  // most tokens of a question
	TokensOut int          `json:"tokensOut,omitempty"` // most tokens of an answer, with what is thought before it
	Price     *priceConfig `json:"price,omitempty"`     // {} is free; without one, budgets in USD refuse to ask
}

// priceConfig is in USD for a million tokens.
type priceConfig struct {
	In     float64 `json:"in,omitempty"`
	Cached float64 `json:"cached,omitempty"`
	Out    float64 `json:"out,omitempty"`
}

// limitConfig bounds what all questions of this process cost together. 0: no bound of that kind.
type limitConfig struct {
	TokensPerDay   int     `json:"tokensPerDay,omitempty"`
	USDPerDay      float64 `json:"usdPerDay,omitempty"`
	USDPerMonth    float64 `json:"usdPerMonth,omitempty"`
	Concurrent     int     `json:"concurrent,omitempty"`
	CallsPerMinute int     `json:"callsPerMinute,omitempty"`
}

// The values of what a file leaves out.
const (
	modelTimeout     = 30 * time.Second
	modelPatience    = 60 * time.Second
	triageSamples    = 3
	modelTokensIn    = 8000
	modelTokensOut   = 2000
	modelConcurrent  = 4
	modelPerMinute   = 60
	modelTokensDaily = 5_000_000
)

// readModelConfig reads the file that --model names. Every problem is reported, with what to write instead.
func readModelConfig(path string) (*modelConfig, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the model's configuration (--model): %w", err)
	}
	c := modelConfig{folder: filepath.Dir(path)}
	if err := yaml.UnmarshalStrict(content, &c); err != nil {
		return nil, fmt.Errorf("--model %s: %w", path, err)
	}
	c.fill()
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("--model %s: %w", path, err)
	}
	return &c, nil
}

func (c *modelConfig) fill() {
	orElse(&c.Auth, "bearer")
	orElse(&c.Timeout.Duration, modelTimeout)
	orElse(&c.Patience.Duration, modelPatience)
	orElse(&c.Limits.Concurrent, modelConcurrent)
	orElse(&c.Limits.CallsPerMinute, modelPerMinute)
	orElse(&c.Limits.TokensPerDay, modelTokensDaily)
	for tier, samples := range map[*tierConfig]int{c.Triage: triageSamples, c.Expert: 1} {
		if tier != nil {
			orElse(&tier.Samples, samples)
			orElse(&tier.TokensIn, modelTokensIn)
			orElse(&tier.TokensOut, modelTokensOut)
		}
	}
}

// orElse sets what was left out.
func orElse[T comparable](v *T, standard T) {
	if *v == *new(T) {
		*v = standard
	}
}

func (c *modelConfig) check() error {
	var errs []error
	say := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil {
		say("url %q is not of the form https://HOST/v1", c.URL)
	} else if u.Scheme == "http" && c.KeyFile != "" && !loopback(u.Hostname()) {
		say("url %q would send the key in the clear: use https, or leave keyFile out", c.URL)
	}
	if err := oneOf("auth", c.Auth, "bearer", "api-key"); err != nil {
		say("auth %q is not one of bearer, api-key", c.Auth)
	}
	if c.Proxy != "" {
		if u, err := url.Parse(c.Proxy); err != nil || u.Host == "" {
			say("proxy %q is not of the form http://HOST:PORT", c.Proxy)
		}
	}
	if c.Timeout.Duration < time.Second || c.Patience.Duration < c.Timeout.Duration {
		say("timeout %s must be a second at least, and patience %s no shorter than it", c.Timeout.Duration, c.Patience.Duration)
	}
	if c.Cassette != nil && (c.Cassette.Folder == "" || oneOf("mode", c.Cassette.Mode, "replay", "record", "auto") != nil) {
		say("cassette needs a folder, and a mode of replay, record, auto")
	}
	if c.Triage == nil {
		say("triage is missing: {model: NAME}")
	}
	if c.Limits.USDPerDay > 0 || c.Limits.USDPerMonth > 0 {
		for name, t := range map[string]*tierConfig{"triage": c.Triage, "expert": c.Expert} {
			if t != nil && t.Price == nil {
				say("limits are in USD, and %s.price is missing: {in: …, cached: …, out: …} in USD for a million tokens", name)
			}
		}
	}
	errs = append(errs, c.Triage.check("triage"), c.Expert.check("expert"), c.Limits.check())
	return errors.Join(errs...)
}

func (t *tierConfig) check(name string) error {
	if t == nil {
		return nil
	}
	var errs []error
	if strings.TrimSpace(t.Model) == "" {
		errs = append(errs, fmt.Errorf("%s.model is missing: the model's name as the endpoint knows it", name))
	}
	if t.Samples < 1 || t.Samples > 9 {
		errs = append(errs, fmt.Errorf("%s.samples is %d, which is not between 1 and 9", name, t.Samples))
	}
	if t.TokensIn < 2000 || t.TokensOut < 300 {
		errs = append(errs, fmt.Errorf("%s.tokensIn is %d and tokensOut %d: a question needs 2000 at least, an answer 300", name, t.TokensIn, t.TokensOut))
	}
	if p := t.Price; p != nil && (p.In < 0 || p.Cached < 0 || p.Out < 0) {
		errs = append(errs, fmt.Errorf("%s.price is below 0", name))
	}
	return errors.Join(errs...)
}

func (l limitConfig) check() error {
	if l.TokensPerDay < 0 || l.USDPerDay < 0 || l.USDPerMonth < 0 || l.Concurrent < 0 || l.CallsPerMinute < 0 {
		return errors.New("limits has a number below 0")
	}
	return nil
}

// file is a path of the configuration as seen from where the process runs.
func (c *modelConfig) file(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.folder, path)
}

// microUSD is a sum in millionths.
func microUSD(usd float64) int64 { return int64(usd * 1e6) }

// loopback is whether a host is this machine, by its address.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost"
}
