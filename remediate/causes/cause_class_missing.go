package causes

import "moorgate.dev/internal/gate"

// The law: a claim that names a StorageClass is served by it. Where there is none of that name, and no volume that was made by hand for it
// either, nobody will. A name without a class is legal where volumes carry it: then it is volume-unmatched. A claim that names no class
// is default-class-missing.
//
// The name, or the class, has to change; the class of a claim cannot.
var classMissing = Cause{
	Doc: gate.Doc{ID: "storage-class-missing", Since: "v0.1", Title: "There is no such StorageClass",
		Text: "A claim asks for a StorageClass that does not exist, and no volume is there that names it."},
	Symptoms: []Symptom{ClaimPending}, Points: 20, Sure: 95, cites: []string{EvidenceClaim},
	explainsObject: func(w World, _ Object) bool {
		c := w.Claim
		if c == nil {
			return false
		}
		name, says := c.Class.Get()
		there, known := c.ClassThere.Get()
		return says && name != "" && known && !there && c.Free == 0
	},
	shares: ofClass,
	tell: func(w World, _ Explained) string {
		name, _ := w.Claim.Class.Get()
		return sentence("%s asks for StorageClass %s, and there is none of that name", crowd(w, 1), name)
	},
}
