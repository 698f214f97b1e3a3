package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/wait"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/retry"
)

// world is what the checks of clients share. Each check has a namespace of its own.
type world struct {
	settings
	config *rest.Config
	client *kubernetes.Clientset
}

func newWorld(given settings) (*world, error) {
	config, err := given.config()
	if err != nil {
		return nil, err
	}
	config.ContentType = protobufType
	client, err := kubernetes.NewForConfig(config)
	return &world{given, config, client}, err
}

// in makes a check that runs in a new namespace.
func (w *world) in(name string, run func(ctx context.Context, namespace string) error) check {
	return check{name, func(ctx context.Context) error {
		made, err := w.client.CoreV1().Namespaces().Create(ctx,
			&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "check-"}}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		return run(ctx, made.Name)
	}}
}

// until waits for a condition; the error says what was missing at the end.
func until(ctx context.Context, condition func() error) error {
	var last error
	err := wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(context.Context) (bool, error) {
		last = condition()
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("%w: %v", err, last)
	}
	return nil
}

func expect(isRight bool, format string, values ...any) error {
	if isRight {
		return nil
	}
	return fmt.Errorf(format, values...)
}

var (
	none   = metav1.CreateOptions{}
	got    = metav1.GetOptions{}
	listed = metav1.ListOptions{}
	maps   = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
)

func clientChecks(given settings) ([]check, error) {
	w, err := newWorld(given)
	if err != nil {
		return nil, err
	}
	return []check{
		w.in("a pager reads a collection in pages", w.pages),
		w.in("RetryOnConflict loses no increment", w.increments),
		w.in("of two candidates for leadership one leads, and the other after it", w.leads),
		w.in("a recorder counts what happens again", w.recordsCore),
		w.in("a recorder of events.k8s.io makes a series", w.recordsSeries),
		w.in("the dynamic client does all that the typed one does", w.isDynamic),
		w.in("the metadata client has no more than metadata", w.hasMetadata),
		w.in("discovery, its cache and the mapper know each kind", w.discovers),
		w.in("the scale client scales what has a scale", w.scales),
		w.in("apply configurations are applied, extracted and in conflict", w.applies),
		w.in("reviews and tokens: who may what, and a token that lets in", w.reviews),
		w.in("an eviction waits for its budget", w.evicts),
		w.in("ephemeral containers are added", w.debugs),
		w.in("tables are listed and watched", w.tabulates),
		w.in("a plugin for credentials lets in", w.runsPlugin),
		w.in("big answers are compressed", w.compresses),
	}, nil
}

func (w *world) pages(ctx context.Context, namespace string) error {
	client := w.client.CoreV1().ConfigMaps(namespace)
	for i := range 23 {
		if _, err := client.Create(ctx, configMap(fmt.Sprintf("map-%02d", i), nil), none); err != nil {
			return err
		}
	}
	calls, seen := 0, 0
	reader := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		calls++
		return client.List(ctx, options)
	})
	reader.PageSize = 5
	err := reader.EachListItem(ctx, listed, func(object runtime.Object) error {
		name := object.(*corev1.ConfigMap).Name
		err := expect(name == fmt.Sprintf("map-%02d", seen), "the item %d is %s", seen, name)
		seen++
		return err
	})
	if err != nil {
		return err
	}
	return expect(seen == 23 && calls == 5, "%d items in %d calls", seen, calls)
}

func (w *world) increments(ctx context.Context, namespace string) error {
	client := w.client.CoreV1().ConfigMaps(namespace)
	if _, err := client.Create(ctx, configMap("counter", map[string]string{"n": "0"}), none); err != nil {
		return err
	}
	failures := make(chan error, 6)
	for range cap(failures) {
		go func() {
			patient := wait.Backoff{Steps: 50, Duration: time.Millisecond, Factor: 1.1, Jitter: 0.5}
			failures <- retry.RetryOnConflict(patient, func() error {
				found, err := client.Get(ctx, "counter", got)
				if err != nil {
					return err
				}
				var n int
				fmt.Sscan(found.Data["n"], &n)
				found.Data["n"] = fmt.Sprint(n + 1)
				_, err = client.Update(ctx, found, metav1.UpdateOptions{})
				return err
			})
		}()
	}
	for range cap(failures) {
		if err := <-failures; err != nil {
			return err
		}
	}
	found, err := client.Get(ctx, "counter", got)
	if err != nil {
		return err
	}
	return expect(found.Data["n"] == "6", "6 increments made %s", found.Data["n"])
}

