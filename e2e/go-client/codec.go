package main

import (
	"context"
	"fmt"
	"math/rand"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	"k8s.io/apimachinery/pkg/api/apitesting/roundtrip"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	jsonserializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/randfill"
)

var (
	asProtobuf = protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	// Strict: a field that Go does not know is a failure.
	asJSON = jsonserializer.NewSerializerWithOptions(jsonserializer.DefaultMetaFactory, scheme.Scheme, scheme.Scheme,
		jsonserializer.SerializerOptions{Strict: true})
)

// encoded is an object in both forms.
type encoded struct {
	Protobuf []byte `json:"protobuf"`
	JSON     string `json:"json"`
}

// converted is what the codec of the server made of it: JSON of the protobuf, and protobuf of the JSON.
type converted struct {
	JSON     string `json:"json"`
	Protobuf []byte `json:"protobuf"`
	Failure  string `json:"failure"`
}

// codecChecks compare the two encoders with each other: what one writes, the other reads as the same.
func codecChecks(given settings) ([]check, error) {
	var question struct {
		Known []string `json:"known"`
	}
	for gvk := range scheme.Scheme.AllKnownTypes() {
		if gvk.Version != runtime.APIVersionInternal && gvk.Kind != "WatchEvent" {
			question.Known = append(question.Known, gvk.GroupVersion().String()+" "+gvk.Kind)
		}
	}
	slices.Sort(question.Known)
	var known []string
	if err := ask(question, &known); err != nil {
		return nil, err
	}
	checks := []check{{"every kind of a stable version is known", func(context.Context) error {
		return stableKindsAreKnown(question.Known, known)
	}}}
	for _, kind := range known {
		apiVersion, name, _ := strings.Cut(kind, " ")
		gvk := schema.FromAPIVersionAndKind(apiVersion, name)
		checks = append(checks, check{kind, func(context.Context) error { return compareKind(gvk, given) }})
	}
	return checks, nil
}

var stable = regexp.MustCompile(`^(\S+/)?v\d+ `)

// Kinds that stand in a query, that travel to webhooks alone, which take JSON, or that stay in a client.
var notSent = regexp.MustCompile(`Options$|^admission\.k8s\.io/|^v1 (List|PodStatusResult|PodStatusResultList|RangeAllocation|SerializedReference)$`)

func stableKindsAreKnown(all, known []string) error {
	for _, kind := range all {
		isSent := stable.MatchString(kind) && (!notSent.MatchString(kind) || strings.HasSuffix(kind, " DeleteOptions"))
		if isSent && !slices.Contains(known, kind) {
			return fmt.Errorf("%s is not known", kind)
		}
	}
	return nil
}

const batchSize = 8

func compareKind(gvk schema.GroupVersionKind, given settings) error {
	full, err := roundtrip.CompatibilityTestObject(scheme.Scheme, gvk, fillFuncs)
	if err != nil {
		return err
	}
	if err := compareObjects([]runtime.Object{full}); err != nil {
		return fmt.Errorf("an object with every field: %w", err)
	}
	filler := fuzzer.FuzzerFor(fuzzer.MergeFuzzerFuncs(metafuzzer.Funcs, ownFuncs), rand.NewSource(given.Seed), scheme.Codecs).
		NilChance(0.4).NumElements(0, 3).MaxDepth(24)
	end := time.Now().Add(time.Duration(given.Milliseconds) * time.Millisecond)
	for made := 0; made < given.PerKind && time.Now().Before(end); made += batchSize {
		var batch []runtime.Object
		for range batchSize {
			object, err := scheme.Scheme.New(gvk)
			if err != nil {
				return err
			}
			filler.Fill(object)
			object.GetObjectKind().SetGroupVersionKind(gvk)
			batch = append(batch, object)
		}
		if err := compareObjects(batch); err != nil {
			return fmt.Errorf("after %d random objects: %w", made, err)
		}
	}
	return nil
}

func compareObjects(objects []runtime.Object) error {
	var question struct {
		Convert []encoded `json:"convert"`
	}
	for _, object := range objects {
		inProtobuf, err := runtime.Encode(asProtobuf, object)
		if err != nil {
			return err
		}
		inJSON, err := runtime.Encode(asJSON, object)
		if err != nil {
			return err
		}
		question.Convert = append(question.Convert, encoded{inProtobuf, string(inJSON)})
	}
	var answers []converted
	if err := ask(question, &answers); err != nil {
		return err
	}
	for i, answer := range answers {
		if answer.Failure != "" {
			return fmt.Errorf("%s\n%s", answer.Failure, question.Convert[i].JSON)
		}
		if err := sameObject("decoded", asJSON, []byte(answer.JSON), objects[i]); err != nil {
			return err
		}
		if err := sameObject("encoded", asProtobuf, answer.Protobuf, objects[i]); err != nil {
			return err
		}
	}
	return nil
}

