package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// informerChecks run once for each way in which client-go fills a cache: by a list, or by a watch that lists.
func informerChecks(given settings) ([]check, error) {
	w, err := newWorld(given)
	if err != nil {
		return nil, err
	}
	return []check{
		w.in("informers know what there is, and hear what happens", w.informs),
		w.in("an informer goes on where its connection broke", w.resumes),
		w.in("an informer lists again when it hears that its revision is gone", w.relists),
		w.in("informers of objects without a type and of metadata", w.informsUntyped),
	}, nil
}

func (w *world) factory(config *rest.Config, namespace string) informers.SharedInformerFactory {
	return informers.NewSharedInformerFactoryWithOptions(kubernetes.NewForConfigOrDie(config), 0, informers.WithNamespace(namespace))
}

func (w *world) informs(ctx context.Context, namespace string) error {
	objects := w.client.CoreV1().ConfigMaps(namespace)
	for i := range 5 {
		if _, err := objects.Create(ctx, configMap(fmt.Sprintf("map-%d", i), nil), none); err != nil {
			return err
		}
	}
	factory := w.factory(w.config, namespace)
	informer := factory.Core().V1().ConfigMaps()
	if err := informer.Informer().AddIndexers(cache.Indexers{"first": func(object any) ([]string, error) {
		return []string{object.(*corev1.ConfigMap).Name[:3]}, nil
	}}); err != nil {
		return err
	}
	var added, updated, deleted atomic.Int32
	_, err := informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { added.Add(1) },
		UpdateFunc: func(any, any) { updated.Add(1) },
		DeleteFunc: func(any) { deleted.Add(1) },
	})
	if err != nil {
		return err
	}
	// Kinds that are filled in protobuf and are empty, too.
	factory.Apps().V1().Deployments().Informer()
	factory.Discovery().V1().EndpointSlices().Informer()
	factory.StartWithContext(ctx)
	for kind, isSynced := range factory.WaitForCacheSync(ctx.Done()) {
		if !isSynced {
			return fmt.Errorf("%v is not synced", kind)
		}
	}
	found, err := informer.Lister().ConfigMaps(namespace).List(labels.Everything())
	if err != nil {
		return err
	}
	if err := expect(len(found) == 5, "%d objects at first", len(found)); err != nil {
		return err
	}
	if _, err := objects.Patch(ctx, "map-0", types.MergePatchType, []byte(`{"data":{"k":"v"}}`), metav1.PatchOptions{}); err != nil {
		return err
	}
	if err := objects.Delete(ctx, "map-1", metav1.DeleteOptions{}); err != nil {
		return err
	}
	return until(ctx, func() error {
		if err := expect(added.Load() == 5 && updated.Load() >= 1 && deleted.Load() == 1, "%d %d %d", added.Load(), updated.Load(), deleted.Load()); err != nil {
			return err
		}
		indexed, err := informer.Informer().GetIndexer().ByIndex("first", "map")
		if err != nil {
			return err
		}
		one, err := informer.Lister().ConfigMaps(namespace).Get("map-0")
		if err != nil {
			return err
		}
		live, err := objects.Get(ctx, "map-0", got)
		if err != nil {
			return err
		}
		if err := same("cached", one, live); err != nil {
			return err
		}
		return expect(len(indexed) == 4, "%d objects in the index", len(indexed))
	})
}

// breakable stands before the server, and breaks all connections when it is told to.
type breakable struct {
	net.Listener
	server string
	mutex  sync.Mutex
	open   []net.Conn
}

func newBreakable(server string) (*breakable, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &breakable{Listener: listener, server: server}
	go func() {
		for {
			one, err := listener.Accept()
			if err != nil {
				return
			}
			go b.join(one)
		}
	}()
	return b, nil
}

func (b *breakable) join(one net.Conn) {
	other, err := net.Dial("tcp", b.server)
	if err != nil {
		one.Close()
		return
	}
	b.mutex.Lock()
	b.open = append(b.open, one, other)
	b.mutex.Unlock()
	go io.Copy(other, one)
	io.Copy(one, other)
	one.Close()
	other.Close()
}

func (b *breakable) breakAll() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, connection := range b.open {
		connection.Close()
	}
	b.open = nil
}

// requests counts lists and watches, and can answer the next watch itself.
type requests struct {
	http.RoundTripper
	lists, watches atomic.Int32
	// stale makes the next watch hear that its revision is gone.
	stale atomic.Bool
}

func (r *requests) RoundTrip(request *http.Request) (*http.Response, error) {
	query := request.URL.Query()
	if query.Get("watch") != "" {
		r.watches.Add(1)
		if query.Get("sendInitialEvents") == "" && r.stale.CompareAndSwap(true, false) {
			gone := errors.NewResourceExpired("too old resource version: 1 (2)").ErrStatus
			text, err := json.Marshal(gone)
			if err != nil {
				return nil, err
			}
			return &http.Response{StatusCode: http.StatusGone, Header: http.Header{"Content-Type": {"application/json"}},
				Body: io.NopCloser(bytes.NewReader(text)), Request: request}, nil
		}
	}
	if query.Get("watch") == "" || query.Get("sendInitialEvents") != "" {
		r.lists.Add(1)
	}
	return r.RoundTripper.RoundTrip(request)
}

