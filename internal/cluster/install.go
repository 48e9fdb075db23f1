package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	installOwner = "moorgate-install"
	// AnnotationProbe on a fence holds, as JSON, an object whose creation that fence refuses to everybody.
	AnnotationProbe = "moorgate.dev/fence-probe"

	pollEvery = 250 * time.Millisecond
)

// InstallOptions say how Install installs. The zero value is silent.
type InstallOptions struct {
	// Progress receives one line for people after each object and each wait.
	Progress func(line string)
	// Enable are the rights to act that are given too, after everything else: Enabling makes them.
	Enable []*unstructured.Unstructured
	// Shaped are the kinds that the gate may ask about beside those that it knows.
	Shaped []schema.GroupResource
}

// Install applies what a cluster needs before Moorgate runs in it: kinds, namespace and ServiceAccounts, fences, then
// rights. Rights come last, once every fence was seen to hold, so that no identity ever has a right without its fence.
//
// It applies server-side and may be repeated. It takes fields from other owners but touches only the fields in the files:
// a certificate or a registration that Moorgate filled since is left alone. It never deletes anything. A wait ends with ctx.
func Install(ctx context.Context, config *rest.Config, files fs.FS, o InstallOptions) error {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	objects, err := Manifests(files)
	if err != nil {
		return err
	}
	objects = append(askAlso(objects, o.Shaped), o.Enable...)
	c, err := client.New(config, client.Options{})
	if err != nil {
		return fmt.Errorf("make a client to install with: %w", err)
	}
	byStage := [stages][]*unstructured.Unstructured{}
	for _, u := range objects {
		byStage[stageOf(u)] = append(byStage[stageOf(u)], u)
	}
	for stage, some := range byStage {
		for _, u := range some {
			if err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(u.DeepCopy()), client.FieldOwner(installOwner), client.ForceOwnership); err != nil {
				return fmt.Errorf("apply %s %s: %w", u.GetKind(), client.ObjectKeyFromObject(u), err)
			}
			o.Progress("applied " + u.GetKind() + " " + u.GetName())
		}
		if err := settled(ctx, c, stage, some); err != nil {
			return err
		}
	}
	o.Progress("the kinds are served and the fences hold")
	return nil
}

// The stages of an installation. Each is settled before the next begins.
const (
	stageKinds = iota
	stageNamespaces
	stageAccounts
	stageFences
	stageRights
	stages
)

func stageOf(u *unstructured.Unstructured) int {
	switch u.GetKind() {
	case "CustomResourceDefinition":
		return stageKinds
	case "Namespace":
		return stageNamespaces
	case "ServiceAccount":
		return stageAccounts
	case "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding":
		return stageFences
	}
	return stageRights
}

func settled(ctx context.Context, c client.Client, stage int, objects []*unstructured.Unstructured) error {
	switch stage {
	case stageKinds:
		for _, u := range objects {
			if err := established(ctx, c, u); err != nil {
				return err
			}
		}
	case stageFences:
		return waitFences(ctx, c, objects)
	}
	return nil
}

// established waits until the API server serves the kind that a CustomResourceDefinition defines.
func established(ctx context.Context, c client.Client, crd *unstructured.Unstructured) error {
	last := "nothing was said yet"
	err := wait.PollUntilContextCancel(ctx, pollEvery, true, func(ctx context.Context) (bool, error) {
		now := &unstructured.Unstructured{}
		now.SetGroupVersionKind(crd.GroupVersionKind())
		if err := c.Get(ctx, client.ObjectKeyFromObject(crd), now); err != nil {
			last = err.Error()
			return false, nil
		}
		conditions, _, _ := unstructured.NestedSlice(now.Object, "status", "conditions")
		for _, one := range conditions {
			condition, _ := one.(map[string]any)
			message, _ := condition["message"].(string)
			switch {
			case condition["type"] == "NamesAccepted" && condition["status"] == "False":
				return false, fmt.Errorf("its names are taken: %s", message)
			case condition["type"] == "Established" && condition["status"] == "True":
				return true, nil
			}
			last = message
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("wait until %s is served (last: %s): %w", crd.GetName(), last, err)
	}
	return nil
}

// WaitFences waits until the API server refuses what the fences in files refuse: a policy takes some seconds to bind after
// it was created, and until then it refuses nothing. The caller needs the right to create what the probes create, though
// nothing is created: the probes are dry runs. Where several API servers answer, this is the word of the one that did.
func WaitFences(ctx context.Context, config *rest.Config, files fs.FS) error {
	objects, err := Manifests(files)
	if err != nil {
		return err
	}
	c, err := client.New(config, client.Options{})
	if err != nil {
		return fmt.Errorf("make a client to probe the fences with: %w", err)
	}
	return waitFences(ctx, c, objects)
}

func waitFences(ctx context.Context, c client.Client, objects []*unstructured.Unstructured) error {
	for _, fence := range objects {
		if fence.GetKind() != "ValidatingAdmissionPolicy" {
			continue
		}
		last := errors.New("the probe was let through")
		err := wait.PollUntilContextCancel(ctx, pollEvery, true, func(ctx context.Context) (bool, error) {
			holds, err := FenceHolds(ctx, c, fence)
			if err != nil && ctx.Err() == nil {
				last = err
			}
			return holds, nil
		})
		if err != nil {
			return fmt.Errorf("wait for the fence %s to hold: %w (last: %w)", fence.GetName(), err, last)
		}
	}
	return nil
}

// FenceHolds asks the API server, by a dry run, whether it refuses the probe of a fence. An error means that nobody can say.
func FenceHolds(ctx context.Context, c client.Client, fence *unstructured.Unstructured) (bool, error) {
	probe := &unstructured.Unstructured{}
	if err := probe.UnmarshalJSON([]byte(fence.GetAnnotations()[AnnotationProbe])); err != nil {
		return false, fmt.Errorf("read the probe of the fence %s from its annotation %s: %w", fence.GetName(), AnnotationProbe, err)
	}
	err := c.Create(ctx, probe, client.DryRunAll)
	switch {
	case err == nil:
		return false, nil
	case strings.Contains(err.Error(), "ValidatingAdmissionPolicy '"+fence.GetName()+"'"):
		return true, nil
	}
	return false, fmt.Errorf("probe the fence %s: %w", fence.GetName(), err)
}