func sameObject(how string, decoder runtime.Decoder, bytes []byte, want runtime.Object) error {
	got, _, err := decoder.Decode(bytes, nil, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", how, err)
	}
	// The envelope of protobuf says the kind; the object has it in JSON alone.
	got.GetObjectKind().SetGroupVersionKind(want.GetObjectKind().GroupVersionKind())
	if !equality.Semantic.DeepEqual(got, want) {
		return fmt.Errorf("%s: %s", how, diff.Diff(want, got))
	}
	return nil
}

// fillFuncs fill what has no zero of its own in an object that has every field.
var fillFuncs = map[reflect.Type]roundtrip.FillFunc{
	reflect.TypeOf(&runtime.RawExtension{}): func(_ string, _ int, object any) {
		object.(*runtime.RawExtension).Raw = []byte(`{"kind":"Thing","spec":{"n":1,"list":[null,true,"x"]}}`)
	},
	reflect.TypeOf(&metav1.TypeMeta{}): func(string, int, any) {},
	reflect.TypeOf(&metav1.FieldsV1{}): func(_ string, _ int, object any) {
		object.(*metav1.FieldsV1).SetRawString(`{"f:metadata":{"f:labels":{".":{},"f:a":{}}}}`)
	},
	reflect.TypeOf(&metav1.Time{}): func(_ string, n int, object any) {
		object.(*metav1.Time).Time = time.Date(2000+n, 1, 2, 3, 4, 5, 0, time.UTC)
	},
	reflect.TypeOf(&metav1.MicroTime{}): func(_ string, n int, object any) {
		object.(*metav1.MicroTime).Time = time.Date(2000+n, 1, 2, 3, 4, 5, 123456000, time.UTC)
	},
	reflect.TypeOf(&intstr.IntOrString{}): func(text string, _ int, object any) {
		*object.(*intstr.IntOrString) = intstr.FromString(text)
	},
	reflect.TypeOf(&resource.Quantity{}): func(_ string, n int, object any) {
		*object.(*resource.Quantity) = resource.MustParse(fmt.Sprintf("%dm", n+1))
	},
}

// ownFuncs make values that both forms can hold.
func ownFuncs(_ serializer.CodecFactory) []any {
	return []any{
		// JSON has numbers of 53 bits.
		func(n *int64, c randfill.Continue) {
			switch c.Intn(4) {
			case 0:
				*n = c.Int63n(1<<53) - 1<<52
			case 1:
				*n = 0
			default:
				*n = c.Int63n(100_000) - 50_000
			}
		},
		func(n *int32, c randfill.Continue) {
			if c.Bool() {
				*n = int32(c.Uint32())
			} else {
				*n = int32(c.Intn(3) - 1)
			}
		},
		func(number *float64, c randfill.Continue) { *number = c.NormFloat64() * 1000 },
		func(q *resource.Quantity, c randfill.Continue) {
			texts := []string{"0", "1", "100m", "1500m", "1Gi", "3Ti", "12e6", "1n", "123456789", "-5", "0.1", "1Ki", "1k"}
			*q = resource.MustParse(texts[c.Intn(len(texts))])
		},
		func(t *metav1.Time, c randfill.Continue) { t.Time = time.Unix(c.Int63n(1<<35)-1<<33, 0).UTC() },
		func(t *metav1.MicroTime, c randfill.Continue) {
			t.Time = time.UnixMicro(c.Int63n(1<<54) - 1<<52).UTC()
		},
		func(value *intstr.IntOrString, c randfill.Continue) {
			if c.Bool() {
				*value = intstr.FromInt32(int32(c.Uint32()))
			} else {
				*value = intstr.FromString(c.String(0))
			}
		},
		func(raw *runtime.RawExtension, c randfill.Continue) {
			texts := []string{`{"a":1}`, `{"kind":"X","apiVersion":"v1","z":null,"b":[1.5,"ü\u0000",{}]}`, `{}`}
			raw.Raw = []byte(texts[c.Intn(len(texts))])
		},
		func(entry *metav1.ManagedFieldsEntry, c randfill.Continue) {
			c.FillNoCustom(entry)
			entry.FieldsV1 = &metav1.FieldsV1{}
			entry.FieldsV1.SetRawString(`{"f:data":{".":{},"f:x":{}}}`)
		},
	}
}