// watched starts an informer whose connections break and whose requests are counted.
func (w *world) watched(ctx context.Context, namespace string) (informer cache.SharedIndexInformer, way *breakable, counted *requests, err error) {
	server, err := url.Parse(w.config.Host)
	if err != nil {
		return nil, nil, nil, err
	}
	if way, err = newBreakable(server.Host); err != nil {
		return nil, nil, nil, err
	}
	config := rest.CopyConfig(w.config)
	config.Host = "https://" + way.Addr().String()
	counted = &requests{}
	config.Wrap(func(inner http.RoundTripper) http.RoundTripper { counted.RoundTripper = inner; return counted })
	factory := w.factory(config, namespace)
	informer = factory.Core().V1().ConfigMaps().Informer()
	factory.StartWithContext(ctx)
	factory.WaitForCacheSync(ctx.Done())
	return informer, way, counted, nil
}

func (w *world) hears(ctx context.Context, informer cache.SharedIndexInformer, namespace, name string) error {
	if _, err := w.client.CoreV1().ConfigMaps(namespace).Create(ctx, configMap(name, nil), none); err != nil {
		return err
	}
	return until(ctx, func() error {
		_, isThere, err := informer.GetStore().GetByKey(namespace + "/" + name)
		if err != nil {
			return err
		}
		return expect(isThere, "%s is not in the cache", name)
	})
}

func (w *world) resumes(ctx context.Context, namespace string) error {
	informer, way, counted, err := w.watched(ctx, namespace)
	if err != nil {
		return err
	}
	defer way.Close()
	if err := w.hears(ctx, informer, namespace, "before"); err != nil {
		return err
	}
	lists, watches := counted.lists.Load(), counted.watches.Load()
	way.breakAll()
	if err := w.hears(ctx, informer, namespace, "after"); err != nil {
		return err
	}
	return expect(counted.lists.Load() == lists && counted.watches.Load() > watches, "%d lists more, %d watches more", counted.lists.Load()-lists, counted.watches.Load()-watches)
}

func (w *world) relists(ctx context.Context, namespace string) error {
	informer, way, counted, err := w.watched(ctx, namespace)
	if err != nil {
		return err
	}
	defer way.Close()
	if err := w.hears(ctx, informer, namespace, "before"); err != nil {
		return err
	}
	lists := counted.lists.Load()
	counted.stale.Store(true)
	way.breakAll()
	if err := w.hears(ctx, informer, namespace, "after"); err != nil {
		return err
	}
	return expect(counted.lists.Load() > lists, "it has not listed again")
}

func (w *world) informsUntyped(ctx context.Context, namespace string) error {
	if _, err := w.client.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("a", map[string]string{"k": "v"}), none); err != nil {
		return err
	}
	untyped := dynamicinformer.NewFilteredDynamicSharedInformerFactory(dynamic.NewForConfigOrDie(w.config), 0, namespace, nil)
	slim := metadatainformer.NewFilteredSharedInformerFactory(metadata.NewForConfigOrDie(w.config), 0, namespace, nil)
	first, second := untyped.ForResource(maps), slim.ForResource(maps)
	first.Informer()
	second.Informer()
	untyped.Start(ctx.Done())
	slim.Start(ctx.Done())
	untyped.WaitForCacheSync(ctx.Done())
	slim.WaitForCacheSync(ctx.Done())
	object, err := first.Lister().ByNamespace(namespace).Get("a")
	if err != nil {
		return err
	}
	value, _, _ := unstructured.NestedString(object.(*unstructured.Unstructured).Object, "data", "k")
	found, err := second.Lister().ByNamespace(namespace).Get("a")
	if err != nil {
		return err
	}
	return expect(value == "v" && found.(*metav1.PartialObjectMetadata).UID != "", "%v %v", object, found)
}

// cborChecks run with the features for CBOR on: the server refuses it, and the client goes on in JSON.
func cborChecks(given settings) ([]check, error) {
	w, err := newWorld(given)
	if err != nil {
		return nil, err
	}
	w.config.ContentType = ""
	w.config.Timeout = 20 * time.Second
	return []check{w.in("a client that prefers CBOR goes on without it", func(ctx context.Context, namespace string) error {
		client := dynamic.NewForConfigOrDie(w.config).Resource(maps).Namespace(namespace)
		object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}}}
		if _, err := client.Create(ctx, object, none); !errors.IsUnsupportedMediaType(err) {
			return fmt.Errorf("CBOR is not refused: %v", err)
		}
		if _, err := client.Create(ctx, object, none); err != nil {
			return err
		}
		list, err := client.List(ctx, listed)
		if err != nil {
			return err
		}
		watching, err := client.Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
		if err != nil {
			return err
		}
		defer watching.Stop()
		// client-go applies in CBOR as long as its feature is on: it is told so, and nothing else.
		if _, err := client.Apply(ctx, "a", object, metav1.ApplyOptions{FieldManager: "me"}); !errors.IsUnsupportedMediaType(err) {
			return fmt.Errorf("an apply in CBOR is not refused: %v", err)
		}
		if _, err := client.Patch(ctx, "a", types.MergePatchType, []byte(`{"data":{"k":"v"}}`), metav1.PatchOptions{}); err != nil {
			return err
		}
		event := <-watching.ResultChan()
		value, _, _ := unstructured.NestedString(event.Object.(*unstructured.Unstructured).Object, "data", "k")
		return expect(value == "v", "%v", event)
	})}, nil
}
