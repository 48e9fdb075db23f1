// Command moorgate keeps a Kubernetes cluster moored to Git and guards its gate.
package main

import (
	"os"

	"moorgate.dev/internal/app"
)

func main() {
	os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr))
}
