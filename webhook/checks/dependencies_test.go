package checks

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

func variable(name, value string) func(*Rollout) {
	return func(r *Rollout) { app(r).Env = append(app(r).Env, corev1.EnvVar{Name: name, Value: value}) }
}

func dependsOn(list string) func(*Rollout) { return func(r *Rollout) { r.New.DependsOn = list } }

func fares(kind, name string, h Health) func(*Rollout) {
	return func(r *Rollout) {
		if r.World.Dependencies == nil {
			r.World.Dependencies = map[Dependency]gate.Fact[Health]{}
		}
		d := Dependency{kind, "shop", name}
		if kind == DependExternal {
			d.Namespace = ""
		}
		r.World.Dependencies[d] = gate.Known(h)
	}
}

func TestDependencies(t *testing.T) {
	gone, down := Health{Missing: true}, Health{Down: "has no ready endpoint"}
	dependenciesCheck.tell(t, []tale{
		{name: "it depends on nothing"},
		{name: "a Service that is well", change: steps(variable("PAYMENTS_URL", "http://payments:8080"), fares(DependService, "payments", Health{}))},
		{name: "a Service by its full name that does not exist", points: 20, nature: gate.Pending, text: "Service payments does not exist, and it depends on it (env X of app)",
			change: steps(variable("X", "http://payments.shop.svc:8080"), fares(DependService, "payments", gone))},
		{name: "a bare name of which there is no Service is something else", change: steps(variable("PAYMENTS_HOST", "payments"), fares(DependService, "payments", gone))},
		{name: "a bare name of a Service without an endpoint", points: 20, nature: gate.Recent, text: "Service payments has no ready endpoint (env PAYMENTS_HOST of app)",
			change: steps(variable("PAYMENTS_HOST", "payments"), fares(DependService, "payments", down))},
		{name: "a Service that selects its own pods waits for the rollout", change: steps(dependsOn("service/web"),
			fares(DependService, "web", Health{Down: "has no ready endpoint", Selector: map[string]string{"app": "web"}}))},
		{name: "one that selects others does not", points: 20, nature: gate.Recent, text: "Service web has", change: steps(dependsOn("service/web"),
			fares(DependService, "web", Health{Down: "has no ready endpoint", Selector: map[string]string{"app": "other"}}))},
		{name: "a StatefulSet without a ready pod", points: 20, nature: gate.Recent, text: "StatefulSet db has no ready pod (annotation)",
			change: steps(dependsOn("statefulset/db"), fares(DependStatefulSet, "db", Health{Down: "has no ready pod"}))},
		{name: "a Deployment that does not exist", points: 20, nature: gate.Pending, text: "Deployment db does not exist",
			change: steps(dependsOn("deployment/db"), fares(DependDeployment, "db", gone))},
		{name: "the template's annotation counts too", points: 20, nature: gate.Pending, text: "Service db does not exist", change: steps(fares(DependService, "db", gone),
			func(r *Rollout) { r.New.Template.Annotations = map[string]string{DependsOn: " service/db , "} })},
		{name: "an external host whose probe failed", points: 15, nature: gate.Recent, text: "external payments-api: TCP: refused, at 12:00:00 UTC",
			change: steps(dependsOn("external/payments-api"), fares(DependExternal, "payments-api", Health{Down: "TCP: refused", At: noon}))},
		{name: "an external host that was not probed yet is unknown", change: dependsOn("external/payments-api"), unknown: "external payments-api: nobody looked"},
		{name: "a Service that could not be read is unknown", change: dependsOn("service/db"), unknown: "Service db: nobody looked"},
		{name: "a guess that could not be read is told by its place", change: variable("DB_HOST", "hunter"), unknown: "the Service that env DB_HOST of app may name: nobody looked"},
		{name: "what makes no sense is unknown", change: dependsOn("queue/x"), unknown: "an entry of moorgate.dev/depends-on is none of"},
		{name: "more than can be looked at is unknown", unknown: "more than 32 dependencies", change: func(r *Rollout) {
			for i := range 40 {
				steps(variable("X", fmt.Sprintf("http://s%d.shop.svc", i)), fares(DependService, fmt.Sprintf("s%d", i), Health{}))(r)
			}
		}},
	})
}

func TestWhatNothingDependsOnLeavesConfidenceAlone(t *testing.T) {
	if idle := dependenciesCheck.look(sound()).Idle; !idle {
		t.Error("a workload that names nothing has dependencies")
	}
}

func TestHostsAreFoundInValuesOfTheirNamespaceOnly(t *testing.T) {
	for value, want := range map[string]string{
		"postgres://user:pa55@db:5432/shop?x=http://other": "db guessed",
		"postgres://user:p@ss@db.shop.svc:5432/shop":       "db",
		"http://api.shop.svc.cluster.local./v1":            "api",
		"HTTP://API.shop.svc":                              "api",
		"redis-0.redis.shop.svc:6379":                      "redis",
		"kafka-a:9092,kafka-b:9092":                        "kafka-a guessed kafka-b guessed",
		"db.other.svc":                                     "",
		"db.other.svc.cluster.local:80":                    "",
		"https://api.example.com/x":                        "",
		"localhost:8080":                                   "",
		"http://127.0.0.1:80":                              "",
		"http://[::1]:80":                                  "",
		"db:port":                                          "",
		"db:5432":                                          "db guessed",
		"12345":                                            "",
		"$(DB_HOST):80":                                    "",
		"db":                                               "db guessed",
		"":                                                 "",
		strings.Repeat("a,", 3000):                         "",
	} {
		r := sound()
		variable("THE_URL", value)(&r)
		var got []string
		for _, n := range DependenciesOf(r.New).List {
			s := n.Name
			if n.Guess {
				s += " guessed"
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%.60q: %q, want %q", value, got, want)
		}
	}
}

func TestAPlainVariableHoldsNoBareNames(t *testing.T) {
	for value, want := range map[string]int{"hunter2": 0, "hunter:22": 0, "http://db": 1, "db.shop.svc": 1} {
		r := sound()
		variable("PASSWORD", value)(&r)
		if got := DependenciesOf(r.New).List; len(got) != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

func TestArgumentsNameDependencies(t *testing.T) {
	r := sound()
	app(&r).Args = []string{"--db=postgres://u:p@db.shop.svc/x", "--upstream", "http://api:80", "run --to 'http://two'", "unrelated"}
	var got []string
	for _, n := range DependenciesOf(r.New).List {
		got = append(got, n.Name)
	}
	if !slices.Equal(got, []string{"db", "api", "two"}) {
		t.Errorf("%v", got)
	}
}

func TestNoValueOfAVariableIsTold(t *testing.T) {
	r := sound()
	steps(variable("A_URL", "postgres://admin:hunter2@db.shop.svc/x?token=hunter3"), variable("B_HOST", "hunter4"), variable("C", "hunter5:80"),
		fares(DependService, "db", Health{Missing: true}), fares(DependService, "hunter4", Health{Missing: true}))(&r)
	told := fmt.Sprint(Assess(r, menu).Findings, dependenciesCheck.look(r))
	r.World.Dependencies = nil
	told += fmt.Sprint(dependenciesCheck.look(r))
	if strings.Contains(told, "hunter") || strings.Contains(told, "admin") || !strings.Contains(told, "Service db") {
		t.Error(told)
	}
}
