// Package openai is a server that speaks Chat Completions as OpenAI and those who follow it do, for tests and the demo: on a real
// socket, with requests checked as the real service checks them, answers scripted by files or by a function, and faults.
//
// It is no model: what it answers was written beforehand.
package openai
