package cluster

import (
	"encoding/json"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/gate"
)

// holdAnnotation is the name of the annotation that holds a delivery, and heldBy the value by which it does.
var (
	holdAnnotation = strings.TrimSuffix(strings.TrimPrefix(gate.HoldPath, annotationPath), "]")
	heldBy         = strings.Trim(gate.HoldValue, `"`)
)

// Hold is how the annotation that holds a delivery stands on an object.
type Hold int

// How it may stand. The zero Hold is nothing of ours, so that it is left alone.
const (
	HoldOthers Hold = iota // somebody else says something by it, or the same as we do
	HoldNone               // it is not there
	HoldOurs               // we said so, and nobody else says anything by it
)

// HoldOn is how the annotation stands on an object, by the API server's own account of who applied what.
func HoldOn(o metav1.Object) Hold {
	value, there := o.GetAnnotations()[holdAnnotation]
	if !there {
		return HoldNone
	}
	ours := false
	for _, m := range o.GetManagedFields() {
		switch {
		case m.FieldsV1 == nil || !saysHold(m.FieldsV1.GetRawBytes()):
		case m.Manager != HoldOwner || m.Operation != metav1.ManagedFieldsOperationApply:
			return HoldOthers
		default:
			ours = true
		}
	}
	if ours && value == heldBy {
		return HoldOurs
	}
	return HoldOthers
}

// saysHold is whether fields, as the API server writes them, have the annotation among them. What cannot be read may have it.
func saysHold(fields []byte) bool {
	var f struct {
		Metadata struct {
			Annotations map[string]json.RawMessage `json:"f:annotations"`
		} `json:"f:metadata"`
	}
	if err := json.Unmarshal(fields, &f); err != nil {
		return true
	}
	_, says := f.Metadata.Annotations["f:"+holdAnnotation]
	return says
}
