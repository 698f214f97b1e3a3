// The libraries that Kubernetes itself is built from, asked over JSON lines: one request a line in, one answer a line
// out, in order. Nothing here decides anything: it passes values to those libraries and shows what they return.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// request is one line; ask says which part answers, the rest is read by that part.
type request struct {
	Ask string `json:"ask"`
}

var parts = map[string]func(line []byte) (interface{}, error){
	"schema":     loadSchema,
	"check":      checkSchema,
	"apply":      applyConfiguration,
	"update":     trackUpdate,
	"json-patch": jsonPatch,
	"merge":      mergePatch,
	"yaml":       readYAML,
	"strategic":  strategicMerge,
	"three-way":  threeWay,
	"known-kind": isKnown,
	"cel":        evaluate,
	"quantity":   quantity,
	"name":       checkName,
	"selects":    selects,
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		answer(line, out)
		if in.Buffered() == 0 {
			out.Flush()
		}
	}
}

func answer(line []byte, out *bufio.Writer) {
	result, err := run(line)
	if err != nil {
		result = map[string]string{"error": err.Error()}
	}
	bytes, err := json.Marshal(result)
	if err != nil {
		bytes, _ = json.Marshal(map[string]string{"error": "no answer: " + err.Error()})
	}
	out.Write(bytes)
	out.WriteByte('\n')
}

// run also answers where a library panics: an old one may, and the answer tells it apart.
func run(line []byte) (result interface{}, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			result, err = map[string]string{"error": fmt.Sprint("panic: ", fault)}, nil
		}
	}()
	var asked request
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	part, known := parts[asked.Ask]
	if !known {
		return nil, fmt.Errorf("nobody answers %q", asked.Ask)
	}
	return part(line)
}