func (w *world) leads(ctx context.Context, namespace string) error {
	leading := make(chan string, 2)
	stops := map[string]context.CancelFunc{}
	for _, name := range []string{"first", "second"} {
		lock, err := resourcelock.New(resourcelock.LeasesResourceLock, namespace, "leader", w.client.CoreV1(), w.client.CoordinationV1(),
			resourcelock.ResourceLockConfig{Identity: name})
		if err != nil {
			return err
		}
		elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
			Lock: lock, LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 50 * time.Millisecond,
			ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { leading <- name },
				OnStoppedLeading: func() {},
			},
		})
		if err != nil {
			return err
		}
		own, stop := context.WithCancel(ctx)
		stops[name] = stop
		defer stop()
		go elector.Run(own)
	}
	leader := <-leading
	lease, err := w.client.CoordinationV1().Leases(namespace).Get(ctx, "leader", got)
	if err != nil {
		return err
	}
	if err := expect(*lease.Spec.HolderIdentity == leader, "%s leads, the lease says %s", leader, *lease.Spec.HolderIdentity); err != nil {
		return err
	}
	stops[leader]()
	select {
	case next := <-leading:
		return expect(next != leader, "%s leads again", next)
	case <-ctx.Done():
		return fmt.Errorf("nobody leads after %s", leader)
	}
}

func (w *world) recordsCore(ctx context.Context, namespace string) error {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&corev1Sink{w.client, namespace})
	recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "tester"})
	about, err := w.client.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("about", nil), none)
	if err != nil {
		return err
	}
	for range 3 {
		recorder.Event(about, corev1.EventTypeWarning, "Again", "it happened")
	}
	return until(ctx, func() error {
		found, err := w.client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: fields.Set{"reason": "Again", "involvedObject.uid": string(about.UID)}.String()})
		if err != nil {
			return err
		}
		return expect(len(found.Items) == 1 && found.Items[0].Count == 3, "events: %v", found.Items)
	})
}

// corev1Sink writes as the one of client-go does, which the typed client gives.
type corev1Sink struct {
	client    kubernetes.Interface
	namespace string
}

func (s *corev1Sink) Create(event *corev1.Event) (*corev1.Event, error) {
	return s.client.CoreV1().Events(s.namespace).CreateWithEventNamespaceWithContext(context.Background(), event)
}
func (s *corev1Sink) Update(event *corev1.Event) (*corev1.Event, error) {
	return s.client.CoreV1().Events(s.namespace).UpdateWithEventNamespaceWithContext(context.Background(), event)
}
func (s *corev1Sink) Patch(event *corev1.Event, data []byte) (*corev1.Event, error) {
	return s.client.CoreV1().Events(s.namespace).PatchWithEventNamespaceWithContext(context.Background(), event, data)
}

func (w *world) recordsSeries(ctx context.Context, namespace string) error {
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: w.client.EventsV1()})
	defer broadcaster.Shutdown()
	if err := broadcaster.StartRecordingToSinkWithContext(ctx); err != nil {
		return err
	}
	recorder := broadcaster.NewRecorder(scheme.Scheme, "example.com/tester")
	about, err := w.client.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("about", nil), none)
	if err != nil {
		return err
	}
	var found *eventsv1.EventList
	reported := func(isRight func(event eventsv1.Event) bool) error {
		return until(ctx, func() (err error) {
			if found, err = w.client.EventsV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "regarding.name=about"}); err != nil {
				return err
			}
			return expect(len(found.Items) == 1 && isRight(found.Items[0]), "events: %v", found.Items)
		})
	}
	recorder.Eventf(about, nil, corev1.EventTypeNormal, "Again", "Acting", "it happened")
	if err := reported(func(event eventsv1.Event) bool { return event.Series == nil && event.Note == "it happened" }); err != nil {
		return err
	}
	recorder.Eventf(about, nil, corev1.EventTypeNormal, "Again", "Acting", "it happened")
	return reported(func(event eventsv1.Event) bool { return event.Series != nil && event.Series.Count == 2 })
}

