package notify_test

import (
	"strings"
	"testing"

	"moorgate.dev/internal/notify"
)

func TestWhereEventsMayBePosted(t *testing.T) {
	for _, test := range []struct{ raw, want, wrong string }{
		{raw: "http://notification-controller.flux-system.svc.cluster.local./", want: "http://notification-controller.flux-system.svc.cluster.local./"},
		{raw: "http://notification-controller.flux-system.svc", want: "http://notification-controller.flux-system.svc/"},
		{raw: "http://127.0.0.1:9292", want: "http://127.0.0.1:9292/"},
		{raw: "http://[::1]:9292/", want: "http://[::1]:9292/"},
		{raw: "http://localhost/", want: "http://localhost/"},
		{raw: "https://events.example.com/flux", want: "https://events.example.com/flux"},
		{raw: "http://events.example.com/", wrong: "takes https"},
		{raw: "http://svc.cluster.local/", wrong: "takes https"},
		{raw: "http://evil.svc.cluster.local.example.com/", wrong: "takes https"},
		{raw: "http://10.0.0.1/", wrong: "takes https"},
		{raw: "http://169.254.169.254/", wrong: "takes https"},
		{raw: "http://127.0.0.1.example.com/", wrong: "takes https"},
		{raw: "ftp://events.example.com/", wrong: "neither https nor http"},
		{raw: "notification-controller", wrong: "not of the form"},
		{raw: "https://events.example.com/?token=hunter2", wrong: "not of the form"},
		{raw: "https://shop:hunter2@events.example.com/", wrong: "holds a login"},
		{raw: "https://shop:hunter2@events.example.com:port/", wrong: "no URL"},
	} {
		u, err := notify.Address(test.raw)
		switch {
		case test.wrong == "" && (err != nil || u.String() != test.want):
			t.Errorf("%s: %v, %v", test.raw, u, err)
		case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong) || strings.Contains(err.Error(), "shop:")):
			t.Errorf("%s: %v, want %q", test.raw, err, test.wrong)
		}
	}
}
