package remediate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func message(labels ...map[string]string) []byte {
	type alert struct {
		Status string            `json:"status"`
		Labels map[string]string `json:"labels"`
		Starts string            `json:"startsAt"`
	}
	var alerts []alert
	for i, l := range labels {
		alerts = append(alerts, alert{[]string{"firing", "resolved"}[i%2], l, "2026-11-27T09:00:00Z"})
	}
	b, _ := json.Marshal(map[string]any{"version": "4", "receiver": "moorgate", "status": "firing", "groupKey": "{}", "truncatedAlerts": 0, "alerts": alerts, "ofLater": true})
	return b
}

func TestWhatAnAlertNames(t *testing.T) {
	for name, x := range map[string]struct {
		labels map[string]string
		want   string
	}{
		"a pod":                              {map[string]string{"alertname": "KubePodCrashLooping", "namespace": "shop", "pod": "web-1", "container": "app"}, "shop/Pod/web-1"},
		"a Deployment, and its namespace":    {map[string]string{"namespace": "shop", "deployment": "web"}, "shop/Deployment/web shop//"},
		"an exporter speaks of another":      {map[string]string{"namespace": "monitoring", "pod": "kube-state-metrics-1", "exported_namespace": "shop", "exported_pod": "web-1"}, "shop/Pod/web-1"},
		"an exporter speaks of a Deployment": {map[string]string{"namespace": "monitoring", "pod": "kube-state-metrics-1", "exported_namespace": "shop", "deployment": "web"}, "shop/Deployment/web shop//"},
		"a job that was scraped is no Job":   {map[string]string{"job": "node-exporter"}, ""},
		"nothing but a name":                 {map[string]string{"alertname": "Watchdog"}, ""},
		"a pod of no namespace":              {map[string]string{"pod": "web-1"}, ""},
		"a namespace that can be none":       {map[string]string{"namespace": "../kube-system", "pod": "web-1"}, ""},
		"a pod that can be none":             {map[string]string{"namespace": "shop", "pod": "web 1\n"}, "shop//"},
		"a name that is too long":            {map[string]string{"namespace": strings.Repeat("a", 64), "pod": "web-1"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			look, unknown, err := Alerts(message(x.labels), time.Unix(0, 0))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, n := range look {
				got = append(got, n.Namespace+"/"+n.Kind+"/"+n.Name)
			}
			if strings.Join(got, " ") != x.want || (unknown == 1) != (x.want == "") {
				t.Errorf("got %q and %d that name nothing, want %q", got, unknown, x.want)
			}
		})
	}
	twice := map[string]string{"namespace": "shop", "pod": "web-1"}
	if look, _, err := Alerts(message(twice, twice, map[string]string{"namespace": "shop", "pod": "web-2"}), time.Unix(0, 0)); err != nil || len(look) != 2 {
		t.Errorf("%v %v", look, err)
	}
}

func TestAMessageThatIsNoneIsRefused(t *testing.T) {
	many := slices.Repeat([]map[string]string{{"namespace": "shop"}}, maxAlerts+1)
	for name, body := range map[string]string{"nothing": "", "no JSON": "alert!", "another version": `{"version":"5","alerts":[]}`, "no version": `{"alerts":[]}`, "more than one": `{"version":"4"}{}`,
		"labels that are no text": `{"version":"4","alerts":[{"labels":{"pod":1}}]}`, "too many": string(message(many...))} {
		if look, _, err := Alerts([]byte(body), time.Unix(0, 0)); err == nil || len(look) > 0 {
			t.Errorf("%s: %v %v", name, look, err)
		}
	}
}

func FuzzAlerts(f *testing.F) {
	f.Add(message(map[string]string{"namespace": "shop", "pod": "web-1"}))
	f.Add([]byte(`{"version":"4","alerts":[{"labels":{"exported_namespace":"a","node":"b"}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		look, _, err := Alerts(body, time.Unix(0, 0))
		if err != nil && len(look) > 0 {
			t.Fatal("something is named by what could not be read")
		}
		for _, n := range look {
			if strings.ContainsAny(fmt.Sprint(n.Namespace, n.Kind, n.Name), "/\\ \n\x00") || (n.Name == "") != (n.Kind == "") {
				t.Fatalf("%+v", n)
			}
		}
	})
}