func (w *world) isDynamic(ctx context.Context, namespace string) error {
	client, err := dynamic.NewForConfig(w.config)
	if err != nil {
		return err
	}
	objects := client.Resource(maps).Namespace(namespace)
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}, "data": map[string]any{"k": "v"}}}
	created, err := objects.Create(ctx, object, none)
	if err != nil {
		return err
	}
	watching, err := objects.Watch(ctx, metav1.ListOptions{ResourceVersion: created.GetResourceVersion()})
	if err != nil {
		return err
	}
	defer watching.Stop()
	unstructured.SetNestedField(created.Object, "w", "data", "k")
	if _, err := objects.Update(ctx, created, metav1.UpdateOptions{}); err != nil {
		return err
	}
	event := <-watching.ResultChan()
	value, _, _ := unstructured.NestedString(event.Object.(*unstructured.Unstructured).Object, "data", "k")
	if err := expect(value == "w", "a watch shows %q", value); err != nil {
		return err
	}
	object.Object["data"] = map[string]any{"mine": "x"}
	applied, err := objects.Apply(ctx, "a", object, metav1.ApplyOptions{FieldManager: "me"})
	if err != nil {
		return err
	}
	data, _, _ := unstructured.NestedStringMap(applied.Object, "data")
	if err := expect(len(data) == 2, "applied: %v", data); err != nil {
		return err
	}
	if _, err := objects.Patch(ctx, "a", types.JSONPatchType, []byte(`[{"op":"remove","path":"/data/k"}]`), metav1.PatchOptions{}); err != nil {
		return err
	}
	if err := objects.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{FieldSelector: "metadata.name=a"}); err != nil {
		return err
	}
	_, err = objects.Get(ctx, "a", got)
	return expect(errors.IsNotFound(err), "deleted: %v", err)
}

func (w *world) hasMetadata(ctx context.Context, namespace string) error {
	if _, err := w.client.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("a", map[string]string{"k": "v"}), none); err != nil {
		return err
	}
	client, err := metadata.NewForConfig(w.config)
	if err != nil {
		return err
	}
	objects := client.Resource(maps).Namespace(namespace)
	list, err := objects.List(ctx, listed)
	if err != nil {
		return err
	}
	if err := expect(len(list.Items) == 1 && list.Items[0].Name == "a" && list.ResourceVersion != "", "listed: %v", list); err != nil {
		return err
	}
	watching, err := objects.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		return err
	}
	defer watching.Stop()
	patched, err := objects.Patch(ctx, "a", types.MergePatchType, []byte(`{"metadata":{"labels":{"l":"m"}}}`), metav1.PatchOptions{})
	if err != nil {
		return err
	}
	event := (<-watching.ResultChan()).Object.(*metav1.PartialObjectMetadata)
	if err := expect(event.Labels["l"] == "m" && patched.Labels["l"] == "m", "watched: %v", event); err != nil {
		return err
	}
	if err := objects.Delete(ctx, "a", metav1.DeleteOptions{}); err != nil {
		return err
	}
	_, err = objects.Get(ctx, "a", got)
	return expect(errors.IsNotFound(err), "deleted: %v", err)
}

func (w *world) discovers(ctx context.Context, namespace string) error {
	client, err := discovery.NewDiscoveryClientForConfig(w.config)
	if err != nil {
		return err
	}
	groups, resources, failed, err := client.GroupsAndMaybeResources()
	if err != nil {
		return err
	}
	if err := expect(len(failed) == 0 && len(resources) > 20 && len(groups.Groups) > 15, "aggregated: %d groups, %d versions, %v", len(groups.Groups), len(resources), failed); err != nil {
		return err
	}
	legacy := discovery.NewDiscoveryClientForConfigOrDie(w.config)
	legacy.UseLegacyDiscovery = true
	_, old, err := legacy.ServerGroupsAndResources()
	if err != nil {
		return err
	}
	if err := expect(len(old) == len(resources), "%d versions without aggregation, %d with", len(old), len(resources)); err != nil {
		return err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client))
	for gvk := range scheme.Scheme.AllKnownTypes() {
		if gvk.Version != "v1" || gvk.Kind != "Deployment" && gvk.Kind != "Role" && gvk.Kind != "Pod" {
			continue
		}
		mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
		if err != nil {
			return err
		}
		if err := expect(mapping.Scope.Name() == meta.RESTScopeNameNamespace, "%v: %v", gvk, mapping.Scope); err != nil {
			return err
		}
	}
	expander := restmapper.NewShortcutExpander(mapper, client, nil)
	resource, err := expander.ResourceFor(schema.GroupVersionResource{Resource: "deploy"})
	if err != nil {
		return err
	}
	version, err := client.ServerVersion()
	if err != nil {
		return err
	}
	documents, err := client.OpenAPIV3().Paths()
	if err != nil {
		return err
	}
	return expect(resource.Resource == "deployments" && version.Minor == "36" && documents["apis/apps/v1"] != nil, "%v %v", resource, version)
}

