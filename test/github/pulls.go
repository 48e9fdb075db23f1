package github

import (
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// find finds an issue or a pull request by the number in the path.
func (a ask) find(parameter string, pull bool) *Issue {
	n, err := strconv.Atoi(a.path(parameter))
	if err != nil || n < 1 || n > len(a.issues) || pull && a.issues[n-1].Head == "" {
		return nil
	}
	return a.issues[n-1]
}

// page is the part of a list that is asked for, the newest first.
func (a ask) page(fits func(*Issue) bool) []*Issue {
	var all []*Issue
	state := a.values.Get("state")
	for _, i := range a.issues {
		if (state == "all" || i.State == state || state == "" && i.State == "open") && fits(i) {
			all = append(all, i)
		}
	}
	if a.values.Get("direction") != "asc" {
		slices.Reverse(all)
	}
	size, number := 30, 1
	if n, err := strconv.Atoi(a.values.Get("per_page")); err == nil {
		size = min(n, 100)
	}
	if n, err := strconv.Atoi(a.values.Get("page")); err == nil {
		number = n
	}
	return all[min(len(all), (number-1)*size):min(len(all), number*size)]
}

func (a ask) listPulls() (int, any) {
	out := []any{}
	for _, i := range a.page(func(i *Issue) bool {
		head, base := a.values.Get("head"), a.values.Get("base")
		return i.Head != "" && (head == "" || head == a.Owner+":"+i.Head) && (base == "" || base == i.Base)
	}) {
		out = append(out, a.pullObject(i))
	}
	return http.StatusOK, out
}

func (a ask) makePull() (int, any) {
	asked := into[struct {
		Title, Body, Head, Base string
		Draft                   bool
	}](a)
	head, ok := a.Repo.head(asked.Head)
	base, ok2 := a.Repo.head(asked.Base)
	if !ok || !ok2 {
		return invalid("Validation Failed", Object{"resource": "PullRequest", "field": "head", "code": "invalid"})
	}
	if a.ancestors(base)[head] {
		return invalid("Validation Failed", Object{"resource": "PullRequest", "code": "custom", "message": fmt.Sprintf("No commits between %s and %s", asked.Base, asked.Head)})
	}
	for _, i := range a.issues {
		if i.Head == asked.Head && i.Base == asked.Base && i.State == "open" {
			return invalid("Validation Failed", Object{"resource": "PullRequest", "code": "custom", "message": fmt.Sprintf("A pull request already exists for %s:%s.", a.Owner, asked.Head)})
		}
	}
	i := a.open(asked.Title, asked.Body)
	i.Head, i.Base, i.Draft = asked.Head, asked.Base, asked.Draft
	return http.StatusCreated, a.pullObject(i)
}

func (a ask) open(title, body string) *Issue {
	i := &Issue{Number: len(a.issues) + 1, Title: title, Body: body, State: "open", Created: a.server.options.Now(), OpenedBy: a.write}
	a.issues = append(a.issues, i)
	return i
}

// showPull tells of one pull request what a list does not: whether Git can merge it.
func (a ask) showPull() (int, any) {
	i := a.find("pull_number", true)
	if i == nil {
		return missing()
	}
	o := a.pullObject(i)
	if i.State == "open" {
		o["mergeable"] = a.merges(i)
	}
	return http.StatusOK, o
}

// merges asks Git's own program whether a branch can be merged; nil where it cannot say.
func (a ask) merges(i *Issue) any {
	out := exec.Command("git", "-C", a.Dir, "-c", "safe.directory=*", "merge-tree", "--write-tree", "refs/heads/"+i.Base, "refs/heads/"+i.Head)
	err := out.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return true
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return false
	}
	return nil
}

func (a ask) editPull() (int, any) {
	i := a.find("pull_number", true)
	if i == nil {
		return invalid("Validation Failed")
	}
	asked := into[struct{ Title, Body, State *string }](a)
	a.edit(i, asked.Title, asked.Body, asked.State)
	return http.StatusOK, a.pullObject(i)
}

