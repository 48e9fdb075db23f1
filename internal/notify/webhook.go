package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// SignatureHeader is the header that proves who sent a message: t=SECONDS,v1=HEX. HEX is the HMAC-SHA256, under the shared secret, of
// SECONDS, a dot, and the body byte by byte. To verify: compute it over the body as it came, compare in constant time, and refuse what is
// older than a few minutes; then pass over an id that was seen before, because what may have been lost is sent again under its id.
const SignatureHeader = "Moorgate-Signature"

// webhook posts CloudEvents 1.0 in structured mode.
type webhook struct {
	client *http.Client
	to     *url.URL
	secret string // a file
	now    func() time.Time
}

type cloudEvent struct {
	SpecVersion     string       `json:"specversion"`
	ID              string       `json:"id"`
	Source          string       `json:"source"`
	Type            string       `json:"type"`
	Subject         string       `json:"subject,omitempty"`
	Time            string       `json:"time"`
	DataContentType string       `json:"datacontenttype"`
	Content         eventContent `json:"data"`
}

type eventContent struct {
	Title   string `json:"title"`
	Cluster string `json:"cluster,omitempty"`
	Cases   []Told `json:"cases"`
	More    int    `json:"more,omitempty"`
}

// Send posts one event.
func (w *webhook) Send(ctx context.Context, m Message) (Receipt, error) {
	key, err := secret(w.secret)
	if err != nil {
		return Receipt{}, &Fault{Err: fmt.Errorf("read what messages are signed with: %w", err), Clear: true}
	}
	e := cloudEvent{SpecVersion: "1.0", ID: m.ID, Source: "/moorgate/" + url.PathEscape(m.Cluster), Type: "dev.moorgate.storm", Time: m.At.UTC().Format(time.RFC3339),
		DataContentType: "application/json", Content: eventContent{Title: m.Title(), Cluster: m.Cluster, Cases: m.Cases, More: m.More}}
	if len(m.Cases) == 1 && m.More == 0 {
		e.Type, e.Subject = "dev.moorgate.case."+m.Cases[0].What, m.Cases[0].Case
	}
	body, err := json.Marshal(e)
	if err != nil {
		return Receipt{}, &Fault{Err: err, Final: true, Clear: true}
	}
	at := strconv.FormatInt(w.now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	header := http.Header{"Content-Type": {"application/cloudevents+json; charset=utf-8"}, SignatureHeader: {"t=" + at + ",v1=" + hex.EncodeToString(mac.Sum(nil))}}
	if err := post(ctx, w.client, w.to, body, header); err != nil {
		return Receipt{}, fmt.Errorf("post to the webhook: %w", err)
	}
	return Receipt{}, nil
}
