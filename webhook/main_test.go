package webhook

import (
	"os"
	"testing"

	testcluster "moorgate.dev/test/cluster"
)

func TestMain(m *testing.M) { os.Exit(testcluster.Main(m)) }
