package checks

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	helpers "k8s.io/component-helpers/resource"

	"moorgate.dev/internal/gate"
)

// The law: containers and pods keep within the namespace's LimitRanges. The API server looks at those when pods are made,
// and not at the workload that makes them: applying it succeeds, and not one pod ever comes.
//
// What a LimitRange gives as a default counts as if written, by whichever LimitRange. A minimum is asked of requests, and of
// limits where there are any; a maximum of limits, which must be there, and of requests; a ratio of both. Init containers
// count one by one as containers do, and in the sum for the pod as the scheduler counts them, without overhead.
//
// It is true of the change: no pod was ever refused for the load of a moment here. One that runs already is left alone by
// the API server, so what stood before is told and not refused. A workload without replicas makes no pods.
var rangeCheck = Check{
	ID: "limit-range", Title: "The pods keep within the LimitRanges", Points: pointsLimitRange, Nature: gate.Lasting,
	Law:  "Every container, and the pod as a whole, is within min, max and maxLimitRequestRatio of every LimitRange of the namespace, defaults filled in.",
	look: lookRanges,
}

func lookRanges(r Rollout) Result {
	if r.New.Replicas == 0 && r.New.Ref.Kind != "DaemonSet" {
		return Result{}
	}
	ranges, known := r.World.LimitRanges.Get()
	if !known {
		return Result{Unknown: []string{unread("LimitRanges", r.World.LimitRanges)}}
	}
	pod := shape(&r.New.Template, ranges)
	var out Result
	for i := range ranges {
		for _, item := range ranges[i].Spec.Limits {
			for _, why := range beyond(item, pod) {
				out.Findings = append(out.Findings, found(pointsLimitRange, gate.Lasting, []string{EvidenceWorkload, EvidenceLimitRanges},
					"LimitRange %s refuses the pods: %s", name(ranges[i].Name), why))
			}
		}
	}
	return out
}

// beyond says what of the pod one item of a LimitRange refuses.
func beyond(item corev1.LimitRangeItem, pod *corev1.Pod) []string {
	var all []string
	switch item.Type {
	case corev1.LimitTypeContainer:
		for _, c := range everyContainer(&pod.Spec) {
			all = append(all, bounds(item, name(c.Name), c.Resources.Requests, c.Resources.Limits)...)
		}
	case corev1.LimitTypePod:
		options := helpers.PodResourcesOptions{ExcludeOverhead: true}
		all = bounds(item, "the pod", helpers.PodRequests(pod, options), helpers.PodLimits(pod, options))
	}
	return all
}

// bounds compares one list of requests and limits with the item, as the API server does.
func bounds(item corev1.LimitRangeItem, who string, requests, limits corev1.ResourceList) []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, who+" "+fmt.Sprintf(format, args...)) }
	for _, k := range slices.Sorted(maps.Keys(item.Min)) {
		least, what := item.Min[k], name(string(k))
		request, asks := requests[k]
		limit, limited := limits[k]
		switch {
		case !asks:
			say("requests no %s, at least %s is wanted", what, least.String())
		case request.Cmp(least) < 0:
			say("requests %s %s, less than %s", request.String(), what, least.String())
		case limited && limit.Cmp(least) < 0:
			say("is limited to %s %s, less than %s", limit.String(), what, least.String())
		}
	}
	for _, k := range slices.Sorted(maps.Keys(item.Max)) {
		most, what := item.Max[k], name(string(k))
		request := requests[k]
		limit, limited := limits[k]
		switch {
		case !limited:
			say("has no limit of %s, at most %s is wanted", what, most.String())
		case limit.Cmp(most) > 0:
			say("is limited to %s %s, more than %s", limit.String(), what, most.String())
		case request.Cmp(most) > 0:
			say("requests %s %s, more than %s", request.String(), what, most.String())
		}
	}
	for _, k := range slices.Sorted(maps.Keys(item.MaxLimitRequestRatio)) {
		most, what := item.MaxLimitRequestRatio[k], name(string(k))
		request, limit := requests[k], limits[k]
		switch {
		case request.Sign() <= 0 || limit.Sign() <= 0:
			say("lacks a request or a limit of %s, a ratio of at most %s is wanted", what, most.String())
		case wider(limit, request, most):
			say("has a limit of %s %s over a request of %s, more than %s times", limit.String(), what, request.String(), most.String())
		}
	}
	return all
}

// wider reports whether limit over request is more than the ratio.
func wider(limit, request, most resource.Quantity) bool {
	return limit.AsApproximateFloat64()/request.AsApproximateFloat64() > most.AsApproximateFloat64()*(1+1e-9)
}
