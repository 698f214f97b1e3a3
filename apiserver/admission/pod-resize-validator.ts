import { nodes } from '../../shared/api/generated/resources.js';
import type { Node, Pod } from '../../shared/api/generated/types.js';
import { parseQuantity } from '../../shared/api/quantity.js';
import { podAmounts } from '../../shared/api/quota-usage.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { forbidden } from '../registry/status-errors.js';
import { equal } from '../validation/equality.js';
import type { AdmissionPlugin, AdmissionRequest } from './admission.js';

const osLabel = 'kubernetes.io/os';

/** A pod that runs is not given what its node could never give: it is refused here, before the kubelet would call it infeasible. */
export function podResizeValidator(objects: ObjectReader): AdmissionPlugin {
  return {
    name: 'PodResizeValidator',
    validate: (request) => {
      const { operation, subresource, definition } = request;
      const { group, resource } = definition.resource;
      if (operation !== 'UPDATE' || group !== '' || resource !== 'pods' || subresource !== 'resize') return;
      const pod = request.object as unknown as Pod;
      const { nodeName } = pod.spec;
      if (!nodeName || equal(pod.spec, (request.oldObject as unknown as Pod).spec)) return;
      const node = objects.find(nodes, undefined, nodeName);
      if (!node) throw forbidden(definition.resource, request.name, `node ${JSON.stringify(nodeName)} not found`);
      checkNode(pod, node, request);
    },
  };
}

function checkNode(pod: Pod, { metadata, status }: Node, request: AdmissionRequest): void {
  const os = metadata.labels?.[osLabel];
  if (os !== undefined && os !== 'linux') {
    const where = `node ${JSON.stringify(metadata.name)} is ${JSON.stringify(os)}`;
    throw infeasible(request, `pod resize is only supported on linux nodes, ${where}`, 'UnsupportedPlatform');
  }
  const requests = podAmounts(pod.spec, 'requests');
  // In the units of the original's message: thousandths of a CPU, bytes.
  const units = [
    ['cpu', 1_000_000n],
    ['memory', 1_000_000_000n],
  ] as const;
  const exceeded = units.flatMap(([name, unit]) => {
    const requested = requests.get(name)?.nanos ?? 0n;
    const allocatable = parseQuantity(status?.allocatable?.[name] ?? '0').nanos;
    if (requested <= allocatable) return [];
    const shown = (nanos: bigint): string => String((nanos + unit - 1n) / unit);
    return [`${name}, requested: ${shown(requested)}, allocatable: ${shown(allocatable)}`];
  });
  if (exceeded.length === 0) return;
  const why = `node didn't have enough allocatable resources: ${exceeded.join('; ')}`;
  throw infeasible(request, why, 'NodeCapacity');
}

/** Autoscalers tell by the cause why it cannot be. */
function infeasible({ definition, name }: AdmissionRequest, why: string, reason: string): StatusError {
  const { code, reason: general, message, details } = forbidden(definition.resource, name, why);
  return new StatusError(code, general, message, { ...details, causes: [{ reason }] });
}
