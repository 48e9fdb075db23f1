// Package prompts turns a question into the words that a model is asked with: versioned files, the static part first.
//
// What others wrote stands between fences that they cannot close: the boundary is made anew for every call, whatever looks like it is
// broken up, and each line of data has a mark before it. A model may still be talked into something by what it reads there; that an
// answer can do no harm is not the work of these words.
//
// A file that was released never changes. testdata/released.txt holds what each version says.
package prompts
