import type { KubernetesObject } from '../../shared/api/object.js';
import { readBody } from '../http/body.js';
import { header } from '../http/exchange.js';
import type { ObjectCodec } from '../http/object-codec.js';
import type { SubresourceHandler } from '../http/resource-handler.js';
import { sendJson } from '../http/respond.js';
import { deleteOptions, writeOptions } from '../http/write-request.js';
import { badRequest, methodNotSupported } from '../registry/status-errors.js';
import { admitCreate } from './admit.js';

const expected = { apiVersion: 'policy/v1', kind: 'Eviction', definition: 'io.k8s.api.policy.v1.Eviction' };

interface Eviction extends KubernetesObject {
  deleteOptions?: Record<string, unknown>;
}

/** Serves pods/eviction: a delete that disruption budgets may refuse; without any it is a delete. */
export function evictionHandler(codec: ObjectCodec): SubresourceHandler {
  return async (exchange, served) => {
    const { info, request } = exchange;
    if (info.verb !== 'create') throw methodNotSupported(served.definition.resource, info.verb);
    const options = writeOptions(exchange);
    const bytes = await readBody(exchange);
    const eviction = codec.decode(bytes, header(request, 'content-type'), expected, options) as Eviction;
    const name = eviction.metadata?.name;
    if (name && name !== info.name) throw badRequest('name in URL does not match name in Eviction object');
    const { kind: _kind, ...given } = eviction.deleteOptions ?? {};
    const { deletion, isDryRun } = deleteOptions(exchange, given);
    const all = { ...options, isDryRun: options.isDryRun || isDryRun };
    const kind = { group: 'policy', version: 'v1', kind: 'Eviction' };
    await admitCreate(served, 'eviction', eviction, all, { namespace: info.namespace, name: info.name, kind });
    await served.deleter.delete(info.namespace, info.name, deletion, all, true);
    sendJson(exchange, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
  };
}
