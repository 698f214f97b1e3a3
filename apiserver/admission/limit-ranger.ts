import { limitranges } from '../../shared/api/generated/resources.js';
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
} from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { addQuantities, compareQuantities, parseQuantity } from '../../shared/api/quantity.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { forbidden } from '../registry/status-errors.js';
import type { AdmissionPlugin, AdmissionRequest } from './admission.js';
import { isFor } from './resource-match.js';

const annotation = 'kubernetes.io/limit-ranger';

type Amounts = Readonly<Record<string, string>>;

/** LimitRanges fill in what containers do not ask for, and bound what containers, pods and claims may. */
export function limitRanger(objects: ObjectReader): AdmissionPlugin {
  const rangesFor = (request: AdmissionRequest): readonly LimitRange[] => {
    const isPod = isFor(request, '', 'pods') && request.operation === 'CREATE';
    const isResize = isFor(request, '', 'pods', 'resize') && request.operation === 'UPDATE';
    const isWrite = request.operation === 'CREATE' || request.operation === 'UPDATE';
    const isClaim = isFor(request, '', 'persistentvolumeclaims') && isWrite;
    return isPod || isResize || isClaim ? objects.list(limitranges, request.namespace ?? '') : [];
  };
  return {
    name: 'LimitRanger',
    mutate: (request) => {
      if (request.operation !== 'CREATE' || !isFor(request, '', 'pods')) return;
      for (const { spec } of rangesFor(request)) {
        setDefaults(request.object as unknown as Pod & KubernetesObject, spec?.limits ?? []);
      }
    },
    validate: (request) => {
      for (const { spec } of rangesFor(request)) {
        const errors = (spec?.limits ?? []).flatMap((limit) => problems(limit, request));
        if (errors.length === 0) continue;
        const why = errors.length === 1 ? (errors[0] ?? '') : `[${[...new Set(errors)].join(', ')}]`;
        throw forbidden(request.definition.resource, request.name, why);
      }
    },
  };
}

/** Every container gets the requests and limits that it lacks; the pod says so. */
function setDefaults(pod: Pod & KubernetesObject, limits: readonly LimitRangeItem[]): void {
  const requests: Record<string, string> = {};
  const maximums: Record<string, string> = {};
  for (const limit of limits) {
    if (limit.type !== 'Container') continue;
    Object.assign(requests, limit.defaultRequest);
    Object.assign(maximums, limit.default);
  }
  const notes = [
    ...(pod.spec.containers ?? []).flatMap((container) => complete(container, requests, maximums, 'container')),
    ...(pod.spec.initContainers ?? []).flatMap((container) =>
      complete(container, requests, maximums, 'init container'),
    ),
  ];
  if (notes.length === 0) return;
  (pod.metadata.annotations ??= {})[annotation] = `LimitRanger plugin set: ${notes.join('; ')}`;
}

function complete(container: Container, requests: Amounts, limits: Amounts, what: string): string[] {
  const notes: string[] = [];
  const fill = (part: 'requests' | 'limits', defaults: Amounts, word: string): void => {
    const missing = Object.keys(defaults)
      .filter((name) => container.resources?.[part]?.[name] === undefined)
      .sort();
    if (missing.length === 0) return;
    const filled = { ...container.resources?.[part] };
    for (const name of missing) filled[name] = defaults[name] ?? '0';
    container.resources = { ...container.resources, [part]: filled };
    notes.push(`${missing.join(', ')} ${word} for ${what} ${container.name}`);
  };
  // What is to be filled in is decided before anything is.
  fill('requests', requests, 'request');
  fill('limits', limits, 'limit');
  return notes;
}

