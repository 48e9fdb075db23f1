package drift

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"strings"
	"testing"
)

func packed(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return []byte(base64.StdEncoding.EncodeToString(b.Bytes()))
}

const storedRelease = `{"name": "web", "namespace": "shop", "version": 3, "manifest": "kind: planted", "info": {"status": "deployed"}, "chart": {}}`

func TestReleaseOf(t *testing.T) {
	for name, stored := range map[string][]byte{"packed": packed(t, []byte(storedRelease)), "old": []byte(base64.StdEncoding.EncodeToString([]byte(storedRelease)))} {
		if r, err := releaseOf(stored); err != nil || r.Name != "web" || r.Version != 3 || r.Info.Status != "deployed" || r.Manifest != "kind: planted" {
			t.Errorf("%s: got %+v, %v", name, r, err)
		}
	}
	for name, test := range map[string]struct {
		stored []byte
		want   string
	}{
		"nothing":        {nil, "not of the form"},
		"no base64":      {[]byte("planted!"), "not of the form"},
		"no JSON":        {packed(t, []byte("planted")), "not of the form"},
		"no release":     {packed(t, []byte(`{"manifest": "planted"}`)), "not of the form"},
		"cut short":      {packed(t, []byte(storedRelease))[:60], "it cannot be unpacked"},
		"a bomb":         {packed(t, bytes.Repeat([]byte(" "), mostUnpacked+1)), "unpacks to more than 32 MiB"},
		"more than most": {bytes.Repeat([]byte("A"), mostStored+1), "longer than 2 MiB"},
	} {
		if _, err := releaseOf(test.stored); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func FuzzReleaseOf(f *testing.F) {
	f.Add(packed(f, []byte(storedRelease)))
	f.Add([]byte(base64.StdEncoding.EncodeToString([]byte(storedRelease))))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := releaseOf(b); err == nil && (r.Name == "" || r.Version < 1) {
			t.Errorf("read %+v", r)
		}
	})
}
