import type { Pod } from '../../shared/api/generated/types.js';

/** What of the node a pod may ask for. */
export interface NodeFacts {
  readonly nodeName: string;
  readonly hostIPs: readonly string[];
  /** Known once the sandbox runs. */
  readonly podIPs: readonly string[];
}

const simpleFields: Readonly<Record<string, (pod: Pod, facts: NodeFacts) => string>> = {
  'metadata.name': (pod) => pod.metadata.name ?? '',
  'metadata.namespace': (pod) => pod.metadata.namespace ?? '',
  'metadata.uid': (pod) => pod.metadata.uid ?? '',
  'metadata.labels': (pod) => formatMap(pod.metadata.labels ?? {}),
  'metadata.annotations': (pod) => formatMap(pod.metadata.annotations ?? {}),
  'spec.nodeName': (_pod, facts) => facts.nodeName,
  'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName ?? '',
  'status.hostIP': (_pod, facts) => facts.hostIPs[0] ?? '',
  'status.hostIPs': (_pod, facts) => facts.hostIPs.join(','),
  'status.podIP': (_pod, facts) => facts.podIPs[0] ?? '',
  'status.podIPs': (_pod, facts) => facts.podIPs.join(','),
};

/** The value behind a fieldRef, of the downward API. Throws for a path that it does not know. */
export function fieldValue(fieldPath: string, pod: Pod, facts: NodeFacts): string {
  const simple = Object.hasOwn(simpleFields, fieldPath) ? simpleFields[fieldPath] : undefined;
  if (simple) return simple(pod, facts);
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath);
  if (!subscript) throw new Error(`unsupported fieldPath: ${fieldPath}`);
  const map = subscript[1] === 'labels' ? pod.metadata.labels : pod.metadata.annotations;
  const key = subscript[2] ?? '';
  return map && Object.hasOwn(map, key) ? (map[key] ?? '') : '';
}

/** `key="value"` lines, sorted, quoted as Go's %q does. */
function formatMap(map: Readonly<Record<string, string>>): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key] ?? '')}`)
    .join('\n');
}
