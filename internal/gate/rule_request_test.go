package gate

import "testing"

func TestRequest(t *testing.T) {
	to := func(path string) func(*Rail, *Assessment, *Facts) {
		return func(_ *Rail, _ *Assessment, f *Facts) { f.Menu[0].Request.Path = path }
	}
	scaled := func(change func(*Action)) func(*Rail, *Assessment, *Facts) {
		return func(_ *Rail, a *Assessment, f *Facts) {
			a.Choice, f.History = []string{"scale"}, Known(Tally{Cause: "crash", Verb: "scale", Tried: 40, Healed: 40})
			change(&f.Menu[2])
		}
	}
	weigh(t, "request", []weighed{
		{"to the target's eviction", func(*Rail, *Assessment, *Facts) {}, Allow, ""},
		{"to the target itself", to("/api/v1/namespaces/shop/pods/web-1?dryRun=All"), Allow, ""},
		{"to a part by which one acts", to("/api/v1/namespaces/shop/pods/web-1/resize"), Allow, ""},
		{"to a target of a group", scaled(func(x *Action) { x.Request.Path += "/scale" }), Allow, ""},
		{"a plan without a request", func(_ *Rail, _ *Assessment, f *Facts) { f.Menu[0].Request = nil }, Allow, ""},
		{"a pull request goes to a forge", func(_ *Rail, a *Assessment, _ *Facts) { a.Choice = []string{"propose"} }, Allow, ""},
		{"to another object", to("/api/v1/namespaces/shop/pods/web-2/eviction"), Deny, "web-2"},
		{"to one whose name begins alike", to("/api/v1/namespaces/shop/pods/web-10"), Deny, "web-10"},
		{"to another namespace", to("/api/v1/namespaces/till/pods/web-1/eviction"), Deny, "till"},
		{"to another kind", to("/api/v1/namespaces/shop/secrets/web-1"), Deny, "secrets"},
		{"to another version", to("/api/v2/namespaces/shop/pods/web-1/eviction"), Deny, "v2"},
		{"to another group", to("/apis/apps/v1/namespaces/shop/pods/web-1"), Deny, "apps"},
		{"to a command in a pod", to("/api/v1/namespaces/shop/pods/web-1/exec?command=sh"), Deny, "exec"},
		{"to more than one part", to("/api/v1/namespaces/shop/pods/web-1/eviction/x"), Deny, "eviction/x"},
		{"to all of them", to("/api/v1/namespaces/shop/pods/"), Deny, "pods/"},
		{"to nowhere", to(""), Deny, "goes to "},
		{"with steps back", to("/api/v1/namespaces/shop/pods/web-1/../web-2"), Deny, ".."},
		{"with escapes", to("/api/v1/namespaces/shop/pods/web%2D1"), Deny, "%2D"},
		{"to a target that means another", func(_ *Rail, _ *Assessment, f *Facts) {
			f.Menu[0].Target.Name = ".."
			f.Menu[0].Request.Path = "/api/v1/namespaces/shop/pods/.."
		}, Deny, ".."},
		{"to a target that is several", func(_ *Rail, _ *Assessment, f *Facts) {
			f.Menu[0].Target.Name = "web-1/exec"
			f.Menu[0].Request.Path = "/api/v1/namespaces/shop/pods/web-1/exec"
		}, Deny, "exec"},
		{"to a target without a name", func(_ *Rail, _ *Assessment, f *Facts) {
			f.Menu[0].Target.Name = ""
			f.Menu[0].Request.Path = "/api/v1/namespaces/shop/pods/"
		}, Deny, "pods/"},
		{"to a target without a version", func(_ *Rail, _ *Assessment, f *Facts) {
			f.Menu[0].Target.Version = ""
			f.Menu[0].Request.Path = "/api//namespaces/shop/pods/web-1"
		}, Deny, "/api//"},
		{"to a kind that is several", func(r *Rail, _ *Assessment, f *Facts) {
			r.Actions[0].Kinds, f.Menu[0].Target.Kind = nil, "Pods/web-1/exec?"
			f.Menu[0].Request.Path = "/api/v1/namespaces/shop/pods/web-1/exec?s/web-1"
		}, Deny, "exec"},
		{"an annotation of another object", func(_ *Rail, a *Assessment, f *Facts) {
			a.Choice, f.Menu[3].Request.Path = []string{"mark"}, "/apis/apps/v1/namespaces/shop/deployments/api"
		}, Deny, "api"},
		{"an annotation of something without a namespace", func(_ *Rail, a *Assessment, f *Facts) {
			a.Choice, f.Menu[3].Target.Namespace = []string{"mark"}, ""
			f.Menu[3].Request.Path = "/apis/apps/v1/namespaces//deployments/web"
		}, Deny, "namespaces//"},
		{"an annotation of the object", func(_ *Rail, a *Assessment, _ *Facts) { a.Choice = []string{"mark"} }, Allow, ""},
	})
}

func TestPlural(t *testing.T) {
	for kind, want := range map[string]string{"Pod": "pods", "Deployment": "deployments", "Ingress": "ingresses", "NetworkPolicy": "networkpolicies"} {
		if got := plural(kind); got != want {
			t.Errorf("%s is served as %s, want %s", kind, got, want)
		}
	}
}
