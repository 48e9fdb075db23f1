package forge

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestAServersOwnWordsAreNotPassedOn(t *testing.T) {
	pkt := func(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }
	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	const hash = "1111111111111111111111111111111111111111"
	refs := pkt("# service=git-upload-pack\n") + "0000" + pkt(hash+" refs/heads/main\x00side-band-64k shallow\n") + "0000"
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{"a first packet of words", say(200, pkt("planted\x1b[31m words")), "it does not speak Git"},
		{"an error packet", say(200, pkt("ERR planted words")), "it does not speak Git"},
		{"references of words", say(200, pkt("# service=git-upload-pack\n")+"0000"+pkt("planted words")), "it does not speak Git"},
		{"unauthorised", say(401, "planted"), "it asks for credentials"},
		{"forbidden", say(403, "planted"), "it does not let us read"},
		{"not found", say(404, "planted"), "there is no such repository"},
		{"broken", say(500, "planted"), "the HTTP status 500"},
		{"a redirect to nowhere", func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, "http://planted.invalid/planted?planted", http.StatusFound)
		}, "read branch main"},
		{"words instead of a pack", func(w http.ResponseWriter, req *http.Request) {
			if req.Method == http.MethodGet {
				say(200, refs)(w, req)
				return
			}
			say(200, pkt("NAK\n")+pkt("\x03planted words"))(w, req)
		}, "its pack cannot be read"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := httptest.NewServer(test.handler)
			t.Cleanup(s.Close)
			_, err := Reader{Local: true}.Read(t.Context(), Repository{URL: s.URL, Branch: "main"}, "")
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "planted") {
				t.Fatalf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestAddressesOfCloudMetadataAreRefused(t *testing.T) {
	for _, address := range []string{"169.254.169.254", "::ffff:169.254.169.254", "fe80::1%eth0", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200",
		"168.63.129.16", "192.0.0.192", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "::a9fe:a9fe", "0.0.0.1", "::", "224.0.0.1", "64:ff9b::a83f:8110"} {
		if allowed(netip.MustParseAddr(address), true) {
			t.Errorf("%s is allowed", address)
		}
	}
	for _, address := range []string{"127.0.0.1", "::1", "64:ff9b::7f00:1"} {
		if at := netip.MustParseAddr(address); allowed(at, false) || !allowed(at, true) {
			t.Errorf("%s is not for an explicit yes", address)
		}
	}
	for _, address := range []string{"140.82.121.4", "2606:50c0:8000::153", "10.1.2.3", "192.168.1.1", "fd12::1", "64:ff9b::8c52:7904", "100.64.0.1"} {
		if !allowed(netip.MustParseAddr(address), false) {
			t.Errorf("%s is refused", address)
		}
	}
}

func TestAPackOfVeryManyObjectsIsRefused(t *testing.T) {
	pack := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), maxObjects+1)
	if err := weigh(pack, 1<<30); err == nil || !strings.Contains(err.Error(), "more than the allowed 200000 objects") {
		t.Errorf("got %v", err)
	}
}

func TestReadSaysWhenTheCommitWasMade(t *testing.T) {
	r := newRepo(t)
	r.commit(map[string]string{"web.yaml": "a: 1\n"})
	tree, err := Reader{Local: true}.Read(t.Context(), Repository{URL: r.url(), Branch: "main"}, "")
	if err != nil || !tree.Time.Equal(time.Unix(1, 0)) {
		t.Errorf("got %s, %v", tree.Time, err)
	}
}
