package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sort"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	protobuf "google.golang.org/protobuf/proto"
	"k8s.io/kube-openapi/pkg/schemaconv"
	"k8s.io/kube-openapi/pkg/util/proto"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/merge"
	"sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// parser has the types of the OpenAPI document that was loaded last.
var parser *typed.Parser

// loadSchema keeps the types of a document for what is applied from now on.
func loadSchema(line []byte) (interface{}, error) {
	read, err := readSchema(line)
	if err != nil {
		return nil, err
	}
	parser = &typed.Parser{}
	parser.Schema.Types = read.Types
	return map[string]int{"types": len(read.Types)}, nil
}

func checkSchema(line []byte) (interface{}, error) { return readSchema(line) }

// document is what the libraries found in one.
type document struct {
	Types []schema.TypeDef `json:"types"`
	Paths int              `json:"paths"`
}

// readSchema reads an OpenAPI v2 document from a file, as JSON or in the protobuf form of gnostic, and makes of it what
// server-side apply walks along, as the API server does.
func readSchema(line []byte) (*document, error) {
	var asked struct {
		File     string `json:"file"`
		Protobuf bool   `json:"protobuf"`
	}
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(asked.File)
	if err != nil {
		return nil, err
	}
	given := &openapi_v2.Document{}
	if asked.Protobuf {
		err = protobuf.Unmarshal(content, given)
	} else {
		given, err = openapi_v2.ParseDocument(content)
	}
	if err != nil {
		return nil, err
	}
	models, err := proto.NewOpenAPIData(given)
	if err != nil {
		return nil, err
	}
	types, err := schemaconv.ToSchema(models)
	if err != nil {
		return nil, err
	}
	return &document{types.Types, len(given.GetPaths().GetPath())}, nil
}

type manager struct {
	Key        string          `json:"key"`
	APIVersion string          `json:"apiVersion"`
	Applied    bool            `json:"applied"`
	Fields     json.RawMessage `json:"fields"`
}

// write is one apply or update: what is stored, what the client sends, and who it is.
type write struct {
	Type       string      `json:"type"`
	APIVersion string      `json:"apiVersion"`
	Live       interface{} `json:"live"`
	Object     interface{} `json:"object"`
	Managers   []manager   `json:"managers"`
	Self       string      `json:"self"`
	Force      bool        `json:"force"`
	// Top-level fields that this way of writing never changes.
	Reset []string `json:"reset"`
}

type conflict struct {
	Key  string `json:"key"`
	Path string `json:"path"`
}

type written struct {
	// Absent when an apply changes nothing.
	Object    interface{} `json:"object,omitempty"`
	Managers  []manager   `json:"managers"`
	Conflicts []conflict  `json:"conflicts,omitempty"`
}

// sameVersion is the converter where there is one version only.
type sameVersion struct{}

func (sameVersion) Convert(object *typed.TypedValue, _ fieldpath.APIVersion) (*typed.TypedValue, error) {
	return object, nil
}
func (sameVersion) IsMissingVersionError(error) bool { return false }

// serverFields belong to no manager: the API server strips them from what a write took.
var serverFields = fieldpath.NewSet(
	fieldpath.MakePathOrDie("apiVersion"),
	fieldpath.MakePathOrDie("kind"),
	fieldpath.MakePathOrDie("metadata"),
	fieldpath.MakePathOrDie("metadata", "name"),
	fieldpath.MakePathOrDie("metadata", "namespace"),
	fieldpath.MakePathOrDie("metadata", "creationTimestamp"),
	fieldpath.MakePathOrDie("metadata", "selfLink"),
	fieldpath.MakePathOrDie("metadata", "uid"),
	fieldpath.MakePathOrDie("metadata", "clusterName"),
	fieldpath.MakePathOrDie("metadata", "generation"),
	fieldpath.MakePathOrDie("metadata", "managedFields"),
	fieldpath.MakePathOrDie("metadata", "resourceVersion"),
)

func (w write) updater() *merge.Updater {
	ignored := fieldpath.NewSet()
	for _, name := range w.Reset {
		ignored.Insert(fieldpath.MakePathOrDie(name))
	}
	return &merge.Updater{
		Converter:     sameVersion{},
		IgnoredFields: map[fieldpath.APIVersion]*fieldpath.Set{fieldpath.APIVersion(w.APIVersion): ignored},
	}
}

