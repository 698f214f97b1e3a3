import type { Pod } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { readBody } from '../http/body.js';
import { header } from '../http/exchange.js';
import type { ObjectCodec } from '../http/object-codec.js';
import type { SubresourceHandler } from '../http/resource-handler.js';
import { sendJson } from '../http/respond.js';
import { deleteOptions, writeOptions } from '../http/write-request.js';
import { badRequest, methodNotSupported } from '../registry/status-errors.js';
import { checkPreconditions } from '../registry/deletion.js';
import { admitCreate } from './admit.js';
import type { DisruptionBudgets } from './disruption-budgets.js';

const expected = { apiVersion: 'policy/v1', kind: 'Eviction', definition: 'io.k8s.api.policy.v1.Eviction' };
const older = { ...expected, apiVersion: 'policy/v1beta1' };

/** Clients before 1.22 send the older version, which has the same fields. */
const expectedIn = (bytes: Buffer): typeof expected => (bytes.includes(older.apiVersion) ? older : expected);

interface Eviction extends KubernetesObject {
  deleteOptions?: Record<string, unknown>;
}

/** Serves pods/eviction: a delete that disruption budgets may refuse; without any it is a delete. */
export function evictionHandler(codec: ObjectCodec, budgets: DisruptionBudgets): SubresourceHandler {
  return async (exchange, served) => {
    const { info, request } = exchange;
    if (info.verb !== 'create') throw methodNotSupported(served.definition.resource, info.verb);
    const options = writeOptions(exchange);
    const bytes = await readBody(exchange);
    const eviction = codec.decode(bytes, header(request, 'content-type'), expectedIn(bytes), options) as Eviction;
    const name = eviction.metadata?.name;
    if (name && name !== info.name) throw badRequest('name in URL does not match name in Eviction object');
    const { kind: _kind, ...given } = eviction.deleteOptions ?? {};
    const { deletion, isDryRun } = deleteOptions(exchange, given);
    const all = { ...options, isDryRun: options.isDryRun || isDryRun };
    const kind = { group: 'policy', version: 'v1', kind: 'Eviction' };
    await admitCreate(served, 'eviction', eviction, all, { namespace: info.namespace, name: info.name, kind });
    const pod = served.store.get(info.namespace, info.name).object as KubernetesObject & Pod;
    checkPreconditions(served.definition, pod, deletion.preconditions);
    const { resourceVersion } = await budgets.ask(pod, { ...all, fieldManager: 'kube-apiserver' });
    const preconditions = { ...deletion.preconditions, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    await served.deleter.delete(info.namespace, info.name, { ...deletion, preconditions }, all, true);
    sendJson(exchange, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
  };
}
