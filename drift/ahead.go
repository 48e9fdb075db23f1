package drift

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// A field that a person changed and that differs from Git may have been changed by the person before Git said what it says
// now: a hotfix that Git adopted leaves the person as the field's owner, and the next release that is not delivered yet would
// look like a change to adopt, which would revert it. So a change counts as the later one only where that is known.

// past is what is known of one object for as long as its manifest in Git has been the same.
type past struct {
	since  time.Time       // of the first commit that was seen with this manifest
	exact  bool            // another manifest was seen before that commit; otherwise Git may have said so long before
	last   bool            // it is the manifest that was delivered last, so that what differs came after it
	uid    string          // of the live object that was compared with it
	always map[string]bool // the fields that differed every time that they were compared
	// differed are the fields that differed the last time, and turns when each began to, lately.
	differed map[string]bool
	turns    map[string][]time.Time
	there    string // the UID of the live object that was seen last, under an earlier manifest too; empty: none was seen
	loss     loss
	clean    string // the fingerprint of the live object when it said what Git says; empty: it is to be looked at
}

// changed takes note of which fields differ now, and reports which of them were seen to be as Git has them before.
func (p *past) changed(uid string, drifts []Drift) map[string]bool {
	seen := p.uid == uid
	changed, always := map[string]bool{}, map[string]bool{}
	for _, d := range drifts {
		field := d.Path.String()
		if seen && !p.always[field] {
			changed[field] = true
		} else {
			always[field] = true
		}
	}
	p.uid, p.always = uid, always
	return changed
}

// ahead says why Git may be ahead of the cluster in a field, rather than the cluster of Git. It is empty where the live value
// is known to be the later word: it was seen to change, or Git's value was delivered before it, or the times say so.
func (p *past) ahead(d Drift, changed bool) string {
	const may = "Git may be ahead of what was delivered: "
	switch at := d.Owner.Time; {
	case d.Delivered:
		return may + "the live value is the one that was delivered last"
	case d.Added, p.last: // Git never said anything that adopting it could revert, or it was delivered before
		return ""
	case changed, d.Overwritten && !p.exact:
		return ""
	case at.IsZero():
		return may + "the API server kept no time of the change"
	case p.since.IsZero():
		return may + "the commit has no time"
	case !at.After(p.since):
		return may + fmt.Sprintf("its manifest is of %s, and the owner's last change of %s", p.since.UTC().Format(time.RFC3339), at.UTC().Format(time.RFC3339))
	}
	return ""
}

// lastApplied is the annotation in which kubectl apply keeps the manifest that it delivered.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// delivery says whether what was delivered last, by kubectl apply or by an owner that delivers, has the live value of a drift
// or Git's. It is as good as the word of who may write to the workload.
func delivery(live *unstructured.Unstructured, field fieldpath.Path, d *Drift) error {
	for _, e := range live.GetManagedFields() {
		set, err := fields(e)
		if err != nil {
			return err
		}
		d.Delivered = d.Delivered || (partyOf(e) == Delivery && set.Has(field))
	}
	var manifest any
	if json.Unmarshal([]byte(live.GetAnnotations()[lastApplied]), &manifest) != nil {
		return nil
	}
	if was, depth := follow(manifest, field); depth == len(field) {
		d.Delivered = d.Delivered || equality.Semantic.DeepEqual(was, d.Live)
		d.Overwritten = equality.Semantic.DeepEqual(was, d.Git)
	}
	return nil
}
