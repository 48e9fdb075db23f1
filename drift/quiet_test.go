package drift_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// shelf is many objects that no controller writes to.
func shelf(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings-%d}\ndata: {level: info}\n", i)
		fmt.Fprintf(&b, "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: shut-%d}\nspec: {podSelector: {matchLabels: {app: web}}}\n", i)
	}
	return b.String()
}

// watched is a stage with a shelf on it, whose Detector watches, counts its requests, and goes by a clock of its own.
func watched(t *testing.T, n int) (s *stage, asked *counted, clock *atomic.Int64) {
	t.Helper()
	s, clock = newStage(t), &atomic.Int64{}
	clock.Store(time.Now().UnixNano())
	counter, asked := s.counting(s.judge)
	s.detector = s.detectorAs(counter)
	s.detector.Interval, s.detector.Now = time.Hour, func() time.Time { return time.Unix(0, clock.Load()) }
	s.commit(map[string]string{"deploy/shelf.yaml": shelf(n)})
	s.kubectl(shelf(n), "apply", "-f", "-")
	s.source(nil)
	s.watching()
	s.eventually("everything is compared", func() bool {
		return strings.Contains(s.ready().Message, fmt.Sprintf(": %d", 2*n))
	})
	return s, asked, clock
}

// watching has the Detector of a stage watch what it compares, and GitSources, until the story ends.
func (s *stage) watching() {
	s.t.Helper()
	mgr, err := ctrl.NewManager(s.judge, ctrl.Options{Scheme: s.admin.Scheme(), Logger: logr.Discard(), Metrics: server.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)}})
	s.ok(err)
	s.ok(s.detector.SetUp(mgr))
	ctx, stop := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			s.t.Errorf("the manager: %v", err)
		}
	})
}

func TestARoundOverWhatIsUnchangedAsksForNothing(t *testing.T) {
	s, asked, clock := watched(t, 20)
	later := func(d time.Duration) map[string]int {
		asked.since()
		clock.Add(int64(d))
		s.round()
		return asked.since()
	}
	// The GitSource and its Cases, and no object.
	if n := later(time.Hour); n["GET"] > 2 || len(n) != 1 {
		t.Errorf("a round over 40 objects that nobody changed asks %v", n)
	}
	if n := later(31 * time.Hour); n["GET"] < 4 || n["GET"] > 8 || len(n) != 1 {
		t.Errorf("a sweep of 40 objects that nobody changed asks %v: it lists each kind, and tries nothing", n)
	}

	s.kubectl("", "patch", "configmap/settings-3", "-p", `{"data":{"level":"debug"}}`)
	s.eventually("a change is seen without anybody asking", func() bool {
		cases := s.cases()
		return len(cases) == 1 && cases[0].Spec.Subject.Name == "settings-3" && condition(cases[0].Status.Conditions, "Drifted").Status == metav1.ConditionTrue
	})
	s.kubectl("", "label", "networkpolicy/shut-3", "x=y")
	s.eventually("so is what is added", func() bool { return len(s.cases()) == 2 })
	s.kubectl("", "patch", "configmap/settings-3", "-p", `{"data":{"level":"info"}}`)
	s.eventually("and that it is gone", func() bool {
		for _, k := range s.cases() {
			if k.Spec.Subject.Name == "settings-3" {
				return condition(k.Status.Conditions, "Drifted").Status == metav1.ConditionFalse
			}
		}
		return false
	})
	s.kubectl("", "delete", "networkpolicy/shut-7")
	s.eventually("what is deleted is told", func() bool { return strings.Contains(s.ready().Message, "not in the cluster: NetworkPolicy/shut-7") })
	s.kubectl("", "delete", "configmap/settings-5")
	s.kubectl(shelf(6), "apply", "-f", "-")
	s.eventually("another object of the same name is looked at", func() bool { return !strings.Contains(s.ready().Message, "ConfigMap/settings-5") })

	asked.since()
	s.commit(map[string]string{"deploy/shelf.yaml": strings.Replace(shelf(20), "{level: info}", "{level: warn}", 1)})
	if n := later(time.Hour); n["PATCH"] == 0 || n["GET"] > 20 {
		t.Errorf("one manifest that changed asks %v", n)
	}
	s.eventually("a change in Git is seen", func() bool {
		for _, k := range s.cases() {
			if k.Spec.Subject.Name == "settings-0" {
				return true
			}
		}
		return false
	})
}

// An object without its metadata's managed fields, which anybody may clear, is one that has changed.
func TestWhoClearsManagedFieldsHidesNothing(t *testing.T) {
	s, _, _ := watched(t, 9)
	s.kubectl("", "patch", "configmap/settings-3", "--type=json", "-p", `[{"op":"replace","path":"/metadata/managedFields","value":[{}]},{"op":"replace","path":"/data/level","value":"debug"}]`)
	s.eventually("the change is seen", func() bool { return len(s.cases()) == 1 })
	if k := s.onlyCase(); !strings.Contains(k.Status.Summary, "data.level is not what Git says") {
		t.Errorf("got %s", asJSON(k.Status))
	}
}
