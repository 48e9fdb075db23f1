// Command openai runs the scripted server on a port of this machine, to try Moorgate out by hand without a model.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"moorgate.dev/test/openai"
)

func main() {
	script := flag.String("script", "", "folder of *.json files with what is answered to what; see package openai")
	flavour := flag.String("flavour", "openai", "openai, azure, ollama or llamacpp")
	key := flag.String("key", "", "the key that requests must carry")
	flag.Parse()
	if err := run(*script, *flavour, *key); err != nil {
		fmt.Fprintln(os.Stderr, "openai:", err)
		os.Exit(1)
	}
}

func run(script, flavour, key string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := openai.Options{Flavour: openai.Flavour(flavour), Key: key}
	if script != "" {
		var err error
		if o.Answer, err = openai.Script(os.DirFS(script), openai.Reply{Content: openai.Nothing}); err != nil {
			return err
		}
	}
	s := openai.Start(o)
	defer s.Close()
	fmt.Println("url:", s.Base())
	<-ctx.Done()
	fmt.Println("requests:", len(s.Requests()))
	return nil
}
