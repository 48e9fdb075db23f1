package drift_test

import "testing"

func TestWhatIsFoughtOverIsNotOfferedToGit(t *testing.T) {
	s := deployed(t, web)
	for turn, want := range []string{"changed-by-person", "changed-by-person", "fight"} {
		s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
		s.round()
		k := s.onlyCase()
		if adopts := k.Status.Menu[0].ID == "adopt"; k.Status.Cause != want || adopts != (want != "fight") {
			t.Errorf("turn %d: cause %s, menu %s", turn+1, k.Status.Cause, asJSON(k.Status.Menu))
		}
		s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.4")
		s.round()
	}
}
