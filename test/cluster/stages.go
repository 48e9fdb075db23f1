package cluster

import (
	"bytes"
	"embed"
	"fmt"
	"text/template"
)

// The stage files are templates of KWOK's own templates, hence the other delimiters.
//
//go:embed stages
var stageFiles embed.FS

// Stages is the KWOK configuration by which nodes, pods and claims of a cluster behave: a stream of Stage documents.
func Stages() ([]byte, error) {
	files, err := template.New("stages").Delims("[[", "]]").Funcs(template.FuncMap{"args": args}).ParseFS(stageFiles, "stages/*")
	if err != nil {
		return nil, fmt.Errorf("parse stages: %w", err)
	}
	var out bytes.Buffer
	for _, name := range []string{"node.yaml", "volume.yaml", "pod.yaml", "crash.yaml", "waiting.yaml", "notready.yaml"} {
		if err := files.ExecuteTemplate(&out, name, nil); err != nil {
			return nil, fmt.Errorf("render stages: %w", err)
		}
	}
	return out.Bytes(), nil
}

// args makes the argument of a partial from names and values in turn.
func args(namesAndValues ...string) (map[string]string, error) {
	if len(namesAndValues)%2 != 0 {
		return nil, fmt.Errorf("name without a value: %q", namesAndValues)
	}
	named := map[string]string{}
	for i := 0; i < len(namesAndValues); i += 2 {
		named[namesAndValues[i]] = namesAndValues[i+1]
	}
	return named, nil
}