func labelled() map[string]string { return map[string]string{"app": "web"} }

func deployment(name, namespace string) *appsapply.DeploymentApplyConfiguration {
	return appsapply.Deployment(name, namespace).WithSpec(appsapply.DeploymentSpec().
		WithSelector(metaapply.LabelSelector().WithMatchLabels(labelled())).
		WithTemplate(coreapply.PodTemplateSpec().WithLabels(labelled()).WithSpec(coreapply.PodSpec().
			WithContainers(coreapply.Container().WithName("main").WithImage("web:1")))))
}

func (w *world) scales(ctx context.Context, namespace string) error {
	if _, err := w.client.AppsV1().Deployments(namespace).Apply(ctx, deployment("web", namespace), metav1.ApplyOptions{FieldManager: "me"}); err != nil {
		return err
	}
	client := discovery.NewDiscoveryClientForConfigOrDie(w.config)
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client))
	scaler, err := scale.NewForConfig(w.config, mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(client))
	if err != nil {
		return err
	}
	kind := schema.GroupResource{Group: "apps", Resource: "deployments"}
	found, err := scaler.Scales(namespace).Get(ctx, kind, "web", got)
	if err != nil {
		return err
	}
	found.Spec.Replicas = 4
	if _, err := scaler.Scales(namespace).Update(ctx, kind, found, metav1.UpdateOptions{}); err != nil {
		return err
	}
	patched, err := scaler.Scales(namespace).Patch(ctx, kind.WithVersion("v1"), "web", types.MergePatchType, []byte(`{"spec":{"replicas":0}}`), metav1.PatchOptions{})
	if err != nil {
		return err
	}
	typed, err := w.client.AppsV1().Deployments(namespace).UpdateScale(ctx, "web",
		&autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace}, Spec: autoscalingv1.ScaleSpec{Replicas: 0}}, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	return expect(patched.Spec.Replicas == 0 && typed.Spec.Replicas == 0, "scaled to %d, %d", patched.Spec.Replicas, typed.Spec.Replicas)
}

func (w *world) applies(ctx context.Context, namespace string) error {
	client := w.client.AppsV1().Deployments(namespace)
	wanted := deployment("web", namespace)
	mine := metav1.ApplyOptions{FieldManager: "me"}
	applied, err := client.Apply(ctx, wanted, mine)
	if err != nil {
		return err
	}
	extracted, err := appsapply.ExtractDeployment(applied, "me")
	if err != nil {
		return err
	}
	if err := same("extracted", extracted, wanted); err != nil {
		return err
	}
	theirs := appsapply.Deployment("web", namespace).WithSpec(appsapply.DeploymentSpec().WithTemplate(coreapply.PodTemplateSpec().
		WithSpec(coreapply.PodSpec().WithContainers(coreapply.Container().WithName("main").WithImage("web:2")))))
	if _, err := client.Apply(ctx, theirs, metav1.ApplyOptions{FieldManager: "they"}); !errors.IsConflict(err) || !errors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict) {
		return fmt.Errorf("a conflict: %v", err)
	}
	forced, err := client.Apply(ctx, theirs, metav1.ApplyOptions{FieldManager: "they", Force: true})
	if err != nil {
		return err
	}
	extracted, err = appsapply.ExtractDeployment(forced, "me")
	if err != nil {
		return err
	}
	if err := expect(extracted.Spec.Template.Spec.Containers[0].Image == nil, "the image is still mine"); err != nil {
		return err
	}
	status := appsapply.Deployment("web", namespace).WithStatus(appsapply.DeploymentStatus().WithReplicas(3))
	reported, err := client.ApplyStatus(ctx, status, mine)
	if err != nil {
		return err
	}
	ofStatus, err := appsapply.ExtractDeploymentStatus(reported, "me")
	if err != nil {
		return err
	}
	return same("extracted status", ofStatus, status)
}

