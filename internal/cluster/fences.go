package cluster

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// bindTime is how long a fence may take, after it was created or changed, until every API server refuses by it.
const bindTime = 10 * time.Second

// vouching are the fences that vouch for who approved, by name.
var vouching = []string{"moorgate-approvals", "moorgate-approvals-accounts"}

// Fences are admission policies with their bindings, as they are shipped. The zero Fences never stand.
type Fences struct {
	policies []admissionregistrationv1.ValidatingAdmissionPolicy
	bindings []admissionregistrationv1.ValidatingAdmissionPolicyBinding
}

// VouchingFences are the fences that vouch for the approver of an Approval, from the files of the chart.
func VouchingFences(files fs.FS) (Fences, error) {
	objects, err := Manifests(files)
	if err != nil {
		return Fences{}, err
	}
	var f Fences
	for _, u := range objects {
		if !slices.Contains(vouching, u.GetName()) {
			continue
		}
		switch u.GetKind() {
		case "ValidatingAdmissionPolicy":
			f.policies = append(f.policies, admissionregistrationv1.ValidatingAdmissionPolicy{})
			err = Into(u, &f.policies[len(f.policies)-1])
		case "ValidatingAdmissionPolicyBinding":
			f.bindings = append(f.bindings, admissionregistrationv1.ValidatingAdmissionPolicyBinding{})
			err = Into(u, &f.bindings[len(f.bindings)-1])
		}
		if err != nil {
			return Fences{}, err
		}
	}
	if len(f.policies) != len(vouching) || len(f.bindings) != len(vouching) {
		return Fences{}, fmt.Errorf("the files hold %d policies and %d bindings of the %d fences %v", len(f.policies), len(f.bindings), len(vouching), vouching)
	}
	return f, nil
}

// Standing is how the fences stand in a cluster. The zero Standing vouches for nothing.
type Standing struct {
	since time.Time // all of them stand unchanged since then, by the API server's clock
	flaw  string    // why they do not stand, if so
}

// Look compares every fence, field by field, with what the API server has. Nothing is remembered: what is compared is what
// stands now.
func (f Fences) Look(ctx context.Context, r client.Reader) Standing {
	var s Standing
	if len(f.policies) == 0 {
		s.flaw = "nobody said which fences vouch for it"
	}
	for _, want := range f.policies {
		var have admissionregistrationv1.ValidatingAdmissionPolicy
		err := r.Get(ctx, client.ObjectKeyFromObject(&want), &have)
		s.add("fence "+want.Name, &have, err, equality.Semantic.DeepEqual(want.Spec, have.Spec))
	}
	for _, want := range f.bindings {
		var have admissionregistrationv1.ValidatingAdmissionPolicyBinding
		err := r.Get(ctx, client.ObjectKeyFromObject(&want), &have)
		s.add("binding of the fence "+want.Name, &have, err, equality.Semantic.DeepEqual(want.Spec, have.Spec))
	}
	return s
}

func (s *Standing) add(what string, have client.Object, err error, same bool) {
	since, known := unchangedSince(have)
	switch {
	case s.flaw != "":
	case apierrors.IsNotFound(err):
		s.flaw = "the " + what + " is not there (moorgate install puts it in place)"
	case err != nil:
		s.flaw = "the " + what + " could not be read: " + err.Error()
	case !same:
		s.flaw = "the " + what + " does not stand as it is shipped (delete it, and moorgate install puts it back)"
	case !known:
		s.flaw = "nobody can say since when the " + what + " stands"
	case since.After(s.since):
		s.since = since
	}
}

// unchangedSince is when an object was created or, so that a fence that was opened and put right again does not vouch for what
// came in between, last written. What the API server itself says of it, in its status, is no change.
func unchangedSince(o client.Object) (time.Time, bool) {
	created := o.GetCreationTimestamp()
	since, known := created.Time, !created.IsZero()
	for _, entry := range o.GetManagedFields() {
		switch {
		case entry.Subresource == "status":
		case entry.Time == nil:
			known = false
		case entry.Time.After(since):
			since = entry.Time.Time
		}
	}
	return since, known
}

// voids says why the fences do not vouch for what was created then; empty: they do.
func (s Standing) voids(created time.Time) string {
	switch {
	case s.flaw != "":
		return s.flaw
	case s.since.IsZero():
		return "nobody looked at the fences"
	case !created.After(s.since.Add(bindTime)):
		return "it was given before the fences stood as they do now, since " + s.since.UTC().Format(time.RFC3339) + ": give it again"
	}
	return ""
}
