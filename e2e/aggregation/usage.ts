import type { Client } from '../../shared/client/client.js';
import { nodes } from '../../shared/api/generated/resources.js';

interface Usage {
  readonly cpu?: { readonly time: string; readonly usageNanoCores?: number };
  readonly memory?: { readonly time: string; readonly workingSetBytes?: number };
}
interface PodUsage extends Usage {
  readonly podRef: { readonly name: string; readonly namespace: string };
  readonly containers: readonly (Usage & { readonly name: string })[];
}
interface Summary {
  readonly node: Usage & { readonly nodeName: string };
  readonly pods: readonly PodUsage[];
}

/** What the kubelets say, through the API server: /stats/summary of every node. */
export async function summaries(client: Client): Promise<Summary[]> {
  const { items } = await client.list(nodes);
  return Promise.all(
    items.map(async ({ metadata: { name } }) => {
      const { status, body } = await client.raw({ path: `/api/v1/nodes/${name}/proxy/stats/summary` });
      if (status !== 200) throw new Error(`/stats/summary of ${name} answered ${status}: ${body.toString()}`);
      return JSON.parse(body.toString('utf8')) as Summary;
    }),
  );
}

const apiVersion = 'metrics.k8s.io/v1beta1';
const window = '10s';

const quantities = ({ cpu, memory }: Usage): object => ({
  cpu: `${cpu?.usageNanoCores ?? 0}n`,
  memory: `${Math.round((memory?.workingSetBytes ?? 0) / 1024)}Ki`,
});
/** A rate takes two looks: before the second there is none, and the object is left out, as metrics-server does. */
const isMeasured = ({ cpu, memory }: Usage): boolean =>
  cpu?.usageNanoCores !== undefined && memory?.workingSetBytes !== undefined;

/** metrics.k8s.io/v1beta1 NodeMetrics. */
export function nodeMetrics(found: readonly Summary[]): { readonly metadata: { readonly name: string } }[] {
  return found
    .filter(({ node }) => isMeasured(node))
    .map(({ node }) => ({
      kind: 'NodeMetrics',
      apiVersion,
      metadata: { name: node.nodeName },
      timestamp: node.cpu?.time,
      window,
      usage: quantities(node),
    }));
}

/** metrics.k8s.io/v1beta1 PodMetrics, of one namespace or of all. */
export function podMetrics(
  found: readonly Summary[],
  namespace?: string,
): { readonly metadata: { readonly name: string; readonly namespace: string } }[] {
  return podsOf(found, namespace)
    .filter((pod) => pod.containers.every(isMeasured))
    .map((pod) => ({
      kind: 'PodMetrics',
      apiVersion,
      metadata: pod.podRef,
      timestamp: pod.cpu?.time,
      window,
      containers: pod.containers.map((one) => ({ name: one.name, usage: quantities(one) })),
    }));
}

/** custom.metrics.k8s.io/v1beta1 MetricValueList: the working set of pods. */
export function workingSets(found: readonly Summary[], namespace: string, name: string): object {
  const pods = podsOf(found, namespace).filter(({ podRef }) => name === '*' || podRef.name === name);
  return {
    kind: 'MetricValueList',
    apiVersion: 'custom.metrics.k8s.io/v1beta1',
    metadata: {},
    items: pods.map(({ podRef, memory }) => ({
      describedObject: { kind: 'Pod', apiVersion: '/v1', ...podRef },
      metricName: 'memory_working_set',
      timestamp: memory?.time,
      value: String(memory?.workingSetBytes ?? 0),
      selector: null,
    })),
  };
}

const podsOf = (found: readonly Summary[], namespace?: string): PodUsage[] =>
  found.flatMap(({ pods }) => pods).filter(({ podRef }) => namespace === undefined || podRef.namespace === namespace);