func (w *world) reviews(ctx context.Context, namespace string) error {
	accounts := w.client.CoreV1().ServiceAccounts(namespace)
	if _, err := accounts.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "reader"}}, none); err != nil {
		return err
	}
	seconds := int64(600)
	token, err := accounts.CreateToken(ctx, "reader", &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}, none)
	if err != nil {
		return err
	}
	own := rest.AnonymousClientConfig(w.config)
	own.BearerToken = token.Status.Token
	reader := kubernetes.NewForConfigOrDie(own)
	who, err := reader.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, none)
	if err != nil {
		return err
	}
	user := "system:serviceaccount:" + namespace + ":reader"
	if err := expect(who.Status.UserInfo.Username == user, "it is %s", who.Status.UserInfo.Username); err != nil {
		return err
	}
	if _, err := reader.CoreV1().Secrets(namespace).List(ctx, listed); !errors.IsForbidden(err) {
		return fmt.Errorf("secrets of a stranger: %v", err)
	}
	review, err := w.client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user, ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: "list", Resource: "secrets"}}}, none)
	if err != nil {
		return err
	}
	known, err := w.client.AuthenticationV1().TokenReviews().Create(ctx, &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token.Status.Token}}, none)
	if err != nil {
		return err
	}
	return expect(!review.Status.Allowed && known.Status.Authenticated && known.Status.User.Username == user, "%v %v", review.Status, known.Status)
}

func pod(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labelled()},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "web:1"}}}}
}

func (w *world) evicts(ctx context.Context, namespace string) error {
	pods := w.client.CoreV1().Pods(namespace)
	made, err := pods.Create(ctx, pod("web"), none)
	if err != nil {
		return err
	}
	made.Status.Phase = corev1.PodRunning
	made.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	if _, err := pods.UpdateStatus(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	one := intstr.FromInt32(1)
	budgets := w.client.PolicyV1().PodDisruptionBudgets(namespace)
	budget, err := budgets.Create(ctx, &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "budget"},
		Spec: policyv1.PodDisruptionBudgetSpec{MinAvailable: &one, Selector: &metav1.LabelSelector{MatchLabels: labelled()}}}, none)
	if err != nil {
		return err
	}
	budget.Status = policyv1.PodDisruptionBudgetStatus{ObservedGeneration: budget.Generation, CurrentHealthy: 1, DesiredHealthy: 1, ExpectedPods: 1}
	if budget, err = budgets.UpdateStatus(ctx, budget, metav1.UpdateOptions{}); err != nil {
		return err
	}
	none := int64(0)
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace}, DeleteOptions: &metav1.DeleteOptions{GracePeriodSeconds: &none}}
	err = pods.EvictV1(ctx, eviction)
	if !errors.IsTooManyRequests(err) || !errors.HasStatusCause(err, policyv1.DisruptionBudgetCause) {
		return fmt.Errorf("an eviction that the budget forbids: %v", err)
	}
	budget.Status.DisruptionsAllowed = 1
	if _, err := budgets.UpdateStatus(ctx, budget, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if err := pods.EvictV1(ctx, eviction); err != nil {
		return err
	}
	_, err = pods.Get(ctx, "web", got)
	return expect(errors.IsNotFound(err), "evicted: %v", err)
}

func (w *world) debugs(ctx context.Context, namespace string) error {
	pods := w.client.CoreV1().Pods(namespace)
	made, err := pods.Create(ctx, pod("web"), none)
	if err != nil {
		return err
	}
	made.Spec.EphemeralContainers = []corev1.EphemeralContainer{{TargetContainerName: "main",
		EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "tools:1", Stdin: true, TTY: true}}}
	updated, err := pods.UpdateEphemeralContainers(ctx, "web", made, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	return expect(len(updated.Spec.EphemeralContainers) == 1 && updated.Spec.EphemeralContainers[0].TTY, "%v", updated.Spec.EphemeralContainers)
}

