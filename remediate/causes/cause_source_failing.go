package causes

import "moorgate.dev/internal/gate"

// The law: the source controller says that reading failed: nobody answers, or there is no such branch, tag or chart. Which of these it
// says only in words that a server may have had a part in, and they are not read. What was delivered before stays as it is; everything
// that is delivered from here waits.
var sourceFailing = Cause{
	Doc: gate.Doc{ID: "source-failing", Since: "v0.2", Title: "A source cannot be read",
		Text: "What Flux or Argo CD reads from cannot be reached, or does not hold what is asked for."},
	Symptoms: []Symptom{DeliveryFailing}, Points: 20, Sure: 85,
	explainsObject: failsFor("GitOperationFailed", "OCIArtifactPullFailed", "OCIArtifactLayerOperationFailed", "IndexationFailed", "BucketOperationFailed", "FetchFailed", "ChartPullError", "ChartPullFailed", "VerificationError", "StorageOperationFailed"),
	tell: func(w World, e Explained) string {
		return sentence("%s cannot read its source (%s)", crowd(w, 1), e.failing())
	},
}
