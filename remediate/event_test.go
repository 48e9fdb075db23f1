package remediate

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestL22TimesAndCountsOfEvents(t *testing.T) {
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	series := &corev1.EventSeries{Count: 9, LastObservedTime: metav1.NewMicroTime(at(4))}
	created := metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(at(1))}
	for name, c := range map[string]struct {
		event corev1.Event
		at    time.Time
		count int
	}{
		"says nothing":                             {corev1.Event{}, time.Time{}, 1},
		"says when it was created":                 {corev1.Event{ObjectMeta: created}, at(1), 1},
		"of the scheduler: no count, an eventTime": {corev1.Event{ObjectMeta: created, EventTime: metav1.NewMicroTime(at(2))}, at(2), 1},
		"of a kubelet: a count and lastTimestamp":  {corev1.Event{ObjectMeta: created, EventTime: metav1.NewMicroTime(at(2)), LastTimestamp: metav1.NewTime(at(3)), Count: 7}, at(3), 7},
		"has a series":                             {corev1.Event{ObjectMeta: created, LastTimestamp: metav1.NewTime(at(3)), Count: 7, Series: series}, at(4), 9},
		"has a series without a time":              {corev1.Event{ObjectMeta: created, Series: &corev1.EventSeries{Count: 2}}, at(1), 2},
		"counts below nothing":                     {corev1.Event{Count: -5, Series: &corev1.EventSeries{Count: -1}}, time.Time{}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Read(&c.event); !got.At.Equal(c.at) || got.Count != c.count {
				t.Errorf("read %s and %d, want %s and %d", got.At, got.Count, c.at, c.count)
			}
		})
	}
}

func TestContainerIn(t *testing.T) {
	for path, want := range map[string]string{"spec.containers{app}": "app", "spec.initContainers{wait}": "wait", "spec.containers": "", "": "",
		"spec.containers{app": "", "metadata{app}": "", "spec.containers{}": ""} {
		if got := containerIn(path); got != want {
			t.Errorf("%q names %q, want %q", path, got, want)
		}
	}
}

func TestOurs(t *testing.T) {
	for name, c := range map[string]struct {
		trigger Trigger
		want    bool
	}{
		"a pod that is restarted":  {Trigger{Kind: "Pod", Name: "web", Reason: "BackOff"}, true},
		"a pod that is not placed": {Trigger{Kind: "Pod", Name: "web", Reason: "FailedScheduling"}, true},
		"something else":           {Trigger{Kind: "ConfigMap", Name: "web", Reason: "BackOff"}, false},
		"a pod without a name":     {Trigger{Kind: "Pod", Reason: "BackOff"}, false},
	} {
		if got := c.trigger.ours(); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func bounded(t interface{ Fatalf(string, ...any) }, got Trigger) {
	for _, s := range []string{got.Namespace, got.Kind, got.Name, got.UID, got.Container, got.Reason, got.Note} {
		if len(s) > maxNote || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q got through", s)
		}
	}
	if got.Count < 1 {
		t.Fatalf("the count is %d", got.Count)
	}
}

func TestTriggersAreBoundedAndPrintable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		note := rapid.String().Draw(t, "note")
		e := corev1.Event{Message: strings.Repeat(note, rapid.IntRange(1, 2000).Draw(t, "times")), Reason: note,
			InvolvedObject: corev1.ObjectReference{Kind: note, Name: note, FieldPath: "spec.containers{" + note + "}"}, Count: rapid.Int32().Draw(t, "count")}
		if rapid.Bool().Draw(t, "series") {
			e.Series = &corev1.EventSeries{Count: rapid.Int32().Draw(t, "again")}
		}
		bounded(t, Read(&e))
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"reason":"BackOff","message":"\u001b[2J","count":0,"eventTime":null,"series":{"count":2,"lastObservedTime":"2026-11-23T12:00:00.000000Z"}}`))
	f.Add([]byte(`{"involvedObject":{"kind":"Pod","fieldPath":"spec.containers{"},"lastTimestamp":null,"count":-1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var e corev1.Event
		if json.Unmarshal(b, &e) == nil {
			bounded(t, Read(&e))
		}
	})
}
