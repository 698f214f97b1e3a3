package main

import (
	"encoding/json"

	jsonpatch "github.com/evanphx/json-patch"
	"sigs.k8s.io/yaml"
)

// patched has the bytes of the library, and apart from them whether it took the patch for one at all.
type patched struct {
	Document json.RawMessage `json:"document,omitempty"`
	Refused  string          `json:"refused,omitempty"`
	IsBad    bool            `json:"isBad,omitempty"`
}

type patchRequest struct {
	Document json.RawMessage `json:"document"`
	Patch    json.RawMessage `json:"patch"`
}

func jsonPatch(line []byte) (interface{}, error) {
	var asked patchRequest
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	patch, err := jsonpatch.DecodePatch(asked.Patch)
	if err != nil {
		return patched{Refused: err.Error(), IsBad: true}, nil
	}
	document, err := patch.Apply(asked.Document)
	if err != nil {
		return patched{Refused: err.Error()}, nil
	}
	return patched{Document: document}, nil
}

func mergePatch(line []byte) (interface{}, error) {
	var asked patchRequest
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	document, err := jsonpatch.MergePatch(asked.Document, asked.Patch)
	if err != nil {
		return patched{Refused: err.Error(), IsBad: true}, nil
	}
	return patched{Document: document}, nil
}

// readYAML gives the JSON of one YAML document, as kubectl and the API server read it.
func readYAML(line []byte) (interface{}, error) {
	var asked struct {
		Text   string `json:"text"`
		Strict bool   `json:"strict"`
	}
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	convert := yaml.YAMLToJSON
	if asked.Strict {
		convert = yaml.YAMLToJSONStrict
	}
	document, err := convert([]byte(asked.Text))
	if err != nil {
		return patched{Refused: err.Error()}, nil
	}
	return patched{Document: document}, nil
}
