package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// slackUsers is the file that --slack-users names: which user of Slack is which user of Kubernetes. Whoever may write it decides who
// is asked about, so it is an administrator's.
type slackUsers struct {
	// Team is the id of the workspace: nobody of another one, as in a shared channel, is anybody here.
	Team  string      `json:"team"`
	Users []slackUser `json:"users"`
}

type slackUser struct {
	Slack  string   `json:"slack"`
	User   string   `json:"user"`
	Groups []string `json:"groups,omitempty"`
}

const slackUsersMost = 1000

// readSlackUsers reads the file. It is read at each press, so that who is taken out is out at once.
func readSlackUsers(path string) (*slackUsers, error) {
	content, err := readSmall("--slack-users", path)
	if err != nil {
		return nil, err
	}
	var s slackUsers
	if err := yaml.UnmarshalStrict(content, &s); err != nil {
		return nil, fmt.Errorf("--slack-users %s: %w", path, err)
	}
	var errs []error
	if s.Team == "" {
		errs = append(errs, errors.New("team is needed: the id of the workspace, as T0123456789"))
	}
	if len(s.Users) > slackUsersMost {
		errs = append(errs, fmt.Errorf("there are more than %d users", slackUsersMost))
	}
	seen := map[string]bool{}
	for i, u := range s.Users {
		switch {
		case u.Slack == "" || u.User == "":
			errs = append(errs, fmt.Errorf("users[%d]: slack and user are needed", i))
		case seen[u.Slack]:
			errs = append(errs, fmt.Errorf("users[%d]: %s is there twice", i, shown(u.Slack)))
		case strings.HasPrefix(u.User, "system:"):
			errs = append(errs, fmt.Errorf("users[%d]: %s is no person", i, shown(u.User)))
		case slices.ContainsFunc(u.Groups, func(g string) bool { return strings.HasPrefix(g, "system:") && g != "system:authenticated" }):
			errs = append(errs, fmt.Errorf("users[%d]: groups that begin with system: are for nobody who presses a button", i))
		}
		seen[u.Slack] = true
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("--slack-users %s: %w", path, err)
	}
	return &s, nil
}

// of is who a user of Slack is.
func (s *slackUsers) of(team, user string) (slackUser, bool) {
	if team != s.Team {
		return slackUser{}, false
	}
	i := slices.IndexFunc(s.Users, func(u slackUser) bool { return u.Slack == user })
	if i < 0 {
		return slackUser{}, false
	}
	return s.Users[i], true
}