// read gives the request with its objects along the type, and the managers as the library has them.
func (w write) read(line []byte) (write, *typed.TypedValue, *typed.TypedValue, fieldpath.ManagedFields, error) {
	fail := func(err error) (write, *typed.TypedValue, *typed.TypedValue, fieldpath.ManagedFields, error) {
		return w, nil, nil, nil, err
	}
	// Whole numbers stay whole, as in the API server.
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&w); err != nil {
		return fail(err)
	}
	kind := parser.Type(w.Type)
	live, err := kind.FromUnstructured(numbers(w.Live))
	if err != nil {
		return fail(fmt.Errorf("live: %w", err))
	}
	object, err := kind.FromUnstructured(numbers(w.Object))
	if err != nil {
		return fail(fmt.Errorf("object: %w", err))
	}
	managers := fieldpath.ManagedFields{}
	for _, known := range w.Managers {
		set := fieldpath.NewSet()
		if err := set.FromJSON(bytes.NewReader(known.Fields)); err != nil {
			return fail(fmt.Errorf("managers: %w", err))
		}
		managers[known.Key] = fieldpath.NewVersionedSet(set, fieldpath.APIVersion(known.APIVersion), known.Applied)
	}
	return w, live, object, managers, nil
}

func numbers(value interface{}) interface{} {
	switch given := value.(type) {
	case json.Number:
		if whole, err := given.Int64(); err == nil {
			return whole
		}
		fraction, _ := given.Float64()
		return fraction
	case []interface{}:
		for i := range given {
			given[i] = numbers(given[i])
		}
	case map[string]interface{}:
		for name := range given {
			given[name] = numbers(given[name])
		}
	}
	return value
}

func applyConfiguration(line []byte) (interface{}, error) {
	w, live, config, managers, err := write{}.read(line)
	if err != nil {
		return nil, err
	}
	merged, after, err := w.updater().Apply(live, config, fieldpath.APIVersion(w.APIVersion), managers, w.Self, w.Force)
	if _, ok := err.(merge.Conflicts); ok {
		return w.conflicts(line)
	}
	if err != nil {
		return nil, err
	}
	strip(after, w.Self)
	result := written{Managers: show(after)}
	if merged != nil {
		result.Object = merged.AsValue().Unstructured()
	}
	return result, nil
}

// trackUpdate notes a write under a name of its own first, so that what it took is known, and then under its manager's.
func trackUpdate(line []byte) (interface{}, error) {
	w, live, next, managers, err := write{}.read(line)
	if err != nil {
		return nil, err
	}
	const current = "current-operation"
	_, after, err := w.updater().Update(live, next, fieldpath.APIVersion(w.APIVersion), managers, current)
	if err != nil {
		return nil, err
	}
	strip(after, current)
	if took, ok := after[current]; ok {
		delete(after, current)
		set := took.Set()
		if before, ok := after[w.Self]; ok {
			set = set.Union(before.Set())
		}
		after[w.Self] = fieldpath.NewVersionedSet(set, took.APIVersion(), false)
	}
	return written{Managers: show(after)}, nil
}

func strip(managers fieldpath.ManagedFields, self string) {
	own, ok := managers[self]
	if !ok {
		return
	}
	rest := own.Set().Difference(serverFields)
	if rest.Empty() {
		delete(managers, self)
		return
	}
	managers[self] = fieldpath.NewVersionedSet(rest, own.APIVersion(), own.Applied())
}

func show(managers fieldpath.ManagedFields) []manager {
	shown := []manager{}
	for key, owned := range managers {
		fields, err := owned.Set().ToJSON()
		if err != nil {
			panic(err)
		}
		shown = append(shown, manager{key, string(owned.APIVersion()), owned.Applied(), fields})
	}
	sort.Slice(shown, func(i, j int) bool { return shown[i].Key < shown[j].Key })
	return shown
}

// conflicts lists what a forced apply takes from others. The library's own list shares memory between its paths in this
// version, so that some paths stand there twice and others not at all.
func (w write) conflicts(line []byte) (interface{}, error) {
	w, live, config, managers, err := w.read(line)
	if err != nil {
		return nil, err
	}
	before := managers.Copy()
	forced, _, err := w.updater().Apply(live, config, fieldpath.APIVersion(w.APIVersion), managers, w.Self, true)
	if err != nil {
		return nil, err
	}
	changes, err := live.Compare(forced)
	if err != nil {
		return nil, err
	}
	changes = changes.ExcludeFields(w.updater().IgnoredFields[fieldpath.APIVersion(w.APIVersion)])
	shown := []conflict{}
	for key, owned := range before {
		if key == w.Self {
			continue
		}
		owned.Set().Intersection(changes.Modified.Union(changes.Added)).Iterate(func(path fieldpath.Path) {
			shown = append(shown, conflict{key, path.String()})
		})
	}
	return written{Conflicts: shown}, nil
}
