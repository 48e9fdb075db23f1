package remediate_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
)

// TestAnAlertMakesSomebodyLook has no sweep and no event tell of a crash: an alert about its Deployment does. One about a workload that is
// well, and one that lies, open nothing.
func TestAnAlertMakesSomebodyLook(t *testing.T) {
	h := newHouse(t)
	first, well, web := h.written("first"), h.written("well"), h.written("web")
	h.crash(&first[0])
	bell := &remediate.Bell{}
	if _, heard := bell.Ring(nil); heard {
		t.Error("a bell that nobody hears is heard")
	}
	log, stop := h.watchWith(func(w *remediate.Watcher) { w.Sweep, w.Bell = time.Hour, bell })
	h.eventually("somebody to hear", func() error {
		if _, heard := bell.Ring(nil); !heard {
			return fmt.Errorf("nobody hears")
		}
		return nil
	})
	h.judged("first", anyVerdict) // by the sweep at the start, which is over now
	h.crash(&web[0])
	ring := func(labels string) {
		t.Helper()
		named, _, err := remediate.Alerts([]byte(`{"version":"4","alerts":[{"status":"firing","labels":`+labels+`}]}`), time.Now())
		if err != nil || len(named) == 0 {
			t.Fatalf("%v %v", named, err)
		}
		if left, heard := bell.Ring(named); left > 0 || !heard {
			t.Fatalf("%d were left, heard: %t", left, heard)
		}
	}
	ring(`{"alertname":"KubePodCrashLooping","namespace":"` + h.namespace + `","pod":"` + well[0].Name + `"}`)
	ring(`{"alertname":"KubePodCrashLooping","namespace":"` + h.namespace + `","pod":"no-such-pod"}`)
	ring(`{"alertname":"KubeDeploymentReplicasMismatch","namespace":"` + h.namespace + `","deployment":"web"}`)
	h.judged("web", recovered(metav1.ConditionFalse, "CrashLoop"))
	if n, verdicts := len(h.cases()), len(log.of(gate.RecordVerdict, h.namespace)); n != 2 || verdicts != 2 {
		t.Errorf("%d Cases and %d verdicts, want one of each for first and for web", n, verdicts)
	}
	stop()
	if _, heard := bell.Ring(nil); heard {
		t.Error("a Watcher that ended still hears")
	}
}
