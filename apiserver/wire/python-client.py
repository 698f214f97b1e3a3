"""What a program does that uses the official Python client: run against a server with KUBECONFIG set."""

import json
import threading

from kubernetes import client, config, dynamic, watch
from kubernetes.client import api_client
from kubernetes.client.rest import ApiException

config.load_kube_config()
core = client.CoreV1Api()
apps = client.AppsV1Api()
namespace = "default"


def meta(name, **fields):
    return client.V1ObjectMeta(name=name, **fields)


def expect(code, reason, call):
    try:
        call()
    except ApiException as error:
        assert error.status == code, error
        assert json.loads(error.body)["reason"] == reason, error.body
        return json.loads(error.body)
    raise AssertionError(f"{code} {reason} was expected")


# CRUD and every patch type.
made = core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=meta("py", labels={"by": "py"}), data={"a": "1"}))
assert made.metadata.uid and made.metadata.creation_timestamp.tzinfo
expect(409, "AlreadyExists", lambda: core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=meta("py"))))
expect(404, "NotFound", lambda: core.read_namespaced_config_map("none", namespace))
bad = expect(422, "Invalid", lambda: core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=meta("A_"))))
assert bad["details"]["causes"][0]["field"] == "metadata.name"
core.patch_namespaced_config_map("py", namespace, {"data": {"b": "2"}})
core.patch_namespaced_config_map("py", namespace, [{"op": "replace", "path": "/data/a", "value": "3"}])
found = core.read_namespaced_config_map("py", namespace)
assert found.data == {"a": "3", "b": "2"}, found.data
stale = found.metadata.resource_version
core.patch_namespaced_config_map("py", namespace, {"data": {"c": "4"}})
found.data = {"lost": "update"}
expect(409, "Conflict", lambda: core.replace_namespaced_config_map("py", namespace, found))
expect(409, "Conflict", lambda: core.patch_namespaced_config_map("py", namespace, {"metadata": {"resourceVersion": stale}}))
assert [item.metadata.name for item in core.list_namespaced_config_map(namespace, label_selector="by=py").items] == ["py"]
assert [item.metadata.name for item in core.list_namespaced_config_map(namespace, field_selector="metadata.name=py").items] == ["py"]

# A watch sees what is done after its list, and ends when its time is over.
listed = core.list_namespaced_config_map(namespace)
seen = []


def follow():
    stream = watch.Watch()
    options = {"resource_version": listed.metadata.resource_version, "label_selector": "by=watched", "timeout_seconds": 3}
    for event in stream.stream(core.list_namespaced_config_map, namespace, **options):
        seen.append((event["type"], event["object"].metadata.name))
        if event["type"] == "DELETED":
            stream.stop()


follower = threading.Thread(target=follow)
follower.start()
core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=meta("w", labels={"by": "watched"})))
core.patch_namespaced_config_map("w", namespace, {"data": {"x": "y"}})
core.delete_namespaced_config_map("w", namespace)
follower.join(20)
assert seen == [("ADDED", "w"), ("MODIFIED", "w"), ("DELETED", "w")], seen

# Pages, collections, subresources.
for index in range(5):
    core.create_namespaced_secret(namespace, client.V1Secret(metadata=meta(f"page-{index}", labels={"page": "x"}), string_data={"k": "v"}))
pages, token = [], None
while token != "":
    page = core.list_namespaced_secret(namespace, label_selector="page=x", limit=2, _continue=token)
    pages.append(len(page.items))
    token = page.metadata._continue or ""
assert pages == [2, 2, 1], pages
core.delete_collection_namespaced_secret(namespace, label_selector="page=x")
assert core.list_namespaced_secret(namespace, label_selector="page=x").items == []
pod = client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels={"app": "py"}), spec=client.V1PodSpec(containers=[client.V1Container(name="c", image="i")]))
spec = client.V1DeploymentSpec(replicas=1, selector=client.V1LabelSelector(match_labels={"app": "py"}), template=pod)
apps.create_namespaced_deployment(namespace, client.V1Deployment(metadata=meta("py"), spec=spec))
scale = apps.patch_namespaced_deployment_scale("py", namespace, {"spec": {"replicas": 3}})
assert scale.spec.replicas == 3
assert apps.read_namespaced_deployment("py", namespace).spec.replicas == 3
deleted = apps.delete_namespaced_deployment("py", namespace, propagation_policy="Background")
assert deleted.status == "Success"

# The dynamic client: discovery, server-side apply, custom resources.
generic = dynamic.DynamicClient(api_client.ApiClient())
maps = generic.resources.get(api_version="v1", kind="ConfigMap")
applied = maps.server_side_apply(
    # This version of the client sends only texts as YAML.
    body=json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ssa"}, "data": {"k": "v"}}),
    name="ssa", namespace=namespace, field_manager="py",
)
assert applied.metadata.managedFields[0].manager == "py"
definition = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "snakes.example.com"},
    "spec": {
        "group": "example.com", "scope": "Namespaced", "names": {"plural": "snakes", "singular": "snake", "kind": "Snake"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}],
    },
}
generic.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition").create(body=definition)
established = watch.Watch()
for event in established.stream(client.ApiextensionsV1Api().list_custom_resource_definition, timeout_seconds=10):
    if any(c.type == "Established" and c.status == "True" for c in (event["object"].status.conditions or [])):
        established.stop()
generic.resources.invalidate_cache()
snakes = generic.resources.get(api_version="example.com/v1", kind="Snake")
snakes.create(body={"apiVersion": "example.com/v1", "kind": "Snake", "metadata": {"name": "monty"}, "spec": {"length": 3}}, namespace=namespace)
snakes.patch(body={"spec": {"length": 4}}, name="monty", namespace=namespace, content_type="application/merge-patch+json")
assert snakes.get(name="monty", namespace=namespace).spec.length == 4
assert client.CustomObjectsApi().get_namespaced_custom_object("example.com", "v1", namespace, "snakes", "monty")["spec"] == {"length": 4}

# Metadata only.
answer = api_client.ApiClient().call_api(
    "/api/v1/configmaps", "GET", auth_settings=["BearerToken"], response_type="object",
    header_params={"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"},
)
assert answer[0]["kind"] == "PartialObjectMetadataList" and "data" not in answer[0]["items"][0]
assert client.VersionApi().get_code().git_version.startswith("v1.36")
print("python ok")
