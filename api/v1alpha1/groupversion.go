// Package v1alpha1 holds the kinds of the API group moorgate.dev that people see: Guardrail says what Moorgate may do,
// Case is one happening from signal to outcome, Approval is a human's word on one plan, GitSource names a repository that says
// what the cluster should be.
//
// It is types only. The CustomResourceDefinitions and the deepcopy functions are generated from them, and a test fails when
// they are out of date. Validation lives in the schema and in CEL, so that the API server refuses what makes no sense.
// This package never decides anything, and it never holds a Secret's content.
//
// +kubebuilder:object:generate=true
// +groupName=moorgate.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of these kinds.
var GroupVersion = schema.GroupVersion{Group: "moorgate.dev", Version: "v1alpha1"}

// AddToScheme makes these kinds known to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &Guardrail{}, &GuardrailList{}, &Case{}, &CaseList{}, &GitSource{}, &GitSourceList{}, &Approval{}, &ApprovalList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}

// The labels and annotations that Moorgate sets.
const (
	// LabelFace on a Case is the face that opened it.
	LabelFace = "moorgate.dev/face"
	// LabelWorkload on a Case is a hash of its subject's kind and name: every Case about one workload has the same.
	LabelWorkload = "moorgate.dev/workload"
	// LabelTemplate on a webhook Case is the hash of the pod template that was judged.
	LabelTemplate = "moorgate.dev/template"
	// LabelChange on a webhook Case is the hash of what an opinion about the pod template rests on: the template without
	// annotations, and without labels that its workload does not select by.
	LabelChange = "moorgate.dev/change"
	// LabelWitnessed on a Case is true where it says what a person was seen to do.
	LabelWitnessed = "moorgate.dev/witnessed"

	// AnnotationLastAction on a rollout is the mark of the last action that changed its pod template, as its Case has it.
	AnnotationLastAction = "moorgate.dev/last-action"
	// AnnotationScore on a rollout is its readiness score, 0 to 100.
	AnnotationScore = "moorgate.dev/readiness-score"
	// AnnotationVerdict on a rollout is Allow, Hold or Deny.
	AnnotationVerdict = "moorgate.dev/readiness-verdict"
	// AnnotationCase on a rollout names the Case with the reasons.
	AnnotationCase = "moorgate.dev/readiness-case"
	// AnnotationTemplate on a rollout is the hash of the pod template that the other annotations speak of. A rollout
	// whose template has another hash, as after `kubectl rollout undo`, carries annotations that are out of date.
	AnnotationTemplate = "moorgate.dev/readiness-template"
)
