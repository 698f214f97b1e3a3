import { setCondition } from '../../shared/api/condition.js';
import { pods } from '../../shared/api/generated/resources.js';
import type { Binding, Pod, PodCondition } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { badRequest } from '../../shared/errors/bad-request.js';
import { readBody } from '../http/body.js';
import { header, type Exchange } from '../http/exchange.js';
import type { ObjectCodec } from '../http/object-codec.js';
import type { SubresourceHandler, VirtualResources } from '../http/resource-handler.js';
import { sendJson } from '../http/respond.js';
import { writeOptions } from '../http/write-request.js';
import { timestamp } from '../registry/object-metadata.js';
import type { ResourceRegistry, ServedResource } from '../registry/resource-registry.js';
import { checkPreconditions } from '../registry/preconditions.js';
import { conflict, invalid, methodNotSupported } from '../registry/status-errors.js';
import { notSupported, required, type FieldError } from '../validation/field-error.js';
import { admitCreate } from './admit.js';

const expected = { apiVersion: 'v1', kind: 'Binding', definition: 'io.k8s.api.core.v1.Binding' };

/** Serves pods/binding: gives a pod its node, once. */
export function bindingHandler(codec: ObjectCodec): SubresourceHandler {
  return async (exchange, served) => {
    if (exchange.info.verb !== 'create') throw methodNotSupported(served.definition.resource, exchange.info.verb);
    const bytes = await readBody(exchange);
    const options = writeOptions(exchange);
    const given = codec.decode(bytes, header(exchange.request, 'content-type'), expected, options);
    const binding = given as unknown as Binding & KubernetesObject;
    if (binding.metadata?.name && binding.metadata.name !== exchange.info.name)
      throw badRequest('name in URL does not match name in Binding object');
    await bind(exchange, served, exchange.info.name, binding);
    sendBound(exchange);
  };
}

const sendBound = (exchange: Exchange): void =>
  sendJson(exchange, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });

/** The old way, by a collection of bindings: each is named as the pod that it binds. */
export function bindingResources(codec: ObjectCodec, registry: ResourceRegistry): VirtualResources {
  return new Map([
    [
      '/v1/bindings',
      async (exchange: Exchange): Promise<void> => {
        const bytes = await readBody(exchange);
        const options = writeOptions(exchange);
        const given = codec.decode(bytes, header(exchange.request, 'content-type'), expected, options);
        const binding = given as unknown as Binding & KubernetesObject;
        const name = binding.metadata?.name;
        if (!name) throw badRequest('name must be provided');
        await bind(exchange, registry.of(pods), name, binding);
        sendBound(exchange);
      },
    ],
  ]);
}

async function bind(
  exchange: Exchange,
  served: ServedResource,
  name: string,
  binding: Binding & KubernetesObject,
): Promise<void> {
  const { info } = exchange;
  const { uid, resourceVersion, annotations } = binding.metadata ?? {};
  const errors = checkTarget(binding);
  if (errors.length > 0) throw invalid({ group: '', kind: 'Binding' }, name, errors);
  const { resource } = served.definition;
  const { clock } = served.store.dependencies;
  const options = writeOptions(exchange);
  const kind = { group: '', version: 'v1', kind: 'Binding' };
  await admitCreate(served, 'binding', binding, options, { namespace: info.namespace, name, kind });
  const preconditions = { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
  const mode = { subresource: 'binding', skipsValidation: true, skipsAdmission: true, isUnowned: true };
  const node = binding.target.name ?? '';
  await served.store.modify(info.namespace, name, options, mode, (current, shared) => {
    const pod = current as unknown as Pod & KubernetesObject;
    checkPreconditions(served.definition, shared.object, preconditions);
    assertBindable(pod, node, (why) => conflict({ ...resource, resource: 'pods/binding' }, name, why));
    pod.spec.nodeName = node;
    if (annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
    const scheduled: PodCondition = { type: 'PodScheduled', status: 'True' };
    pod.status ??= {};
    // What was in view is taken now, or given up.
    delete pod.status.nominatedNodeName;
    pod.status.conditions = [
      ...setCondition<PodCondition>(pod.status.conditions ?? [], scheduled, timestamp(clock.now())),
    ];
    return pod;
  });
}

function checkTarget({ target }: Binding): FieldError[] {
  const errors: FieldError[] = [];
  if (target?.kind && target.kind !== 'Node')
    errors.push(notSupported('target.kind', target.kind, ['Node', '<empty>']));
  if (!target?.name) errors.push(required('target.name'));
  return errors;
}

function assertBindable(pod: Pod & KubernetesObject, node: string, refuse: (why: string) => Error): void {
  const { name, deletionTimestamp } = pod.metadata;
  if (deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec.nodeName) throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
  const gates = pod.spec.schedulingGates ?? [];
  if (gates.length > 0) {
    throw refuse(`pod ${name} has non-empty .spec.schedulingGates, cannot be assigned to node ${JSON.stringify(node)}`);
  }
}