func (a ask) edit(i *Issue, title, body, state *string) {
	if title != nil {
		i.Title = *title
	}
	if body != nil {
		i.Body = *body
	}
	if state != nil && *state == "closed" && i.State == "open" {
		a.close(i, a.write)
	}
}

func (a ask) pullObject(i *Issue) Object {
	side := func(branch, sha string) Object {
		if head, ok := a.Repo.head(branch); ok && sha == "" {
			sha = head.String()
		}
		repo := Object{"name": a.Name, "full_name": a.Owner + "/" + a.Name, "owner": Object{"login": a.Owner}}
		return Object{"ref": branch, "sha": sha, "label": a.Owner + ":" + branch, "repo": repo, "user": Object{"login": a.Owner}}
	}
	o := a.issueObject(i)
	delete(o, "comments")
	delete(o, "pull_request")
	o["head"], o["base"], o["draft"] = side(i.Head, i.HeadSHA), side(i.Base, ""), i.Draft
	if i.Merged {
		o["merged_at"] = i.ClosedAt.UTC().Format(time.RFC3339)
	}
	return o
}

func (a ask) issueObject(i *Issue) Object {
	labels := []any{}
	for _, l := range i.Labels {
		labels = append(labels, Object{"name": l})
	}
	o := Object{"number": i.Number, "title": i.Title, "body": i.Body, "state": i.State, "labels": labels, "user": Object{"login": i.OpenedBy},
		"comments": len(i.Comments), "created_at": i.Created.UTC().Format(time.RFC3339), "updated_at": i.Created.UTC().Format(time.RFC3339),
		"html_url": fmt.Sprintf("https://github.com/%s/%s/issues/%d", a.Owner, a.Name, i.Number)}
	if i.Head != "" {
		o["html_url"] = fmt.Sprintf("https://github.com/%s/%s/pull/%d", a.Owner, a.Name, i.Number)
		o["pull_request"] = Object{"url": o["html_url"], "html_url": o["html_url"], "diff_url": o["html_url"], "patch_url": o["html_url"]}
	}
	if i.State == "closed" {
		o["closed_at"] = i.ClosedAt.UTC().Format(time.RFC3339)
	}
	return o
}

func (a ask) listIssues() (int, any) {
	out := []any{}
	for _, i := range a.page(func(i *Issue) bool {
		for want := range strings.SplitSeq(a.values.Get("labels"), ",") {
			if want != "" && !slices.Contains(i.Labels, want) {
				return false
			}
		}
		return true
	}) {
		out = append(out, a.issueObject(i))
	}
	return http.StatusOK, out
}

func (a ask) makeIssue() (int, any) {
	asked := into[struct {
		Title  any // GitHub takes numbers too
		Body   string
		Labels []string
	}](a)
	i := a.open(fmt.Sprint(asked.Title), asked.Body)
	i.Labels = asked.Labels
	return http.StatusCreated, a.issueObject(i)
}

func (a ask) editIssue() (int, any) {
	i := a.find("issue_number", false)
	if i == nil {
		return missing()
	}
	asked := into[struct{ Title, Body, State *string }](a)
	a.edit(i, asked.Title, asked.Body, asked.State)
	return http.StatusOK, a.issueObject(i)
}

func (a ask) comment() (int, any) {
	i := a.find("issue_number", false)
	if i == nil {
		return missing()
	}
	i.Comments = append(i.Comments, into[struct{ Body string }](a).Body)
	return http.StatusCreated, Object{"id": len(i.Comments), "body": i.Comments[len(i.Comments)-1], "user": Object{"login": a.write}}
}

func (a ask) label() (int, any) {
	i := a.find("issue_number", false)
	if i == nil {
		return missing()
	}
	out := []any{}
	for _, l := range into[struct{ Labels []string }](a).Labels {
		if !slices.Contains(i.Labels, l) {
			i.Labels = append(i.Labels, l)
		}
	}
	for _, l := range i.Labels {
		out = append(out, Object{"name": l})
	}
	return http.StatusOK, out
}
