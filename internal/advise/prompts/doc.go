// Package prompts turns a question into the words that a model is asked with: versioned files, the static part first.
package prompts
