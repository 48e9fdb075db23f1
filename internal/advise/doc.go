// Package advise will hold the model: one advisor among others, behind the same interface as the checks, the causes and the
// drift rules. Everything between evidence and an assessment belongs here: selection under a token budget, redaction, versioned
// prompts, answers validated against a schema, budgets, a breaker, replay of recorded answers.
//
// It will never choose anything that is not on the menu, never raise a score that code gave, never be in the path of an
// admission request, and never see a Secret's value. Until it comes, every verdict is made without a model.
package advise
