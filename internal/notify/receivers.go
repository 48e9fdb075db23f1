package notify

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// The kinds of receivers: a closed list.
const (
	KindSlack     = "slack"
	KindPagerDuty = "pagerduty"
	KindWebhook   = "webhook"
	KindFlux      = "flux"
	KindEvent     = "event"
)

// Kinds lists the kinds of receivers.
func Kinds() []string { return []string{KindSlack, KindPagerDuty, KindWebhook, KindFlux, KindEvent} }

// Receivers is the file that --receivers names: who may be told, how, and of what.
type Receivers struct {
	// Cluster is the name by which people know this cluster.
	Cluster string `json:"cluster,omitempty"`
	// Receivers are those who may be told. A Guardrail names which of them are.
	Receivers []Receiver `json:"receivers"`
	// Default are the names of those who are told where no Guardrail that applies names any, and where one cannot be read.
	Default []string `json:"default,omitempty"`
	Pace    Pace     `json:"pace,omitzero"`
}

// Receiver is one of them. Files are relative to the file that names them, and read anew for each message, so that they can be rotated.
type Receiver struct {
	Name string   `json:"name"`
	Kind string   `json:"kind"`
	Tell []string `json:"tell"` // of Whats
	// URL is where it is: of a webhook and of Flux; of Slack and PagerDuty where it is not the usual place.
	URL string `json:"url,omitempty"`
	// Channel is the id of a channel of Slack, as C0123456789.
	Channel string `json:"channel,omitempty"`
	// BotTokenFile is what Slack is written to with, and AppTokenFile what buttons are heard with; without it there are none.
	BotTokenFile string `json:"botTokenFile,omitempty"`
	AppTokenFile string `json:"appTokenFile,omitempty"`
	// RoutingKeyFile holds the integration key of a service of PagerDuty.
	RoutingKeyFile string `json:"routingKeyFile,omitempty"`
	// SecretFile holds what a webhook's messages are signed with.
	SecretFile string `json:"secretFile,omitempty"`
}

// Pace is how much is told at once.
type Pace struct {
	// Wait is how long something has to last before it is told, so that what comes together is told together.
	Wait metav1.Duration `json:"wait,omitzero"`
	// Interval is how long a receiver has rest after a message about many Cases. Within it, up to Single messages about one Case each
	// are sent.
	Interval metav1.Duration `json:"interval,omitzero"`
	Single   int             `json:"single,omitempty"`
	// Repeat is after how long people who are needed are told once more.
	Repeat metav1.Duration `json:"repeat,omitzero"`
}

const (
	receiversMost = 16
	fileMost      = 64 << 10
)

// ReadReceivers reads the file. Every problem is reported, with what to write instead.
func ReadReceivers(path string) (*Receivers, error) {
	content, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	var r Receivers
	if err := yaml.UnmarshalStrict(content, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for d, standard := range map[*metav1.Duration]time.Duration{&r.Pace.Wait: 30 * time.Second, &r.Pace.Interval: 5 * time.Minute, &r.Pace.Repeat: 4 * time.Hour} {
		if d.Duration == 0 {
			d.Duration = standard
		}
	}
	if r.Pace.Single == 0 {
		r.Pace.Single = 5
	}
	for i := range r.Receivers {
		x := &r.Receivers[i]
		for _, file := range []*string{&x.BotTokenFile, &x.AppTokenFile, &x.RoutingKeyFile, &x.SecretFile} {
			if *file != "" && !filepath.IsAbs(*file) {
				*file = filepath.Join(filepath.Dir(path), *file)
			}
		}
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &r, nil
}

func (r *Receivers) check() error {
	var errs []error
	names := map[string]bool{}
	if len(r.Receivers) == 0 || len(r.Receivers) > receiversMost {
		errs = append(errs, fmt.Errorf("receivers has %d entries, and takes 1 to %d", len(r.Receivers), receiversMost))
	}
	for i, x := range r.Receivers {
		if names[x.Name] {
			errs = append(errs, fmt.Errorf("receivers[%d]: there are two of the name %s", i, x.Name))
		}
		names[x.Name] = true
		if err := x.check(); err != nil {
			errs = append(errs, fmt.Errorf("receivers[%d] (%.63q): %w", i, x.Name, err))
		}
	}
	for _, name := range r.Default {
		if !names[name] {
			errs = append(errs, fmt.Errorf("default names %.63q, and there is no such receiver", name))
		}
	}
	p := r.Pace
	if p.Wait.Duration < 0 || p.Interval.Duration < 0 || p.Repeat.Duration < time.Minute || p.Single < 0 || p.Single > 100 {
		errs = append(errs, errors.New("pace: wait and interval are times, repeat is 1m at least, and single is a number up to 100"))
	}
	return errors.Join(errs...)
}

var (
	receiverName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	slackChannel = regexp.MustCompile(`^[CG][A-Z0-9]{2,20}$`)
)

func (x Receiver) check() error {
	var errs []error
	wants := func(field, value string, wanted bool) {
		switch {
		case wanted && value == "":
			errs = append(errs, fmt.Errorf("%s is needed for a receiver of kind %s", field, x.Kind))
		case !wanted && value != "":
			errs = append(errs, fmt.Errorf("%s is not for a receiver of kind %s", field, x.Kind))
		}
	}
	if !receiverName.MatchString(x.Name) {
		errs = append(errs, errors.New("name is of small letters, digits and dashes, up to 63"))
	}
	if !slices.Contains(Kinds(), x.Kind) {
		return errors.Join(append(errs, fmt.Errorf("kind %.63q is none of %v", x.Kind, Kinds()))...)
	}
	if len(x.Tell) == 0 {
		errs = append(errs, fmt.Errorf("tell says of what it is told: some of %v", Whats()))
	}
	for _, what := range x.Tell {
		if !slices.Contains(Whats(), what) {
			errs = append(errs, fmt.Errorf("tell %.63q is none of %v", what, Whats()))
		}
	}
	slack := x.Kind == KindSlack
	wants("channel", x.Channel, slack)
	wants("botTokenFile", x.BotTokenFile, slack)
	wants("routingKeyFile", x.RoutingKeyFile, x.Kind == KindPagerDuty)
	wants("secretFile", x.SecretFile, x.Kind == KindWebhook)
	if x.Kind == KindWebhook || x.Kind == KindFlux || x.Kind == KindEvent {
		wants("url", x.URL, x.Kind != KindEvent)
	}
	if !slack {
		wants("appTokenFile", x.AppTokenFile, false)
	} else if x.Channel != "" && !slackChannel.MatchString(x.Channel) {
		errs = append(errs, errors.New("channel is the id of a channel, as C0123456789: the bottom of its details in Slack shows it"))
	}
	if x.URL != "" {
		if _, err := Address(x.URL); err != nil {
			errs = append(errs, fmt.Errorf("url: %w", err))
		}
	}
	return errors.Join(errs...)
}

// readSmall reads a file of a few lines.
func readSmall(path string) ([]byte, error) {
	at, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if at.Size() > fileMost {
		return nil, fmt.Errorf("%s is larger than %d KiB", path, fileMost>>10)
	}
	return os.ReadFile(path)
}

// secret reads a token from a file, for one use.
func secret(path string) (string, error) {
	content, err := readSmall(path)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(content))
	if token == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return token, nil
}
