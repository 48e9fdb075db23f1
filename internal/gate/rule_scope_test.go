package gate

import "testing"

func TestScope(t *testing.T) {
	in := func(namespace string, labels Fact[map[string]string]) func(*Rail, *Assessment, *Facts) {
		return func(_ *Rail, _ *Assessment, f *Facts) {
			f.Menu[0].Target.Namespace, f.Subject.Namespace, f.Namespace = namespace, namespace, labels
			f.Menu[0].Request = nil
		}
	}
	partOf := func(what string) Fact[map[string]string] {
		return Known(map[string]string{"app.kubernetes.io/part-of": what})
	}
	rows := []weighed{
		{"a namespace of somebody's", in("shop", partOf("shop")), Allow, ""},
		{"a namespace without labels", in("shop", Known(map[string]string(nil))), Allow, ""},
		{"no namespace", in("", partOf("")), Deny, "has no namespace"},
		{"another namespace than the happening's", func(_ *Rail, _ *Assessment, f *Facts) { f.Subject.Namespace = "till" }, Deny, "the happening in till"},
		{"a namespace whose labels are not known", in("shop", Unknown[map[string]string]("forbidden")), Hold, "forbidden"},
		{"a pull request elsewhere", func(_ *Rail, a *Assessment, f *Facts) {
			a.Choice, f.Menu[1].Target.Namespace, f.Subject.Namespace = []string{"propose"}, "argocd", "argocd"
		}, Deny, "argocd"},
		{"an annotation anywhere", func(_ *Rail, a *Assessment, f *Facts) { a.Choice, f.Subject.Namespace = []string{"mark"}, "till" }, Allow, ""},
	}
	for _, namespace := range outOfBounds {
		rows = append(rows, weighed{namespace, in(namespace, Known(map[string]string(nil))), Deny, namespace})
	}
	for _, part := range gitOps {
		rows = append(rows, weighed{"a part of " + part, in("shop", partOf(part)), Deny, "part of " + part})
	}
	weigh(t, "scope", rows)
}
