package drift

import (
	"strings"
	"testing"

	"moorgate.dev/internal/source"
)

// fieldAt reads a path as patterns are written, with items of lists as name=app.
func fieldAt(text string) source.Path {
	var p source.Path
	for step := range strings.SplitSeq(text, "/") {
		if name, value, keyed := strings.Cut(step, "="); keyed {
			p = append(p, source.Step{Keys: []source.Key{{Name: name, Value: value}}})
			continue
		}
		p = append(p, source.Step{Field: strings.ReplaceAll(step, "~1", "/")})
	}
	return p
}

// Every row has a story that it passes over, and one that is as near to it as can be and is drift.
func TestEveryRowPassesOverWhatItSaysAndNothingBeside(t *testing.T) {
	by := func(manager, through string) Drift {
		return Drift{Owner: Owner{Manager: manager, Subresource: through}}
	}
	added := func(v any) Drift { return Drift{Added: true, Live: v, Owner: Owner{Manager: "kubectl-edit"}} }
	type story struct {
		kind, path string
		Drift
	}
	stories := map[string][2]story{
		"replicas-controller": {{"Deployment", "spec/replicas", by("kube-controller-manager", "scale")}, {"Deployment", "spec/replicas", by("kube-controller-manager", "")}},
		"replicas-autoscaled": {{"StatefulSet", "spec/replicas", by("kubectl", "scale")}, {"Deployment", "spec/paused", by("kubectl", "")}},
		"replicas-scaler":     {{"Deployment", "spec/replicas", by("keda-operator", "")}, {"Deployment", "spec/replicas", by("kubectl-edit", "")}},
		"resources-autoscaled": {{"Deployment", "spec/template/spec/containers/name=app/resources/requests/cpu", by("vpa-updater", "")},
			{"Deployment", "spec/template/spec/containers/name=app/resources/requests/cpu", by("kubectl-set", "")}},
		"autoscaler-tuned":       {{"HorizontalPodAutoscaler", "spec/minReplicas", by("flagger", "")}, {"HorizontalPodAutoscaler", "spec/minReplicas", by("k9s", "")}},
		"traffic-shifted":        {{"Service", "spec/selector/app", by("flagger", "")}, {"Service", "spec/selector/app", by("kubectl-edit", "")}},
		"restarted":              {{"Deployment", "spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt", by("kubectl-rollout", "")}, {"Deployment", "spec/template/metadata/annotations/restartedAt", by("k9s", "")}},
		"last-applied":           {{"Service", "metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration", added("{}")}, {"Service", "metadata/annotations/kubectl.kubernetes.io~1other", added("x")}},
		"revision":               {{"Deployment", "metadata/annotations/deployment.kubernetes.io~1revision", added("3")}, {"Deployment", "metadata/annotations/revision", added("3")}},
		"delivery-marks":         {{"ConfigMap", "metadata/labels/kustomize.toolkit.fluxcd.io~1name", added("x")}, {"ConfigMap", "metadata/labels/app.kubernetes.io~1name", added("x")}},
		"own-marks":              {{"Deployment", "metadata/annotations/moorgate.dev~1verdict", added("x")}, {"Deployment", "metadata/annotations/moorgate.devious~1x", added("x")}},
		"status":                 {{"Service", "status/loadBalancer", added("x")}, {"Service", "spec/status", added("x")}},
		"bookkeeping":            {{"Deployment", "metadata/finalizers", added("x")}, {"Deployment", "metadata/labels/finalizers", added("x")}},
		"service-address":        {{"Service", "spec/ports/port=80/nodePort", added(int64(30080))}, {"Service", "spec/ports/port=80/nodePort", by("kubectl-edit", "")}},
		"claim-bound":            {{"PersistentVolumeClaim", "spec/volumeName", added("pv-1")}, {"PersistentVolumeClaim", "spec/resources/requests/storage", added("2Gi")}},
		"default-rollout":        {{"Deployment", "spec/revisionHistoryLimit", added(int64(10))}, {"Deployment", "spec/revisionHistoryLimit", added(int64(2))}},
		"default-progress":       {{"Deployment", "spec/progressDeadlineSeconds", added(int64(600))}, {"Deployment", "spec/progressDeadlineSeconds", added(int64(60))}},
		"default-pod":            {{"StatefulSet", "spec/template/spec/dnsPolicy", added("ClusterFirst")}, {"StatefulSet", "spec/template/spec/dnsPolicy", added("Default")}},
		"default-grace":          {{"CronJob", "spec/jobTemplate/spec/template/spec/terminationGracePeriodSeconds", added(int64(30))}, {"Deployment", "spec/template/spec/terminationGracePeriodSeconds", added(int64(5))}},
		"default-service":        {{"Service", "spec/sessionAffinity", added("None")}, {"Service", "spec/sessionAffinity", added("ClientIP")}},
		"default-workload":       {{"StatefulSet", "spec/podManagementPolicy", added("OrderedReady")}, {"StatefulSet", "spec/podManagementPolicy", added("Parallel")}},
		"default-claim":          {{"StatefulSet", "spec/volumeClaimTemplates/name=data/spec/volumeMode", added("Filesystem")}, {"StatefulSet", "spec/volumeClaimTemplates/name=data/spec/volumeMode", added("Block")}},
		"default-schedule":       {{"CronJob", "spec/suspend", added(false)}, {"CronJob", "spec/suspend", added(true)}},
		"default-history":        {{"CronJob", "spec/successfulJobsHistoryLimit", added(int64(3))}, {"CronJob", "spec/successfulJobsHistoryLimit", added(int64(1))}},
		"default-failed-history": {{"CronJob", "spec/failedJobsHistoryLimit", added(int64(1))}, {"CronJob", "spec/failedJobsHistoryLimit", added(int64(3))}},
		"default-autoscaler":     {{"HorizontalPodAutoscaler", "spec/minReplicas", added(int64(1))}, {"HorizontalPodAutoscaler", "spec/minReplicas", added(int64(2))}},
		"default-policy":         {{"NetworkPolicy", "spec/policyTypes", added([]any{"Ingress"})}, {"NetworkPolicy", "spec/policyTypes", added([]any{"Egress"})}},
		"injected-bundle":        {{"ConfigMap", "data/ca.crt", by("trust-manager", "")}, {"ConfigMap", "data/ca.crt", by("kubectl-edit", "")}},
		"injected-authority":     {{"ConfigMap", "data/caBundle", by("cert-manager-cainjector", "")}, {"ConfigMap", "data/caBundle", by("kubectl-edit", "")}},
		"leader":                 {{"ConfigMap", "metadata/annotations/control-plane.alpha.kubernetes.io~1leader", added("x")}, {"Service", "metadata/annotations/control-plane.alpha.kubernetes.io~1leader", added("x")}},
		"ingress-controller":     {{"Ingress", "metadata/annotations/cert-manager.io~1issuer", added("x")}, {"Deployment", "metadata/annotations/cert-manager.io~1issuer", added("x")}},
	}
	for _, r := range table {
		pair, told := stories[r.ID]
		if !told {
			t.Errorf("row %s has no story", r.ID)
			continue
		}
		delete(stories, r.ID)
		for i, s := range pair {
			s.Path = fieldAt(s.path)
			if got := r.fits(s.kind, s.Drift); got != (i == 0) {
				t.Errorf("row %s on %s %s by %s: passed over is %t", r.ID, s.kind, s.Path, s.Owner.Manager, got)
			}
		}
	}
	for id := range stories {
		t.Errorf("there is no row %s", id)
	}
}

