import type {
  EndpointSlice,
  PriorityClass,
  ResourceQuota,
  LimitRange,
  ServiceAccount,
  StorageClass,
} from '../../shared/api/generated/types.js';
import type { AnyMetadata } from '../server-api.js';
import { addHead, mapText, sortedEntries } from './format.js';
import type { Lines } from './lines.js';

const head = (metadata: unknown): AnyMetadata => metadata as AnyMetadata;

export function describeServiceAccount(lines: Lines, { metadata, imagePullSecrets }: ServiceAccount): void {
  addHead(lines, head(metadata), { withNamespace: true });
  const names = (imagePullSecrets ?? []).map(({ name = '' }) => name);
  lines.addList(0, 'Image pull secrets:', names);
}

/** All annotations in one cell, the note of apply included; a value that ends its line leaves an empty one. */
function addRawAnnotations(lines: Lines, annotations: Readonly<Record<string, string>> | undefined): void {
  const text = mapText(annotations);
  lines.add(0, 'Annotations:', text.trimEnd());
  if (text.endsWith('\n')) lines.blank();
}

export function describePriorityClass(lines: Lines, object: PriorityClass): void {
  const { metadata, value, globalDefault, preemptionPolicy, description } = object;
  lines.add(0, 'Name:', metadata.name);
  lines.add(0, 'Value:', String(value));
  lines.add(0, 'GlobalDefault:', String(globalDefault ?? false));
  lines.add(0, 'PreemptionPolicy:', preemptionPolicy ?? '');
  lines.add(0, 'Description:', description ?? '');
  addRawAnnotations(lines, metadata.annotations);
}

export function describeStorageClass(lines: Lines, object: StorageClass): void {
  const { metadata, provisioner, parameters, allowVolumeExpansion, mountOptions, reclaimPolicy, volumeBindingMode } =
    object;
  const isDefault = metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
  lines.add(0, 'Name:', metadata.name);
  lines.add(0, 'IsDefaultClass:', isDefault ? 'Yes' : 'No');
  addRawAnnotations(lines, metadata.annotations);
  lines.add(0, 'Provisioner:', provisioner);
  lines.add(0, 'Parameters:', mapText(parameters));
  lines.add(
    0,
    'AllowVolumeExpansion:',
    allowVolumeExpansion === undefined ? '<unset>' : allowVolumeExpansion ? 'True' : 'False',
  );
  if (!mountOptions?.length) lines.add(0, 'MountOptions:', '<none>');
  else {
    lines.add(0, 'MountOptions:');
    for (const option of mountOptions) lines.add(1, option);
  }
  lines.add(0, 'ReclaimPolicy:', reclaimPolicy ?? '');
  lines.add(0, 'VolumeBindingMode:', volumeBindingMode ?? '');
}

export function describeEndpointSlice(lines: Lines, { metadata, addressType, ports, endpoints }: EndpointSlice): void {
  addHead(lines, head(metadata), { withNamespace: true });
  lines.add(0, 'AddressType:', addressType);
  if (!ports?.length) lines.add(0, 'Ports:', '<unset>');
  else {
    lines.add(0, 'Ports:');
    lines.add(1, 'Name', 'Port', 'Protocol');
    lines.add(1, '----', '----', '--------');
    for (const { name, port, protocol } of ports)
      lines.add(1, name || '<unset>', String(port ?? '<unset>'), protocol ?? 'TCP');
  }
  if (!endpoints?.length) lines.add(0, 'Endpoints:', '<none>');
  else lines.add(0, 'Endpoints:');
  for (const { addresses, conditions, hostname, targetRef, nodeName, zone } of endpoints ?? []) {
    lines.add(1, '- Addresses:', addresses.join(', '));
    lines.add(2, 'Conditions:');
    lines.add(3, 'Ready:', conditions?.ready === undefined ? '<unset>' : String(conditions.ready));
    lines.add(2, 'Hostname:', hostname ?? '<unset>');
    if (targetRef) lines.add(2, 'TargetRef:', `${targetRef.kind ?? ''}/${targetRef.name ?? ''}`);
    lines.add(2, 'NodeName:', nodeName ?? '<unset>');
    lines.add(2, 'Zone:', zone ?? '<unset>');
  }
}

function quotaRows(lines: Lines, { status }: ResourceQuota, level: number): void {
  for (const [name, hard] of sortedEntries(status?.hard)) lines.add(level, name, status?.used?.[name] ?? '0', hard);
}

export function describeResourceQuota(lines: Lines, quota: ResourceQuota): void {
  const { metadata, spec } = quota;
  lines.add(0, 'Name:', metadata.name);
  lines.add(0, 'Namespace:', metadata.namespace ?? '');
  if (spec?.scopes?.length) lines.add(0, 'Scopes:', spec.scopes.toSorted().join(', '));
  lines.add(0, 'Resource', 'Used', 'Hard');
  lines.add(0, '--------', '----', '----');
  quotaRows(lines, quota, 0);
}

function limitRows(lines: Lines, { spec }: LimitRange, level: number, indent = ''): void {
  for (const limit of spec?.limits ?? []) {
    const { min = {}, max = {}, default: byDefault = {}, defaultRequest = {}, maxLimitRequestRatio = {} } = limit;
    const names = new Set(
      [min, max, byDefault, defaultRequest, maxLimitRequestRatio].flatMap((map) => Object.keys(map)),
    );
    for (const name of [...names].sort()) {
      const cells = [min, max, defaultRequest, byDefault, maxLimitRequestRatio].map((map) => map[name] ?? '-');
      lines.add(level, indent + limit.type, name, ...cells);
    }
  }
}

const limitHead = ['Type', 'Resource', 'Min', 'Max', 'Default Request', 'Default Limit', 'Max Limit/Request Ratio'];
const limitRule = ['----', '--------', '---', '---', '---------------', '-------------', '-----------------------'];

export function describeLimitRange(lines: Lines, range: LimitRange): void {
  lines.add(0, 'Name:', range.metadata.name);
  lines.add(0, 'Namespace:', range.metadata.namespace ?? '');
  lines.add(0, ...limitHead);
  lines.add(0, ...limitRule);
  limitRows(lines, range, 0);
}

/** What a namespace limits, at the end of its description. */
export function describeNamespaceLimits(
  lines: Lines,
  quotas: readonly ResourceQuota[] | undefined,
  ranges: readonly LimitRange[] | undefined,
): void {
  if (quotas) {
    lines.blank();
    if (quotas.length === 0) lines.add(0, 'No resource quota.');
    else lines.add(0, 'Resource Quotas');
    for (const quota of quotas) {
      lines.add(1, 'Name:', quota.metadata.name);
      lines.add(1, 'Resource', 'Used', 'Hard');
      lines.add(1, '--------', '---', '---');
      quotaRows(lines, quota, 1);
    }
  }
  if (!ranges) return;
  lines.blank();
  if (ranges.length === 0) return lines.add(0, 'No LimitRange resource.');
  lines.add(0, 'Resource Limits');
  const indented = ([first = '', ...rest]: readonly string[]): string[] => [` ${first}`, ...rest];
  lines.add(0, ...indented(limitHead));
  lines.add(0, ...indented(limitRule));
  for (const range of ranges) limitRows(lines, range, 0, ' ');
}
