import type { KubernetesObject } from '../../shared/api/object.js';
import { badRequest } from '../../shared/errors/bad-request.js';
import { unsupportedMediaType } from '../decode/errors.js';
import { negotiate } from '../http/accept.js';
import { readBody } from '../http/body.js';
import { header, type Exchange } from '../http/exchange.js';
import { customPatchTypes, type ExpectedKind, type ObjectCodec } from '../http/object-codec.js';
import type { SubresourceHandler } from '../http/resource-handler.js';
import { sendObject } from '../http/respond.js';
import { writeOptions } from '../http/write-request.js';
import type { ResourceDefinition, ScaleMapping } from '../registry/definition.js';
import type { ServedResource } from '../registry/resource-registry.js';
import { internalError, invalid, methodNotSupported, modified, unknownResource } from '../registry/status-errors.js';
import { invalid as invalidField } from '../validation/field-error.js';

const expected: ExpectedKind = {
  apiVersion: 'autoscaling/v1',
  kind: 'Scale',
  definition: 'io.k8s.api.autoscaling.v1.Scale',
};

interface Scale extends KubernetesObject {
  spec?: { replicas?: number };
  status?: { replicas: number; selector?: string };
}

export function scaleOf(mapping: ScaleMapping<KubernetesObject>, object: KubernetesObject): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: expected.kind,
    apiVersion: expected.apiVersion,
    metadata: { name, ...(namespace ? { namespace } : {}), uid, resourceVersion, creationTimestamp },
    spec: { replicas: mapping.getSpecReplicas(object) },
    status: { replicas: mapping.getStatusReplicas(object), selector: mapping.getSelector(object) },
  };
}

/** @throws StatusError 500 where there is no number of replicas to show */
function givenScaleOf(mapping: ScaleMapping<KubernetesObject>, object: KubernetesObject): Scale {
  const missing = mapping.lacksSpecReplicas?.(object);
  if (missing !== undefined) throw internalError(`the spec replicas field ${JSON.stringify(missing)} does not exist`);
  return scaleOf(mapping, object);
}

/** Serves /scale: the number of replicas of any kind that has one, as an autoscaling/v1 Scale. */
export function scaleHandler(codec: ObjectCodec): SubresourceHandler {
  return async (exchange, served) => {
    const mapping = served.definition.scale;
    if (!mapping) throw unknownResource();
    const { info } = exchange;
    switch (info.verb) {
      case 'get':
        send(exchange, givenScaleOf(mapping, (await served.store.current(info.namespace, info.name)).object));
        return;
      case 'update':
      case 'patch':
        send(exchange, await write(exchange, served, mapping, codec));
        return;
      default:
        throw methodNotSupported(served.definition.resource, info.verb);
    }
  };
}

async function write(
  exchange: Exchange,
  served: ServedResource,
  mapping: ScaleMapping<KubernetesObject>,
  codec: ObjectCodec,
): Promise<Scale> {
  const { info, request } = exchange;
  const options = writeOptions(exchange);
  const bytes = await readBody(exchange);
  const contentType = header(request, 'content-type');
  const wanted = changer(info.verb === 'patch', bytes, contentType, codec, options, served.definition);
  const mode = { subresource: 'scale' };
  const result = await served.store.modify(info.namespace, info.name, options, mode, (current) => {
    const before = info.verb === 'patch' ? givenScaleOf(mapping, current) : scaleOf(mapping, current);
    const next = wanted(before);
    check(served.definition, next, before);
    mapping.setSpecReplicas(current, next.spec?.replicas ?? 0);
    return current;
  });
  return scaleOf(mapping, result.object);
}

function changer(
  isPatch: boolean,
  bytes: Buffer,
  contentType: string | undefined,
  codec: ObjectCodec,
  options: Parameters<ObjectCodec['decode']>[3],
  { custom }: ResourceDefinition,
): (before: Scale) => Scale {
  if (!isPatch) {
    const given = codec.decode(bytes, contentType, expected, options) as Scale;
    return () => given;
  }
  const patch = codec.parsePatch(bytes, contentType);
  if (custom && patch.type === 'strategic') throw unsupportedMediaType(customPatchTypes);
  // An applied Scale has one field of interest, so merging it is applying it.
  const merged = patch.type === 'apply' ? { ...patch, type: 'merge' as const } : patch;
  return (before) => codec.applyPatch(merged, structuredClone(before), expected, options) as Scale;
}

function check({ resource, custom }: ResourceDefinition, next: Scale, before: Scale): void {
  const { name, resourceVersion } = next.metadata;
  if (name && name !== before.metadata.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${before.metadata.name})`);
  }
  if (resourceVersion && resourceVersion !== before.metadata.resourceVersion) {
    throw modified(resource, before.metadata.name);
  }
  // Of a custom resource the object itself is checked.
  if (custom) return;
  const replicas = next.spec?.replicas ?? 0;
  if (!Number.isInteger(replicas) || replicas < 0) {
    const error = invalidField('spec.replicas', replicas, 'must be greater than or equal to 0');
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, before.metadata.name, [error]);
  }
}

function send(exchange: Exchange, scale: Scale): void {
  const form = negotiate(header(exchange.request, 'accept'), { allowsTable: false, allowsYaml: true });
  sendObject(exchange, 200, Buffer.from(JSON.stringify(scale)), form);
}
