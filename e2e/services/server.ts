import type { ServiceSpec } from '../../shared/api/generated/types.js';
import type { TestCluster } from '../lab/cluster.js';
import { create, pod, shell } from '../workloads/pod.js';

/** Answers on 8080 with "NAME saw CLIENT". */
const serve = [
  'mkdir -p /www/cgi-bin',
  "printf '#!/bin/sh\\necho; a=${REMOTE_ADDR#*ffff:}; echo $(hostname) saw ${a%%]}\\n' > /www/cgi-bin/who",
  'chmod +x /www/cgi-bin/who',
  'exec httpd -f -p 8080 -h /www',
].join('\n');

/** Pod `one` on node-1 and pod `two` on node-2, both labelled app=server and with names in the subdomain `heads`. */
export function serverPods(): object[] {
  return ['one', 'two'].map((name, index) =>
    pod(
      name,
      {
        nodeSelector: { 'kubernetes.io/hostname': `node-${index + 1}` },
        hostname: name,
        subdomain: 'heads',
        containers: [
          shell('main', serve, {
            readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
            ports: [{ name: 'http', containerPort: 8080 }],
          }),
        ],
      },
      { labels: { app: 'server', name } },
    ),
  );
}

/** Creates a Service over the servers, or over those of `selector`, and resolves with its cluster address. */
export async function expose(cluster: TestCluster, name: string, spec: Partial<ServiceSpec> = {}): Promise<string> {
  const ports = [{ name: 'http', port: 80, targetPort: 'http' }];
  await create(cluster, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: 'server' }, ports, ...spec },
  });
  return cluster.kubectl(['get', 'service', name, '-o', 'jsonpath={.spec.clusterIP}']);
}

/** Runs a shell script in a server pod. */
export function inside(cluster: TestCluster, pod: string, script: string): Promise<string> {
  return cluster.kubectl(['exec', pod, '--', 'sh', '-c', script]);
}

/** A script that asks a server who it is, `count` times. */
export function ask(address: string, count = 1): string {
  return `for i in $(seq ${count}); do timeout 3 wget -qO- http://${address}/cgi-bin/who; done`;
}
