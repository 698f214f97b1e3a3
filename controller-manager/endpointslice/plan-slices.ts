import type {
  DiscoveryV1EndpointPort,
  Endpoint,
  EndpointSlice,
  Pod,
  Service,
} from '../../shared/api/generated/types.js';
import { endpointslices, services } from '../../shared/api/generated/resources.js';
import { stableJson } from '../../shared/api/hash.js';
import { controllerReference } from '../../shared/api/owner.js';
import {
  ANNOTATION_ENDPOINTS_TRIGGER_TIME,
  LABEL_ENDPOINTSLICE_MANAGED_BY,
  LABEL_HEADLESS,
  LABEL_SERVICE_NAME,
} from '../../shared/api/well-known.js';
import { typeMeta } from '../../shared/api/object.js';
import { addressTypes, podEndpoint, triggerTime, type AddressType, type PodEndpoint } from './pod-endpoints.js';

/** Value of the managed-by label: other controllers' slices are left alone. */
export const sliceManager = 'endpointslice-controller.k8s.io';
export const maxEndpointsPerSlice = 100;

/** A slice before it has a name. */
export type NewSlice = Pick<EndpointSlice, 'apiVersion' | 'kind' | 'addressType' | 'endpoints' | 'ports'> & {
  metadata: Partial<EndpointSlice['metadata']>;
};