function problems(limit: LimitRangeItem, { definition, object }: AdmissionRequest): string[] {
  if (definition.resource.resource === 'persistentvolumeclaims') {
    if (limit.type !== 'PersistentVolumeClaim') return [];
    const requests = (object as unknown as PersistentVolumeClaim).spec?.resources?.requests ?? {};
    return [...tooLittle(limit, requests, {}), ...tooMuchRequested(limit, requests)];
  }
  const { spec } = object as unknown as Pod;
  if (limit.type === 'Pod') {
    const [requests, limits] = [podAmounts(spec, 'requests'), podAmounts(spec, 'limits')];
    return bounds(limit, requests, limits);
  }
  if (limit.type !== 'Container') return [];
  const all = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  return all.flatMap(({ resources }) => bounds(limit, resources?.requests ?? {}, resources?.limits ?? {}));
}

const bounds = (limit: LimitRangeItem, requests: Amounts, limits: Amounts): string[] => [
  ...tooLittle(limit, requests, limits),
  ...tooMuch(limit, requests, limits),
  ...tooFarApart(limit, requests, limits),
];

const entries = (amounts: Amounts | undefined): [string, string][] =>
  Object.entries(amounts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

function tooLittle({ type, min }: LimitRangeItem, requests: Amounts, limits: Amounts): string[] {
  return entries(min).flatMap(([name, bound]) => {
    const text = `minimum ${name} usage per ${type} is ${bound}`;
    const [request, limit] = [requests[name], limits[name]];
    if (request === undefined) return [`${text}.  No request is specified`];
    if (compareQuantities(request, bound) < 0) return [`${text}, but request is ${request}`];
    return limit !== undefined && compareQuantities(limit, bound) < 0 ? [`${text}, but limit is ${limit}`] : [];
  });
}

function tooMuch({ type, max }: LimitRangeItem, requests: Amounts, limits: Amounts): string[] {
  return entries(max).flatMap(([name, bound]) => {
    const text = `maximum ${name} usage per ${type} is ${bound}`;
    const [request, limit] = [requests[name], limits[name]];
    if (limit === undefined) return [`${text}.  No limit is specified`];
    if (compareQuantities(limit, bound) > 0) return [`${text}, but limit is ${limit}`];
    return request !== undefined && compareQuantities(request, bound) > 0 ? [`${text}, but request is ${request}`] : [];
  });
}

/** Claims have no limits. */
function tooMuchRequested({ type, max }: LimitRangeItem, requests: Amounts): string[] {
  return entries(max).flatMap(([name, bound]) => {
    const text = `maximum ${name} usage per ${type} is ${bound}`;
    const request = requests[name];
    if (request === undefined) return [`${text}.  No request is specified`];
    return compareQuantities(request, bound) > 0 ? [`${text}, but request is ${request}`] : [];
  });
}

function tooFarApart({ type, maxLimitRequestRatio }: LimitRangeItem, requests: Amounts, limits: Amounts): string[] {
  return entries(maxLimitRequestRatio).flatMap(([name, bound]) => {
    const text = `${name} max limit to request ratio per ${type} is ${bound}`;
    const request = parseQuantity(requests[name] ?? '0').nanos;
    const limit = parseQuantity(limits[name] ?? '0').nanos;
    if (request === 0n) return [`${text}, but no request is specified or request is 0`];
    if (limit === 0n) return [`${text}, but no limit is specified or limit is 0`];
    const isTooFar = limit * 1_000_000_000n > parseQuantity(bound).nanos * request;
    return isTooFar ? [`${text}, but provided ratio is ${(Number(limit) / Number(request)).toFixed(6)}`] : [];
  });
}

/** What the containers need together, or one init container alone where that is more. */
function podAmounts({ containers, initContainers }: Pod['spec'], part: 'requests' | 'limits'): Amounts {
  const total: Record<string, string> = {};
  for (const { resources } of containers ?? []) {
    for (const [name, quantity] of Object.entries(resources?.[part] ?? {})) {
      total[name] = total[name] === undefined ? quantity : addQuantities(total[name], quantity);
    }
  }
  for (const { resources } of initContainers ?? []) {
    for (const [name, quantity] of Object.entries(resources?.[part] ?? {})) {
      if (total[name] === undefined || compareQuantities(quantity, total[name]) > 0) total[name] = quantity;
    }
  }
  return total;
}
