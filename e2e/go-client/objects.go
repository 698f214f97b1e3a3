package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

const protobufType = "application/vnd.kubernetes.protobuf"

// typedKind is a kind that the clientset has an interface for, with one client for each form.
type typedKind struct {
	gvk  schema.GroupVersionKind
	name string
	// protobuf and json have the methods of the interface.
	protobuf, json reflect.Value
	fixture        map[string]any
}

// objectChecks go through all verbs of every kind that the clientset has and the server serves.
func objectChecks(given settings) ([]check, error) {
	config, err := given.config()
	if err != nil {
		return nil, err
	}
	inProtobuf := rest.CopyConfig(config)
	inProtobuf.ContentType = protobufType
	inProtobuf.AcceptContentTypes = protobufType
	inJSON := rest.CopyConfig(config)
	inJSON.ContentType = "application/json"
	inJSON.AcceptContentTypes = "application/json"
	fixtures, err := readFixtures(given)
	if err != nil {
		return nil, err
	}
	first, second := kubernetes.NewForConfigOrDie(inProtobuf), kubernetes.NewForConfigOrDie(inJSON)
	if err := makeNamespaces(first); err != nil {
		return nil, err
	}
	served, err := servedKinds(second)
	if err != nil {
		return nil, err
	}
	var checks []check
	for _, kind := range typedKinds(first, second) {
		name := kind.gvk.GroupVersion().String() + " " + kind.gvk.Kind
		if served[kind.gvk] == nil {
			if stable.MatchString(name) && !notServed[name] {
				checks = append(checks, check{name, func(context.Context) error { return fmt.Errorf("it is not served") }})
			}
			continue
		}
		found := fixtures[name]
		if found == nil {
			found = fixtures[kind.gvk.Kind]
		}
		kind.fixture, _ = found.(map[string]any)
		run := kind.allVerbs
		if !kind.protobuf.MethodByName("Get").IsValid() {
			run = kind.createOnly
		}
		if !slices.Contains(served[kind.gvk], "create") {
			run = kind.readOnly
		} else if found == nil {
			run = func(context.Context) error { return fmt.Errorf("objects.yaml has no object of it") }
		}
		checks = append(checks, check{name, run})
	}
	return checks, nil
}

// Kinds of stable versions that a server leaves out.
var notServed = map[string]bool{
	// An Eviction is posted to its pod, where the client finds it.
	"policy/v1 Eviction": true,
}

