package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestModelConfig(t *testing.T) {
	for _, row := range []struct{ name, content, want string }{
		{"the least", "url: https://api.example.com/v1\ntriage: {model: small}", ""},
		{"one in the clear without a key", "url: http://127.0.0.1:11434/v1\ntriage: {model: small}", ""},
		{"one in the clear with a key", "url: http://10.0.0.1:11434/v1\nkeyFile: key\ntriage: {model: small}", "in the clear"},
		{"an unknown field", "url: https://x/v1\ntriage: {model: small}\nbudget: 3", "unknown field \"budget\""},
		{"a key in the file itself", "url: https://x/v1\nkey: sk-1\ntriage: {model: small}", "unknown field \"key\""},
		{"a field twice", "url: https://x/v1\nurl: https://y/v1\ntriage: {model: small}", "already"},
		{"no triage", "url: https://x/v1", "triage is missing"},
		{"no name", "url: https://x/v1\ntriage: {samples: 1}", "triage.model is missing"},
		{"user-info in the URL", "url: https://a:b@x/v1\ntriage: {model: small}", "https://HOST/v1"},
		{"samples without end", "url: https://x/v1\ntriage: {model: small, samples: 10}", "between 1 and 9"},
		{"a question of no length", "url: https://x/v1\ntriage: {model: small, tokensIn: 100}", "2000 at least"},
		{"a price below nothing", "url: https://x/v1\ntriage: {model: small}\nexpert: {model: large, price: {in: -1}}", "expert.price"},
		{"patience shorter than a call", "url: https://x/v1\npatience: 2s\ntriage: {model: small}", "patience"},
		{"a limit below nothing", "url: https://x/v1\ntriage: {model: small}\nlimits: {usdPerDay: -1}", "below 0"},
		{"a cassette of no mode", "url: https://x/v1\ntriage: {model: small}\ncassette: {folder: tapes}", "replay, record, auto"},
		{"an unknown way to send the key", "url: https://x/v1\nauth: basic\ntriage: {model: small}", "bearer, api-key"},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "model.yaml")
			if err := os.WriteFile(path, []byte(row.content), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := readModelConfig(path)
			switch {
			case row.want == "" && err != nil:
				t.Fatal(err)
			case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
				t.Fatalf("%v, want one that says %q", err, row.want)
			case err == nil && (c.Triage.Samples != triageSamples || c.Timeout.Duration != 30*time.Second || c.Limits.Concurrent != modelConcurrent):
				t.Errorf("what was left out is %+v", c)
			}
		})
	}
}
