import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  Secret,
  Volume,
  VolumeProjection,
} from '../../shared/api/generated/types.js';
import type { ConfigSource } from '../container/environment.js';
import { fieldValue, type NodeFacts } from '../container/field-ref.js';
import { resourceFieldValue, type NodeAllocatable } from '../container/resource-field.js';
import { findContainer } from '../pod/pod-spec.js';
import type { Payload, PayloadFile } from './atomic-writer.js';

/** Gives tokens of the pod's ServiceAccount. */
export interface TokenRequester {
  token(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<string>;
}

export interface PayloadInput {
  readonly pod: Pod;
  readonly source: ConfigSource;
  readonly tokens: TokenRequester;
  readonly facts: NodeFacts;
  readonly allocatable: NodeAllocatable;
}

const standardMode = 0o644;
const hourSeconds = 3600;

/** The files that such a volume is to hold; undefined for a volume of another kind. Throws when an object is missing. */
export async function volumePayload(volume: Volume, input: PayloadInput): Promise<Payload | undefined> {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) return project({ configMap }, configMap.defaultMode ?? standardMode, input);
  if (secret) {
    const { secretName, ...rest } = secret;
    const source = { secret: { ...rest, ...(secretName ? { name: secretName } : {}) } };
    return project(source, secret.defaultMode ?? standardMode, input);
  }
  if (downwardAPI) return project({ downwardAPI }, downwardAPI.defaultMode ?? standardMode, input);
  if (!projected) return undefined;
  const files = new Map<string, PayloadFile>();
  for (const source of projected.sources ?? []) {
    for (const [path, file] of await project(source, projected.defaultMode ?? standardMode, input)) {
      files.set(path, file);
    }
  }
  return files;
}

async function project(source: VolumeProjection, mode: number, input: PayloadInput): Promise<Payload> {
  const namespace = input.pod.metadata.namespace ?? '';
  if (source.configMap) {
    const { name = '', items, optional } = source.configMap;
    const object = await input.source.configMap(namespace, name);
    if (!object && !optional) throw new Error(`configmap "${name}" not found`);
    return keyed(object ? configMapData(object) : new Map(), items, mode, optional, 'configmap');
  }
  if (source.secret) {
    const { name = '', items, optional } = source.secret;
    const object = await input.source.secret(namespace, name);
    if (!object && !optional) throw new Error(`secret "${name}" not found`);
    return keyed(object ? secretData(object) : new Map(), items, mode, optional, 'secret');
  }
  if (source.downwardAPI) return downward(source.downwardAPI.items ?? [], mode, input);
  if (source.serviceAccountToken) {
    const { path, audience, expirationSeconds = hourSeconds } = source.serviceAccountToken;
    const token = await input.tokens.token(input.pod, audience, expirationSeconds);
    return new Map([[path, { data: Buffer.from(token), ...tokenOwner(input.pod, mode) }]]);
  }
  throw new Error('this projected source is not supported');
}

/** All keys, or those that `items` picks, each with its own mode. */
function keyed(
  data: ReadonlyMap<string, Buffer>,
  items: readonly KeyToPath[] | undefined,
  mode: number,
  optional: boolean | undefined,
  kind: string,
): Payload {
  const files = new Map<string, PayloadFile>();
  if (!items) {
    for (const [key, value] of data) files.set(key, { data: value, mode });
    return files;
  }
  for (const item of items) {
    const value = data.get(item.key);
    if (value) files.set(item.path, { data: value, mode: item.mode ?? mode });
    else if (!optional) throw new Error(`${kind} references non-existent ${kind} key: ${item.key}`);
  }
  return files;
}

function configMapData(object: ConfigMap): Map<string, Buffer> {
  const data = new Map<string, Buffer>();
  for (const [key, value] of Object.entries(object.data ?? {})) data.set(key, Buffer.from(value));
  for (const [key, value] of Object.entries(object.binaryData ?? {})) data.set(key, Buffer.from(value, 'base64'));
  return data;
}

function secretData(object: Secret): Map<string, Buffer> {
  return new Map(Object.entries(object.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}

function downward(items: readonly DownwardAPIVolumeFile[], mode: number, input: PayloadInput): Payload {
  const files = new Map<string, PayloadFile>();
  for (const item of items) {
    files.set(item.path, { data: Buffer.from(downwardValue(item, input)), mode: item.mode ?? mode });
  }
  return files;
}

function downwardValue(item: DownwardAPIVolumeFile, { pod, facts, allocatable }: PayloadInput): string {
  if (item.fieldRef) return fieldValue(item.fieldRef.fieldPath, pod, facts);
  if (!item.resourceFieldRef) return '';
  const container = findContainer(pod, item.resourceFieldRef.containerName ?? '');
  if (!container) throw new Error(`container ${item.resourceFieldRef.containerName ?? ''} not found`);
  return resourceFieldValue(item.resourceFieldRef, pod, container, allocatable);
}

/** A token is for its reader only: the group of the volume, or the one user that all containers run as. */
function tokenOwner(pod: Pod, mode: number): { mode: number; uid?: number } {
  const shared = pod.spec.securityContext;
  const users = new Set(
    pod.spec.containers.map((container) => container.securityContext?.runAsUser ?? shared?.runAsUser),
  );
  const [user] = users;
  if (users.size === 1 && user !== undefined) return { mode: 0o600, uid: user };
  return { mode: shared?.fsGroup === undefined ? mode : 0o600 };
}
