/** What a request to the kubelet is, in the words of the API: a verb on some subresource of the Node. */
export interface RequestAttributes {
  readonly verb: string;
  /** Whoever may any of them is let through; at least one. */
  readonly subresources: readonly [string, ...string[]];
}

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** First segments of paths with rights of their own; where nodes/proxy is among them it is the older, wider right. */
const subresources: ReadonlyMap<string, readonly [string, ...string[]]> = new Map([
  ['pods', ['pods', 'proxy']],
  ['runningpods', ['pods', 'proxy']],
  ['healthz', ['healthz', 'proxy']],
  ['configz', ['configz', 'proxy']],
  ['stats', ['stats']],
  ['metrics', ['metrics']],
  ['logs', ['log']],
  ['checkpoint', ['checkpoint']],
  ['statusz', ['statusz']],
  ['flagz', ['flagz']],
]);

/** As the original with KubeletFineGrainedAuthz. @param path its segments, decoded, as they are routed */
export function requestAttributes(method: string | undefined, path: readonly string[]): RequestAttributes {
  return { verb: verbs[method ?? ''] ?? '', subresources: subresources.get(path[0] ?? '') ?? ['proxy'] };
}
