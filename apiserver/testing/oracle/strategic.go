package main

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"
)

type strategicRequest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// What is patched, and the patch; or what a patch is made from.
	Document json.RawMessage `json:"document"`
	Patch    json.RawMessage `json:"patch"`
	Original json.RawMessage `json:"original"`
	Modified json.RawMessage `json:"modified"`
	Current  json.RawMessage `json:"current"`
}

func readStrategic(line []byte) (strategicRequest, strategicpatch.PatchMetaFromStruct, error) {
	var asked strategicRequest
	none := strategicpatch.PatchMetaFromStruct{}
	if err := json.Unmarshal(line, &asked); err != nil {
		return asked, none, err
	}
	version, err := schema.ParseGroupVersion(asked.APIVersion)
	if err != nil {
		return asked, none, err
	}
	object, err := scheme.Scheme.New(version.WithKind(asked.Kind))
	if err != nil {
		return asked, none, err
	}
	meta, err := strategicpatch.NewPatchMetaFromStruct(object)
	return asked, meta, err
}

func strategicMerge(line []byte) (interface{}, error) {
	asked, meta, err := readStrategic(line)
	if err != nil {
		return nil, err
	}
	document, err := strategicpatch.StrategicMergePatchUsingLookupPatchMeta(asked.Document, asked.Patch, meta)
	if err != nil {
		return patched{Refused: err.Error()}, nil
	}
	return patched{Document: document}, nil
}

// threeWay gives the patch of kubectl apply.
func threeWay(line []byte) (interface{}, error) {
	asked, meta, err := readStrategic(line)
	if err != nil {
		return nil, err
	}
	patch, err := strategicpatch.CreateThreeWayMergePatch(asked.Original, asked.Modified, asked.Current, meta, true)
	if err != nil {
		return patched{Refused: err.Error()}, nil
	}
	return patched{Document: patch}, nil
}

// isKnown tells whether there is a Go type of the kind.
func isKnown(line []byte) (interface{}, error) {
	_, _, err := readStrategic(line)
	return map[string]bool{"isKnown": err == nil}, nil
}
