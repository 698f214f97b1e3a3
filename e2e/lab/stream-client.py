"""What a program does that uses the official Python client for streams: python3 stream-client.py NAMESPACE POD."""

import json
import sys

from kubernetes import client, config
from kubernetes.stream import stream

namespace, pod = sys.argv[1:]
config.load_kube_config()
core = client.CoreV1Api()


def run(*command):
    options = {"stdin": True, "stdout": True, "stderr": True, "tty": False, "_preload_content": False}
    return stream(core.connect_get_namespaced_pod_exec, pod, namespace, container="main", command=list(command), **options)


with_input = run("sh", "-c", "head -n 1")
with_input.write_stdin("from outside\n")
with_input.run_forever(timeout=20)
failed = run("sh", "-c", "exit 3")
failed.run_forever(timeout=20)
log = core.read_namespaced_pod_log(pod, namespace, container="main")
result = {"output": with_input.read_stdout(), "status": "Success" if with_input.returncode == 0 else "Failure"}
print(json.dumps({**result, "exitCode": str(failed.returncode), "log": log}))