func makeNamespaces(client kubernetes.Interface) error {
	for _, name := range []string{"quota"} {
		object := namespaceOf(name)
		if _, err := client.CoreV1().Namespaces().Create(context.Background(), object, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

func readFixtures(given settings) (map[string]any, error) {
	text, err := os.ReadFile(given.Objects)
	if err != nil {
		return nil, err
	}
	fixtures := map[string]any{}
	if err := yaml.Unmarshal(text, &fixtures); err != nil {
		return nil, err
	}
	request, err := signingRequest("jane")
	if err != nil {
		return nil, err
	}
	spec := fixtures["CertificateSigningRequest"].(map[string]any)["spec"].(map[string]any)
	spec["request"] = request
	return fixtures, nil
}

// servedKinds gives the verbs of each kind that is served.
func servedKinds(client kubernetes.Interface) (map[schema.GroupVersionKind]metav1.Verbs, error) {
	_, lists, err := client.Discovery().ServerGroupsAndResources()
	if err != nil {
		return nil, err
	}
	served := map[schema.GroupVersionKind]metav1.Verbs{}
	for _, list := range lists {
		for _, resource := range list.APIResources {
			if !strings.Contains(resource.Name, "/") {
				served[schema.FromAPIVersionAndKind(list.GroupVersion, resource.Kind)] = resource.Verbs
			}
		}
	}
	return served, nil
}

var groupMethod = regexp.MustCompile(`^[A-Z]\w*V\d+((alpha|beta)\d+)?$`)

// typedKinds finds what the clientset has: a method for each group and version, and one for each kind there.
func typedKinds(first, second kubernetes.Interface) []typedKind {
	var kinds []typedKind
	type1 := reflect.TypeOf(first)
	for i := range type1.NumMethod() {
		if !groupMethod.MatchString(type1.Method(i).Name) {
			continue
		}
		groups := []reflect.Value{reflect.ValueOf(first).Method(i).Call(nil)[0], reflect.ValueOf(second).Method(i).Call(nil)[0]}
		for j := range groups[0].Elem().Type().NumMethod() {
			method := groups[0].Elem().Method(j)
			if method.Type().NumOut() != 1 {
				continue
			}
			create, found := method.Type().Out(0).MethodByName("Create")
			if !found {
				continue
			}
			object := reflect.New(create.Type.In(1).Elem()).Interface().(runtime.Object)
			gvks, _, err := scheme.Scheme.ObjectKinds(object)
			if err != nil {
				panic(err)
			}
			kind := typedKind{gvk: gvks[0], name: nameFor(gvks[0])}
			var in []reflect.Value
			if method.Type().NumIn() == 1 {
				space := "default"
				if kind.gvk.Kind == "ResourceQuota" {
					space = "quota"
				}
				in = []reflect.Value{reflect.ValueOf(space)}
			}
			kind.protobuf = groups[0].Elem().Method(j).Call(in)[0]
			kind.json = groups[1].Elem().Method(j).Call(in)[0]
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// nameFor is a name that no other kind and version uses: some are stored as one.
func nameFor(gvk schema.GroupVersionKind) string {
	if gvk.Kind == "IPAddress" {
		return map[string]string{"v1": "10.96.7.7", "v1beta1": "10.96.7.8"}[gvk.Version]
	}
	group, _, _ := strings.Cut(gvk.Group, ".")
	return strings.ToLower(strings.Trim(gvk.Kind+"-"+group+"-"+gvk.Version, "-"))
}

// object makes one with the fields of the fixture.
func (kind typedKind) object(name string) (runtime.Object, error) {
	copied := runtime.DeepCopyJSON(kind.fixture)
	metadata, _ := copied["metadata"].(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
		copied["metadata"] = metadata
	}
	if name != "" {
		metadata["name"] = name
		metadata["labels"] = map[string]any{"client": kind.name}
	}
	object, err := scheme.Scheme.New(kind.gvk)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(copied)
	if err != nil {
		return nil, err
	}
	return object, json.Unmarshal(text, object)
}

// call calls a method of a typed client; the last result is an error.
func call(client reflect.Value, method string, arguments ...any) (any, error) {
	in := make([]reflect.Value, len(arguments))
	for i, argument := range arguments {
		in[i] = reflect.ValueOf(argument)
	}
	out := client.MethodByName(method).Call(in)
	err, _ := out[len(out)-1].Interface().(error)
	if err != nil {
		err = fmt.Errorf("%s: %w", method, err)
	}
	return out[0].Interface(), err
}

func callObject(client reflect.Value, method string, arguments ...any) (runtime.Object, error) {
	result, err := call(client, method, arguments...)
	if err != nil {
		return nil, err
	}
	return result.(runtime.Object), nil
}

// createOnly posts what is answered and not stored, in both forms.
func (kind typedKind) createOnly(ctx context.Context) error {
	object, err := kind.object("")
	if err != nil {
		return err
	}
	inProtobuf, err := callObject(kind.protobuf, "Create", ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	inJSON, err := callObject(kind.json, "Create", ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := contains("created", inProtobuf, withoutStatus(object)); err != nil {
		return err
	}
	return same("created", inProtobuf, inJSON)
}

// readOnly lists what the server makes up itself.
func (kind typedKind) readOnly(ctx context.Context) error {
	inProtobuf, err := callObject(kind.protobuf, "List", ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	inJSON, err := callObject(kind.json, "List", ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	return same("listed", inProtobuf, inJSON)
}

// plain takes away the kinds that stand in objects inside objects: they do not travel in protobuf.
func plain(object reflect.Value) {
	switch object.Kind() {
	case reflect.Pointer, reflect.Interface:
		plain(object.Elem())
	case reflect.Slice:
		for i := range object.Len() {
			plain(object.Index(i))
		}
	case reflect.Struct:
		if object.Type() == reflect.TypeFor[metav1.TypeMeta]() && object.CanSet() {
			object.SetZero()
			return
		}
		for i := range object.NumField() {
			if object.Type().Field(i).IsExported() {
				plain(object.Field(i))
			}
		}
	}
}

func same(what string, inProtobuf, inJSON any) error {
	plain(reflect.ValueOf(inProtobuf))
	plain(reflect.ValueOf(inJSON))
	if !equality.Semantic.DeepEqual(inProtobuf, inJSON) {
		return fmt.Errorf("%s: JSON and protobuf differ: %s", what, diff.Diff(inJSON, inProtobuf))
	}
	return nil
}

// allVerbs takes one object through its life.
func (kind typedKind) allVerbs(ctx context.Context) error {
	selected := metav1.ListOptions{LabelSelector: "client=" + kind.name}
	empty, err := callObject(kind.protobuf, "List", ctx, selected)
	if err != nil {
		return err
	}
	list, err := meta.ListAccessor(empty)
	if err != nil {
		return err
	}
	from := selected
	from.ResourceVersion = list.GetResourceVersion()
	watches := map[string]watch.Interface{}
	for name, client := range map[string]reflect.Value{"protobuf": kind.protobuf, "json": kind.json} {
		started, err := call(client, "Watch", ctx, from)
		if err != nil {
			return err
		}
		watches[name] = started.(watch.Interface)
		defer watches[name].Stop()
	}
	for _, step := range []func(context.Context) error{kind.create, kind.read, kind.update, kind.updateStatus, kind.patch, kind.remove} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := sameEvents(ctx, watches["protobuf"], watches["json"]); err != nil {
		return err
	}
	return kind.removeMany(ctx, selected)
}

func (kind typedKind) create(ctx context.Context) error {
	object, err := kind.object(kind.name)
	if err != nil {
		return err
	}
	created, err := callObject(kind.protobuf, "Create", ctx, object, metav1.CreateOptions{FieldManager: "client"})
	if err != nil {
		return err
	}
	if err := contains("created", created, withoutStatus(object)); err != nil {
		return err
	}
	if _, err := call(kind.json, "Create", ctx, object, metav1.CreateOptions{}); !errors.IsAlreadyExists(err) {
		return fmt.Errorf("created twice: %w", err)
	}
	return nil
}

// withoutStatus is the JSON form of an object as a request counts it: its status is the server's.
func withoutStatus(object runtime.Object) map[string]any {
	fields := value(runtime.DefaultUnstructuredConverter.ToUnstructured(object))
	delete(fields, "status")
	return fields
}

func (kind typedKind) hasStatus() bool { return kind.protobuf.MethodByName("UpdateStatus").IsValid() }

// get gives one object as both clients see it; the server may be writing its status meanwhile.
func (kind typedKind) get(ctx context.Context) (object runtime.Object, err error) {
	err = wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		object, err = callObject(kind.protobuf, "Get", ctx, kind.name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		other, err := callObject(kind.json, "Get", ctx, kind.name, metav1.GetOptions{})
		if err != nil || versionOf(other) != versionOf(object) {
			return false, err
		}
		return true, same("got", object, other)
	})
	return object, err
}

func versionOf(object any) string {
	accessor, err := meta.CommonAccessor(object)
	if err != nil {
		panic(err)
	}
	return accessor.GetResourceVersion()
}

func (kind typedKind) read(ctx context.Context) error {
	if _, err := kind.get(ctx); err != nil {
		return err
	}
	// Others of the kind come and go while the whole is listed: only what is ours is compared.
	return wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		options := metav1.ListOptions{LabelSelector: "client=" + kind.name, Limit: 10}
		inProtobuf, err := callObject(kind.protobuf, "List", ctx, options)
		if err != nil {
			return false, err
		}
		inJSON, err := callObject(kind.json, "List", ctx, options)
		if err != nil {
			return false, err
		}
		if meta.LenList(inProtobuf) != 1 {
			return false, fmt.Errorf("a list has %d items", meta.LenList(inProtobuf))
		}
		itemsOf := func(list runtime.Object) []runtime.Object {
			items, err := meta.ExtractList(list)
			if err != nil {
				panic(err)
			}
			return items
		}
		one, other := itemsOf(inProtobuf)[0], itemsOf(inJSON)[0]
		if versionOf(one) != versionOf(other) {
			return false, nil
		}
		return true, same("listed", one, other)
	})
}

func (kind typedKind) update(ctx context.Context) error {
	stale, err := kind.get(ctx)
	if err != nil {
		return err
	}
	var changed runtime.Object
	// The server may have written the status in between.
	err = wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		fresh, err := kind.get(ctx)
		if err != nil {
			return false, err
		}
		changed = fresh.DeepCopyObject()
		annotate(changed, "updated")
		got, err := callObject(kind.protobuf, "Update", ctx, changed, metav1.UpdateOptions{})
		if errors.IsConflict(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return true, contains("updated", got, withoutVersion(changed))
	})
	if err != nil {
		return err
	}
	annotate(stale, "stale")
	if _, err := call(kind.protobuf, "Update", ctx, stale, metav1.UpdateOptions{}); !errors.IsConflict(err) {
		return fmt.Errorf("a stale update: %w", err)
	}
	return nil
}

func annotate(object runtime.Object, key string) {
	accessor, err := meta.Accessor(object)
	if err != nil {
		panic(err)
	}
	annotations := accessor.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = "1"
	accessor.SetAnnotations(annotations)
}

func withoutVersion(object runtime.Object) runtime.Object {
	copied := object.DeepCopyObject()
	accessor, err := meta.Accessor(copied)
	if err != nil {
		panic(err)
	}
	accessor.SetResourceVersion("")
	accessor.SetManagedFields(nil)
	return copied
}

func (kind typedKind) updateStatus(ctx context.Context) error {
	if !kind.hasStatus() || kind.fixture["status"] == nil {
		return nil
	}
	wanted, err := kind.object(kind.name)
	if err != nil {
		return err
	}
	status := reflect.ValueOf(wanted).Elem().FieldByName("Status")
	return wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		fresh, err := kind.get(ctx)
		if err != nil {
			return false, err
		}
		reflect.ValueOf(fresh).Elem().FieldByName("Status").Set(status)
		annotate(fresh, "not-by-status")
		got, err := callObject(kind.protobuf, "UpdateStatus", ctx, fresh, metav1.UpdateOptions{})
		if errors.IsConflict(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return true, contains("status", reflect.ValueOf(got).Elem().FieldByName("Status").Interface(), status.Interface())
	})
}

func (kind typedKind) patch(ctx context.Context) error {
	merge := func(key string) []byte {
		return fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"1"}}}`, key)
	}
	applied := fmt.Appendf(nil, `{"apiVersion":%q,"kind":%q,"metadata":{"name":%q,"annotations":{"applied":"1"}}}`,
		kind.gvk.GroupVersion().String(), kind.gvk.Kind, kind.name)
	patches := []struct {
		kind types.PatchType
		body []byte
		key  string
	}{
		{types.MergePatchType, merge("merge"), "merge"},
		{types.StrategicMergePatchType, merge("strategic"), "strategic"},
		{types.JSONPatchType, []byte(`[{"op":"add","path":"/metadata/annotations/json","value":"1"}]`), "json"},
		{types.ApplyPatchType, applied, "applied"},
	}
	for _, patch := range patches {
		options := metav1.PatchOptions{FieldManager: "patcher"}
		got, err := callObject(kind.protobuf, "Patch", ctx, kind.name, patch.kind, patch.body, options)
		if err != nil {
			return fmt.Errorf("%s: %w", patch.kind, err)
		}
		if accessor, _ := meta.Accessor(got); accessor.GetAnnotations()[patch.key] != "1" {
			return fmt.Errorf("%s changed nothing", patch.kind)
		}
	}
	return kind.apply(ctx)
}

// apply takes the typed configuration of the kind.
func (kind typedKind) apply(ctx context.Context) error {
	method := kind.protobuf.MethodByName("Apply")
	if !method.IsValid() {
		return nil
	}
	accessor, err := meta.Accessor(value(kind.get(ctx)))
	if err != nil {
		return err
	}
	configuration := reflect.New(method.Type().In(1).Elem())
	text := fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{"name":%q,"namespace":%q,"annotations":{"typed":"1"}}}`,
		kind.gvk.GroupVersion().String(), kind.gvk.Kind, kind.name, accessor.GetNamespace())
	if err := json.Unmarshal([]byte(text), configuration.Interface()); err != nil {
		return err
	}
	got, err := callObject(kind.protobuf, "Apply", ctx, configuration.Interface(), metav1.ApplyOptions{FieldManager: "applier", Force: true})
	if err != nil {
		return err
	}
	if accessor, _ := meta.Accessor(got); accessor.GetAnnotations()["typed"] != "1" {
		return fmt.Errorf("an applied configuration changed nothing")
	}
	return nil
}

func (kind typedKind) remove(ctx context.Context) error {
	other, now := types.UID("other"), int64(0)
	wrong := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &other}}
	if _, err := call(kind.protobuf, "Delete", ctx, kind.name, wrong); !errors.IsConflict(err) {
		return fmt.Errorf("another object's uid: %w", err)
	}
	accessor, err := meta.Accessor(value(kind.get(ctx)))
	if err != nil {
		return err
	}
	uid := accessor.GetUID()
	right := metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &uid}}
	if _, err := call(kind.protobuf, "Delete", ctx, kind.name, right); err != nil {
		return err
	}
	return kind.finish(ctx)
}

