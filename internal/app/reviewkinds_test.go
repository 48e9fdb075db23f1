package app

import (
	"strings"
	"testing"
)

func TestReviewScoresMoreKinds(t *testing.T) {
	const pod = "{containers: [{name: app, image: 'a:latest', resources: {requests: {cpu: 1m, memory: 1Mi}}}], restartPolicy: Never}"
	for name, manifest := range map[string]string{
		"Job":     "{apiVersion: batch/v1, kind: Job, metadata: {name: web}, spec: {template: {spec: " + pod + "}}}",
		"CronJob": "{apiVersion: batch/v1, kind: CronJob, metadata: {name: web}, spec: {schedule: '@daily', jobTemplate: {spec: {template: {spec: " + pod + "}}}}}",
		"Pod":     "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: " + pod + "}",
		"Rollout": "{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: web}, spec: {template: {spec: " + pod + "}}}",
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := run("review", "--offline", "-f", write(t, "m.yaml", manifest))
			if code != exitOK || !strings.Contains(out, name) || !strings.Contains(out, "image without tag or with latest") {
				t.Errorf("exit code %d:\n%s%s", code, out, errs)
			}
		})
	}
	owned := "{apiVersion: v1, kind: Pod, metadata: {name: web, ownerReferences: [{kind: ReplicaSet, name: w, controller: true}]}, spec: " + pod + "}"
	if code, out, errs := run("review", "--offline", "-f", write(t, "m.yaml", owned)); code != exitFailed || !strings.Contains(errs, "nothing among the 1 objects") {
		t.Errorf("a Pod of a controller: exit code %d:\n%s%s", code, out, errs)
	}
}
