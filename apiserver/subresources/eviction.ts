import { setCondition } from '../../shared/api/condition.js';
import type { Pod, PodCondition } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Clock } from '../../shared/clock/clock.js';
import { badRequest } from '../../shared/errors/bad-request.js';
import { isConflict } from '../../shared/errors/status-error.js';
import { readBody } from '../http/body.js';
import { header } from '../http/exchange.js';
import type { ObjectCodec } from '../http/object-codec.js';
import type { SubresourceHandler } from '../http/resource-handler.js';
import { sendJson } from '../http/respond.js';
import { deleteOptions, writeOptions } from '../http/write-request.js';
import { checkPreconditions } from '../registry/preconditions.js';
import { timestamp } from '../registry/object-metadata.js';
import type { ServedResource } from '../registry/resource-registry.js';
import { methodNotSupported } from '../registry/status-errors.js';
import type { DeleteOptions, WriteOptions } from '../registry/write-options.js';
import { admitCreate } from './admit.js';
import { stillProcessed, type DisruptionBudgets } from './disruption-budgets.js';

const expected = { apiVersion: 'policy/v1', kind: 'Eviction', definition: 'io.k8s.api.policy.v1.Eviction' };
const older = { ...expected, apiVersion: 'policy/v1beta1' };
/** A pod that starts or ends while it is being evicted is looked at again so often. */
const evictionAttempts = 20;

/** Clients before 1.22 send the older version, which has the same fields. */
const expectedIn = (bytes: Buffer): typeof expected => (bytes.includes(older.apiVersion) ? older : expected);

interface Eviction extends KubernetesObject {
  deleteOptions?: Record<string, unknown>;
}

interface Evicted {
  readonly served: ServedResource;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly deletion: DeleteOptions;
  readonly options: WriteOptions;
}

/** Serves pods/eviction: a delete that disruption budgets may refuse; without any it is a delete. */
export function evictionHandler(codec: ObjectCodec, budgets: DisruptionBudgets, clock: Clock): SubresourceHandler {
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
    const { namespace } = info;
    await admitCreate(served, 'eviction', eviction, all, { namespace, name: info.name, kind });
    await evict(budgets, { served, namespace, name: info.name, deletion, options: all }, timestamp(clock.now()));
    sendJson(exchange, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
  };
}

async function evict(budgets: DisruptionBudgets, evicted: Evicted, nowIso: string): Promise<void> {
  const { served, namespace, name, deletion, options } = evicted;
  for (let attempt = 1; ; attempt++) {
    const pod = served.store.get(namespace, name).object as KubernetesObject & Pod;
    checkPreconditions(served.definition, pod, deletion.preconditions);
    const leave = await budgets.ask(pod, { ...options, fieldManager: 'kube-apiserver' });
    try {
      return await mark(evicted, leave.resourceVersion, nowIso);
    } catch (error) {
      const isOurs = leave.resourceVersion !== undefined && deletion.preconditions?.resourceVersion === undefined;
      if (!isOurs || !isConflict(error)) throw error;
      // It may have become healthy meanwhile, and then it counts.
      if (leave.budget !== undefined) throw stillProcessed(leave.budget);
      if (attempt === evictionAttempts) throw error;
    }
  }
}

/** Tells in the pod's status why it goes, then deletes it; `resourceVersion` is that of the state in which it may go. */
async function mark(evicted: Evicted, resourceVersion: string | undefined, nowIso: string): Promise<void> {
  const { served, namespace, name, deletion, options } = evicted;
  let preconditions = { ...(resourceVersion === undefined ? {} : { resourceVersion }), ...deletion.preconditions };
  if (!options.isDryRun) {
    const mode = { subresource: 'status', skipsAdmission: true };
    const { object } = await served.store.modify(namespace, name, options, mode, (current, shared) => {
      checkPreconditions(served.definition, shared.object, preconditions);
      return disrupted(current as KubernetesObject & Pod, nowIso);
    });
    if (preconditions.resourceVersion !== undefined)
      preconditions = { ...preconditions, resourceVersion: object.metadata.resourceVersion };
  }
  await served.deleter.delete(namespace, name, { ...deletion, preconditions }, options, true);
}

function disrupted(pod: KubernetesObject & Pod, nowIso: string): KubernetesObject {
  const condition: PodCondition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  };
  pod.status = { ...pod.status, conditions: [...setCondition(pod.status?.conditions, condition, nowIso)] };
  return pod;
}