// finish takes away what holds an object that is being deleted, as its controller would, and sees it go.
func (kind typedKind) finish(ctx context.Context) error {
	return wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		left, err := callObject(kind.json, "Get", ctx, kind.name, metav1.GetOptions{})
		if errors.IsNotFound(err) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if kind.gvk.Kind == "Namespace" {
			reflect.ValueOf(left).Elem().FieldByName("Spec").SetZero()
			_, err = call(kind.protobuf, "Finalize", ctx, left, metav1.UpdateOptions{})
		} else if accessor, _ := meta.Accessor(left); len(accessor.GetFinalizers()) > 0 {
			_, err = call(kind.protobuf, "Patch", ctx, kind.name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		}
		if errors.IsNotFound(err) || errors.IsConflict(err) {
			err = nil
		}
		return false, err
	})
}

// sameEvents reads two watches to the end of the object's life: they tell the same.
func sameEvents(ctx context.Context, one, other watch.Interface) error {
	read := func(from watch.Interface) (events []watch.Event, err error) {
		for {
			select {
			case event, isOpen := <-from.ResultChan():
				if !isOpen || event.Type == watch.Error {
					return nil, fmt.Errorf("a watch ended after %d events: %v", len(events), event.Object)
				}
				events = append(events, event)
				if event.Type == watch.Deleted {
					return events, nil
				}
			case <-ctx.Done():
				return nil, fmt.Errorf("a watch said nothing after %d events", len(events))
			}
		}
	}
	events, err := read(one)
	if err != nil {
		return fmt.Errorf("protobuf: %w", err)
	}
	others, err := read(other)
	if err != nil {
		return fmt.Errorf("json: %w", err)
	}
	if len(events) < 6 || events[0].Type != watch.Added {
		return fmt.Errorf("a watch had %d events, the first was %s", len(events), events[0].Type)
	}
	return same("watched", events, others)
}

