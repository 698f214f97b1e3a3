import { hostname } from 'node:os';

/** gRPC metadata key and HTTP header by which a pod of the demo says who answered. */
export const POD_NAME_HEADER = 'x-pod-name';

/** The pod this process runs in: POD_NAME (downward API), else the host name, which in a pod is the pod's name. */
export function podName(environment: NodeJS.ProcessEnv): string {
  return environment['POD_NAME'] || hostname();
}