func TestATableThatSaysWhatNobodyKnowsIsRefused(t *testing.T) {
	for _, bad := range []string{"- id: x\n  what: y\n", "- id: x\n  what: y\n  paths: [a]\n  when: raining\n", "- id: x\n  what: y\n  pahts: [a]\n", "{"} {
		if rows, err := parseRows([]byte(bad)); err == nil {
			t.Errorf("%q makes %+v", bad, rows)
		}
	}
}

func TestAFileThatAddsToTheTableIsReadStrictly(t *testing.T) {
	good := "- id: tuned\n  what: what our tuner sets\n  kinds: [Deployment]\n  paths: [\"**/env\", metadata/annotations/example.com~1x]\n  managers: [tuner]\n"
	passed, err := ParsePassed([]byte(good))
	if err != nil || len(passed.rows) != 1 || passed.rows[0].ID != "tuned" {
		t.Fatalf("got %+v, %v", passed, err)
	}
	for bad, want := range map[string]string{
		good + good: "has the id of another, tuned",
		"- id: restarted\n  what: y\n  paths: [spec]\n":                               "there is a row restarted already",
		"- id: x\n  what: y\n  paths: [\"**\"]\n":                                     "would pass over everything",
		"- id: x\n  what: y\n  paths: [/]\n":                                          "would pass over everything",
		"- id: x\n  what: y\n  paths: [spec]\n  kinds: [Deploymnet]\n":                "a kind that is not compared: Deploymnet",
		"- id: x\n  what: y\n  pahts: [spec]\n":                                       "pahts",
		"- id: x\n  what: y\n":                                                        "lacks its id, what it is or its paths",
		"- id: x\n  what: y\n  paths: [spec]\n  when: \"rain\\u202eing\\u001b[2J\"\n": "unknown condition",
		"id: x": "read the table of what is no drift",
	} {
		_, err := ParsePassed([]byte(bad))
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\u202e\u001b\n") {
			t.Errorf("%q: %v, want %q", bad, err, want)
		}
	}
}

func FuzzAFileThatAddsToTheTable(f *testing.F) {
	f.Add(falsePositives)
	f.Add([]byte("- id: x\n  what: y\n  paths: [spec]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		passed, err := ParsePassed(b)
		if err != nil {
			return
		}
		for _, r := range passed.rows {
			if len(r.Managers) == 0 && r.fits("Deployment", Drift{Path: fieldAt("spec")}) && r.fits("Deployment", Drift{Path: fieldAt("metadata")}) && len(r.Paths) == 1 {
				t.Errorf("%q passes over everything", b)
			}
		}
	})
}
