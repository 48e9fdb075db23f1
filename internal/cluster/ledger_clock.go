package cluster

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// MaxSkew is how far the API server's clock and our own may differ for anything to be reserved.
const MaxSkew = time.Minute

// moment is the same moment as two clocks tell it: the API server's, from the Date of the answer that held the ledger, and
// this process's own, asked right after. Either may be wrong.
type moment struct {
	server, own time.Time
	why         string // why server is not known
}

// momentOf reads the value of a Date header. It is cut to whole seconds, so the server's clock was up to a second further.
func momentOf(date string, own time.Time) moment {
	m := moment{own: own.UTC().Round(0)}
	if date == "" {
		m.why = "its answer has no Date"
		return m
	}
	server, err := http.ParseTime(date)
	if err != nil {
		m.why = fmt.Sprintf("its answer has the Date %.40q", date)
		return m
	}
	m.server = server.UTC()
	return m
}

// early is what both clocks have reached: what has expired by then has expired by each of them.
func (m moment) early() time.Time {
	if m.why == "" && m.server.Before(m.own) {
		return m.server
	}
	return m.own
}

// late is what neither clock has passed: what is stamped with it is not too old by either of them.
func (m moment) late() time.Time {
	if m.server.After(m.own) {
		return m.server
	}
	return m.own
}

// apart says why the clocks are too far apart to reserve anything; empty if they are not.
func (m moment) apart() string {
	if m.late().Sub(m.early()) <= MaxSkew {
		return ""
	}
	return fmt.Sprintf("the API server says that it is %s, and this process that it is %s: more than %s apart, so nobody can say what has expired",
		m.server.Format(time.RFC3339), m.own.Format(time.RFC3339), MaxSkew)
}

type dateKey struct{}

// notingDate returns a context for one request; the Date header of its answer is put where the pointer points.
func notingDate(ctx context.Context) (context.Context, *string) {
	date := new(string)
	return context.WithValue(ctx, dateKey{}, date), date
}

// dates notes the Date headers of answers for whoever asked for them.
type dates struct{ next http.RoundTripper }

func noteDates(next http.RoundTripper) http.RoundTripper { return dates{next} }

// RoundTrip sends a request.
func (d dates) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := d.next.RoundTrip(r)
	if date, wanted := r.Context().Value(dateKey{}).(*string); wanted && err == nil {
		*date = answer.Header.Get("Date")
	}
	return answer, err
}