func (w *world) tabulates(ctx context.Context, namespace string) error {
	if _, err := w.client.CoreV1().Pods(namespace).Create(ctx, pod("web"), none); err != nil {
		return err
	}
	config := rest.CopyConfig(w.config)
	config.AcceptContentTypes = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
	config.ContentType = "application/json"
	config.GroupVersion = &schema.GroupVersion{Version: "v1"}
	config.APIPath = "/api"
	tables := runtime.NewScheme()
	metav1.AddToGroupVersion(tables, schema.GroupVersion{Version: "v1"})
	if err := metav1.AddMetaToScheme(tables); err != nil {
		return err
	}
	config.NegotiatedSerializer = codecsOf(tables)
	client, err := rest.RESTClientFor(config)
	if err != nil {
		return err
	}
	request := func() *rest.Request {
		return client.Get().Namespace(namespace).Resource("pods").Param("includeObject", "Metadata")
	}
	table := &metav1.Table{}
	if err := request().Do(ctx).Into(table); err != nil {
		return err
	}
	if err := expect(len(table.Rows) == 1 && len(table.Rows[0].Cells) == len(table.ColumnDefinitions), "%v", table); err != nil {
		return err
	}
	watching, err := request().Param("watch", "true").Watch(ctx)
	if err != nil {
		return err
	}
	defer watching.Stop()
	event := <-watching.ResultChan()
	watched, isTable := event.Object.(*metav1.Table)
	return expect(isTable && len(watched.Rows) == 1, "%v", event)
}

// runsPlugin puts a token into the answer of a program, as the plugins of clouds give it.
func (w *world) runsPlugin(ctx context.Context, namespace string) error {
	accounts := w.client.CoreV1().ServiceAccounts(namespace)
	if _, err := accounts.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "plugged"}}, none); err != nil {
		return err
	}
	token, err := accounts.CreateToken(ctx, "plugged", &authenticationv1.TokenRequest{}, none)
	if err != nil {
		return err
	}
	answer, err := json.Marshal(map[string]any{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
		"status": map[string]any{"token": token.Status.Token, "expirationTimestamp": token.Status.ExpirationTimestamp}})
	if err != nil {
		return err
	}
	program := filepath.Join(w.Folder, "credentials.sh")
	if err := os.WriteFile(program, fmt.Appendf(nil, "#!/bin/sh\necho '%s'\n", answer), 0o700); err != nil {
		return err
	}
	config := rest.AnonymousClientConfig(w.config)
	config.ExecProvider = &api.ExecConfig{APIVersion: "client.authentication.k8s.io/v1", Command: program, InteractiveMode: api.NeverExecInteractiveMode}
	who, err := kubernetes.NewForConfigOrDie(config).AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, none)
	if err != nil {
		return err
	}
	return expect(who.Status.UserInfo.Username == "system:serviceaccount:"+namespace+":plugged", "it is %s", who.Status.UserInfo.Username)
}

// spy counts answers that came compressed.
type spy struct {
	http.RoundTripper
	compressed *atomic.Int32
}

func (s spy) RoundTrip(request *http.Request) (*http.Response, error) {
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := s.RoundTripper.RoundTrip(request)
	if err == nil && response.Header.Get("Content-Encoding") == "gzip" {
		s.compressed.Add(1)
	}
	return response, err
}

func (w *world) compresses(ctx context.Context, namespace string) error {
	config := rest.CopyConfig(w.config)
	compressed := &atomic.Int32{}
	config.Wrap(func(inner http.RoundTripper) http.RoundTripper { return spy{inner, compressed} })
	big := configMap("big", map[string]string{"k": string(make([]byte, 300_000))})
	client := kubernetes.NewForConfigOrDie(config).CoreV1().ConfigMaps(namespace)
	if _, err := w.client.CoreV1().ConfigMaps(namespace).Create(ctx, big, none); err != nil {
		return err
	}
	if _, err := client.Get(ctx, "big", got); err == nil {
		return fmt.Errorf("an answer that was asked for compressed is read as it is")
	}
	if err := expect(compressed.Load() == 1, "%d answers were compressed", compressed.Load()); err != nil {
		return err
	}
	plain, err := w.client.CoreV1().ConfigMaps(namespace).Get(ctx, "big", got)
	if err != nil {
		return err
	}
	return same("compressed", plain.Data, big.Data)
}