export interface SlicesPlan {
  readonly create: readonly NewSlice[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

export interface SlicesInput {
  readonly service: Service;
  /** Those that the selector matches. */
  readonly pods: readonly Pod[];
  /** Slices of the Service under our management. */
  readonly slices: readonly EndpointSlice[];
  readonly zoneOf: (nodeName: string | undefined) => string | undefined;
}

/**
 * The writes that make the slices equal to the pods, as few as possible: endpoints stay in the slice in which they are,
 * the gaps are filled first, then the fullest slice that can take the rest, then new ones.
 */
export function planSlices(input: SlicesInput): SlicesPlan {
  const { service, slices } = input;
  const types = addressTypes(service);
  const remove = slices.filter(({ addressType }) => !types.includes(addressType as AddressType));
  const plans = types.map((type) => planType(input, type));
  return {
    create: plans.flatMap((plan) => plan.create),
    update: plans.flatMap((plan) => plan.update),
    remove: [...remove, ...plans.flatMap((plan) => plan.remove)],
  };
}

function planType(input: SlicesInput, type: AddressType): SlicesPlan {
  const { service, pods, zoneOf } = input;
  const desired = pods.flatMap((pod) => podEndpoint(service, pod, type, zoneOf(pod.spec?.nodeName)) ?? []);
  const existing = input.slices.filter(({ addressType }) => addressType === type);
  const groups = groupBy(desired, ({ ports }) => portsKey(ports));
  const existingGroups = groupBy(existing, ({ ports }) => portsKey(ports ?? []));
  const metadata = sliceMetadata(service, triggerTime(service, pods));
  const create: NewSlice[] = [];
  const update: EndpointSlice[] = [];
  const remove: EndpointSlice[] = [];
  for (const [key, group] of groups) {
    const slots = fill(existingGroups.get(key) ?? [], group);
    for (const { slice, endpoints, changed } of slots) {
      if (!slice) create.push(newSlice(type, metadata, group[0]?.ports ?? [], endpoints));
      else if (endpoints.length === 0) remove.push(slice);
      else if (changed || !hasLabels(slice, metadata)) update.push(withEndpoints(slice, metadata, endpoints));
    }
  }
  for (const [key, group] of existingGroups) if (!groups.has(key)) remove.push(...group);
  return keepPlaceholder({ create, update, remove }, existing, { type, metadata });
}

/** A Service without endpoints keeps one empty slice: consumers see that it is looked after. */
function keepPlaceholder(
  plan: { create: NewSlice[]; update: EndpointSlice[]; remove: EndpointSlice[] },
  existing: readonly EndpointSlice[],
  made: { type: AddressType; metadata: SliceMetadata },
): SlicesPlan {
  if (plan.create.length > 0 || existing.length > plan.remove.length) return plan;
  const isPlaceholder = (slice: EndpointSlice): boolean =>
    (slice.endpoints ?? []).length + (slice.ports ?? []).length === 0;
  const kept = plan.remove.find(isPlaceholder);
  if (!kept) return { ...plan, create: [newSlice(made.type, made.metadata, [], [])] };
  const update = hasLabels(kept, made.metadata) ? [] : [withEndpoints(kept, made.metadata, [])];
  return { create: [], update, remove: plan.remove.filter((slice) => slice !== kept) };
}

interface Slot {
  readonly slice: EndpointSlice | undefined;
  readonly endpoints: Endpoint[];
  changed: boolean;
}

/** Distributes the endpoints of one port set over its slices and new ones. */
function fill(slices: readonly EndpointSlice[], desired: readonly PodEndpoint[]): Slot[] {
  const missing = new Map(desired.map(({ endpoint }) => [identity(endpoint), endpoint]));
  const slots = slices.map((slice) => keep(slice, missing));
  let rest = [...missing.values()];
  // Slices that are written anyway take new endpoints first.
  for (const slot of slots.filter(({ changed }) => changed)) rest = pour(slot, rest);
  if (rest.length > 0) {
    const roomy = slots
      .filter(
        (slot) => !slot.changed && slot.endpoints.length + (rest.length % maxEndpointsPerSlice) <= maxEndpointsPerSlice,
      )
      .toSorted((a, b) => b.endpoints.length - a.endpoints.length)[0];
    if (roomy && rest.length % maxEndpointsPerSlice > 0) {
      const count = rest.length % maxEndpointsPerSlice;
      pour(roomy, rest.slice(0, count));
      rest = rest.slice(count);
    }
  }
  while (rest.length > 0) {
    slots.push({ slice: undefined, endpoints: rest.slice(0, maxEndpointsPerSlice), changed: true });
    rest = rest.slice(maxEndpointsPerSlice);
  }
  return slots;
}

/** Keeps the endpoints of a slice that are still wanted, in their newest form; takes them off the missing ones. */
function keep(slice: EndpointSlice, missing: Map<string, Endpoint>): Slot {
  const slot: Slot = { slice, endpoints: [], changed: false };
  for (const endpoint of slice.endpoints ?? []) {
    const key = identity(endpoint);
    const wanted = missing.get(key);
    missing.delete(key);
    if (wanted) slot.endpoints.push(wanted);
    if (!wanted || endpointText(wanted) !== endpointText(endpoint)) slot.changed = true;
  }
  return slot;
}

function pour(slot: Slot, endpoints: readonly Endpoint[]): Endpoint[] {
  const room = maxEndpointsPerSlice - slot.endpoints.length;
  const taken = endpoints.slice(0, Math.max(0, room));
  if (taken.length > 0) slot.changed = true;
  slot.endpoints.push(...taken);
  return endpoints.slice(taken.length);
}

const identity = ({ targetRef, addresses }: Endpoint): string => targetRef?.uid ?? addresses.join(',');

/** The server may leave empty texts out. */
function endpointText(endpoint: Endpoint): string {
  return stableJson(Object.fromEntries(Object.entries(endpoint).filter(([, value]) => value !== '')));
}

type SliceMetadata = Partial<EndpointSlice['metadata']> & { labels: Record<string, string> };

function sliceMetadata(service: Service, trigger: string): SliceMetadata {
  const { name, namespace, labels } = service.metadata;
  return {
    generateName: `${name.slice(0, 57)}-`,
    ...(namespace ? { namespace } : {}),
    labels: {
      ...withoutReserved(labels),
      ...(service.spec?.clusterIP === 'None' ? { [LABEL_HEADLESS]: '' } : {}),
      [LABEL_SERVICE_NAME]: name,
      [LABEL_ENDPOINTSLICE_MANAGED_BY]: sliceManager,
    },
    annotations: { [ANNOTATION_ENDPOINTS_TRIGGER_TIME]: trigger },
    ownerReferences: [controllerReference(service, services)],
  };
}

function withoutReserved(labels: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { [LABEL_HEADLESS]: _, [LABEL_SERVICE_NAME]: _name, [LABEL_ENDPOINTSLICE_MANAGED_BY]: _by, ...rest } = labels;
  return rest;
}

const hasLabels = (slice: EndpointSlice, { labels }: SliceMetadata): boolean =>
  stableJson(slice.metadata.labels ?? {}) === stableJson(labels);

function newSlice(
  addressType: AddressType,
  metadata: SliceMetadata,
  ports: readonly DiscoveryV1EndpointPort[],
  endpoints: Endpoint[],
): NewSlice {
  return { ...typeMeta(endpointslices), metadata, addressType, endpoints, ports: [...ports] };
}

function withEndpoints(
  slice: EndpointSlice,
  { labels, annotations }: SliceMetadata,
  endpoints: Endpoint[],
): EndpointSlice {
  const metadata = { ...slice.metadata, labels, annotations: { ...slice.metadata.annotations, ...annotations } };
  return { ...slice, metadata, endpoints };
}

function portsKey(ports: readonly DiscoveryV1EndpointPort[]): string {
  const texts = ports.map(
    ({ name = '', port, protocol = 'TCP', appProtocol = '' }) => `${name}|${port}|${protocol}|${appProtocol}`,
  );
  return texts.sort().join(',');
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
