package remediate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
)

// The law: an alert is a bell and never evidence. It says that somebody should look at a thing now, and all that is said of the thing
// is read from live state; the name of the alert, its annotations and whether it fires or is resolved are read by nobody. So whoever may
// ring can have something looked at early, and nothing else. What names no thing is counted, and left to the sweep.

// The bounds of what one message may hold.
const (
	AlertBytes = 1 << 20
	maxAlerts  = 1024
)

// alertVersion is the version of Alertmanager's webhook message that is understood. A later one may mean other things by the same
// words; fields that are added to this one are passed over.
const alertVersion = "4"

// alertNames are the labels by which rules name things, with the kind of each. The label job is not one: it names what was scraped.
var alertNames = []struct{ label, kind string }{
	{"pod", "Pod"}, {"deployment", "Deployment"}, {"statefulset", "StatefulSet"}, {"daemonset", "DaemonSet"}, {"replicaset", "ReplicaSet"},
	{"job_name", "Job"}, {"cronjob", "CronJob"}, {"horizontalpodautoscaler", "HorizontalPodAutoscaler"},
	{"persistentvolumeclaim", "PersistentVolumeClaim"}, {"poddisruptionbudget", "PodDisruptionBudget"}, {"node", "Node"},
}

// Alerts reads a message of Alertmanager's webhook as what it makes somebody look at, without what is there twice. unknown is how many
// alerts name nothing that could be looked at.
func Alerts(body []byte, now time.Time) (look []Trigger, unknown int, err error) {
	var message struct {
		Version string `json:"version"`
		Alerts  []struct {
			Labels map[string]string `json:"labels"`
		} `json:"alerts"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&message); err != nil {
		return nil, 0, fmt.Errorf("read the alerts: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, 0, errors.New("read the alerts: something comes after the message")
	}
	if message.Version != alertVersion {
		return nil, 0, fmt.Errorf("read the alerts: the message is of another version than %s", alertVersion)
	}
	if len(message.Alerts) > maxAlerts {
		return nil, 0, fmt.Errorf("read the alerts: there are %d, and at most %d are read; set max_alerts", len(message.Alerts), maxAlerts)
	}
	for _, a := range message.Alerts {
		named := namedBy(a.Labels, now)
		if len(named) == 0 {
			unknown++
		}
		for _, t := range named {
			if !slices.Contains(look, t) {
				look = append(look, t)
			}
		}
	}
	return look, unknown, nil
}

// namedBy is what the labels of an alert name. An exporter that speaks of others has their names in exported_ labels, and its own in the
// plain ones, which are then not read.
func namedBy(labels map[string]string, now time.Time) (named []Trigger) {
	of := func(name string) string {
		if v, exported := labels["exported_"+name]; exported {
			return v
		}
		if _, exported := labels["exported_namespace"]; exported && name == "pod" {
			return "" // the exporter's own
		}
		return labels[name]
	}
	namespace := of("namespace")
	if namespace != "" && len(validation.IsDNS1123Label(namespace)) > 0 {
		return nil
	}
	for _, n := range alertNames {
		name := of(n.label)
		if name == "" || len(validation.IsDNS1123Subdomain(name)) > 0 {
			continue
		}
		t := Trigger{Namespace: namespace, Kind: n.kind, Name: name, Count: 1, At: now}
		if n.kind == "Node" {
			t.Namespace = ""
		}
		if (t.Namespace != "" || n.kind == "Node") && t.ours() {
			named = append(named, t)
		}
	}
	if namespace != "" && !slices.ContainsFunc(named, func(t Trigger) bool { return t.Kind == podKind.Kind }) {
		named = append(named, Trigger{Namespace: namespace, Count: 1, At: now}) // its pods, whosever they are
	}
	return named
}