func (kind typedKind) removeMany(ctx context.Context, selected metav1.ListOptions) error {
	if !kind.protobuf.MethodByName("DeleteCollection").IsValid() || kind.gvk.Kind == "IPAddress" || kind.gvk.Kind == "ServiceCIDR" {
		return nil
	}
	for _, suffix := range []string{"-a", "-b"} {
		object, err := kind.object(kind.name + suffix)
		if err != nil {
			return err
		}
		if _, err := call(kind.json, "Create", ctx, object, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	now := int64(0)
	if _, err := call(kind.protobuf, "DeleteCollection", ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, selected); err != nil {
		return err
	}
	left, err := callObject(kind.protobuf, "List", ctx, selected)
	if err != nil {
		return err
	}
	for _, item := range value(meta.ExtractList(left)) {
		if accessor, _ := meta.Accessor(item); accessor.GetDeletionTimestamp() == nil {
			return fmt.Errorf("%s is left of a collection that was deleted", accessor.GetName())
		}
	}
	return nil
}

func value[T any](given T, err error) T {
	if err != nil {
		panic(err)
	}
	return given
}

// contains shows that all that was wanted is there: a server adds defaults, and takes nothing away.
func contains(what string, got, wanted any) error {
	var found, asked any
	for _, each := range []struct {
		value any
		into  *any
	}{{got, &found}, {wanted, &asked}} {
		text, err := json.Marshal(each.value)
		if err != nil {
			return err
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(each.into); err != nil {
			return err
		}
	}
	var missing []string
	compare("", found, asked, &missing)
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Errorf("%s: %s", what, strings.Join(missing, "; "))
	}
	return nil
}

func compare(path string, found, asked any, missing *[]string) {
	switch asked := asked.(type) {
	case map[string]any:
		have, _ := found.(map[string]any)
		for key, value := range asked {
			compare(path+"."+key, have[key], value, missing)
		}
	case []any:
		have, _ := found.([]any)
		if len(have) < len(asked) {
			*missing = append(*missing, fmt.Sprintf("%s has %d items, not %d", path, len(have), len(asked)))
			return
		}
		for i, value := range asked {
			compare(fmt.Sprintf("%s[%d]", path, i), have[i], value, missing)
		}
	default:
		if !reflect.DeepEqual(found, asked) {
			*missing = append(*missing, fmt.Sprintf("%s is %v, not %v", path, found, asked))
		}
	}
}
