package drift_test

import (
	"strings"
	"testing"
)

const zeros = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  paused: false
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      hostNetwork: false
      nodeSelector: {}
      containers:
      - name: app
        image: shop/web:1.4
        args: []
        env:
        - name: DEBUG
          value: ""
        volumeMounts:
        - name: tmp
          mountPath: /tmp
          readOnly: false
      volumes:
      - name: tmp
        emptyDir: {}
`

// The API server keeps none of these values, so that only its list of who set what tells that Git declared them.
func TestZeroValuesThatGitDeclaresAreCompared(t *testing.T) {
	s := deployed(t, zeros)
	s.kubectl("", "patch", "deployment/web", "-p", `{"spec":{"paused":true,"template":{"spec":{"hostNetwork":true,"nodeSelector":{"pool":"planted"},
		"containers":[{"name":"app","args":["--planted"],"env":[{"name":"DEBUG","value":"planted"}],"volumeMounts":[{"name":"tmp","mountPath":"/tmp","readOnly":true}]}]}}}}`)
	s.round()
	k := s.onlyCase()
	var all []string
	for _, f := range k.Status.Findings {
		all = append(all, f.Text)
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{"hostNetwork is true, Git says false", "paused is true, Git says false", "volumeMounts[mountPath=/tmp].readOnly is true, Git says false",
		"env[name=DEBUG].value is not what Git says", "nodeSelector is not what Git says", "containers[name=app].args is not what Git says",
		"it weakens what keeps the workload apart from others"} {
		if !strings.Contains(text, want) {
			t.Errorf("no finding says %q:\n%s", want, text)
		}
	}
	if len(all) != 7 || strings.Contains(asJSON(k)+asJSON(s.log.records), "planted") || len(k.Status.Menu) != 2 {
		t.Errorf("%d findings, menu %s", len(all), asJSON(k.Status.Menu))
	}
	s.kubectl("", "patch", "deployment/web", "--type=json", "-p", `[{"op":"remove","path":"/spec/paused"},
		{"op":"remove","path":"/spec/template/spec/hostNetwork"},{"op":"remove","path":"/spec/template/spec/nodeSelector"},
		{"op":"remove","path":"/spec/template/spec/containers/0/args"},{"op":"remove","path":"/spec/template/spec/containers/0/env/0/value"},
		{"op":"remove","path":"/spec/template/spec/containers/0/volumeMounts/0/readOnly"}]`)
	s.round()
	if c := condition(s.onlyCase().Status.Conditions, "Drifted"); c.Status != "False" {
		t.Errorf("as Git has it again, the case says %+v", c)
	}
}
