import { preferredResources, DiscoveryReader } from '../../shared/client/discovery.js';
import type { Client } from '../../shared/client/client.js';
import type { Clock } from '../../shared/clock/clock.js';
import {
  hashOfConfig,
  newKey,
  readConfig,
  writeConfig,
  type EncryptionConfig,
  type EncryptionKey,
} from '../../shared/encryption/key-file.js';
import { Failure } from './failure.js';

/** Objects of one resource that are kept in one way. */
export interface KeptObjects {
  readonly resource: string;
  /** '' for objects that are not encrypted. */
  readonly keyId: string;
  readonly count: number;
  /** A write would keep them differently. */
  readonly isStale: boolean;
}

/** What the server says of its encryption. */
export interface ServedEncryption {
  /** Of the key file that it uses; undefined while it looks at its records. */
  readonly hash: string | undefined;
  readonly objects: readonly KeptObjects[];
}

export interface RotateOptions {
  readonly path: string;
  readonly client: Client;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Other resources to encrypt from now on. */
  readonly resources?: readonly string[];
  readonly say: (step: string) => void;
}

/** What to do next. Every state of the file leads on: a rotation that was interrupted goes on where it was. */
export type RotateStep =
  /** The new key is at the end of the file first: whoever still encrypts with the old one can read it already. */
  | { readonly type: 'write'; readonly config: EncryptionConfig; readonly why: string }
  | { readonly type: 'rewrite' }
  | { readonly type: 'done' };

const takeTimeoutMs = 90_000;
const pollMs = 50;
const pageSize = 500;
const width = 8;
const maxRounds = 100;

/** The order of a rotation: add the key, use it, write every object again, remove the others. */
export function nextStep(
  config: EncryptionConfig,
  wanted: {
    readonly resources?: readonly string[] | undefined;
    readonly hasStale: boolean;
    readonly hasBegun: boolean;
  },
  makeKey: (former: readonly EncryptionKey[]) => EncryptionKey = newKey,
): RotateStep {
  const { keys, rotation } = config;
  const write = (why: string, change: Partial<EncryptionConfig>): RotateStep => ({
    type: 'write',
    config: { ...config, ...change },
    why,
  });
  if (rotation === undefined) {
    if (wanted.hasBegun) return { type: 'done' };
    const key = makeKey(keys);
    return write(`add ${key.id}`, { keys: [...keys, key], rotation: key.id });
  }
  const { resources } = wanted;
  if (resources && resources.join() !== config.resources.join())
    return write(`encrypt ${resources.join(', ')}`, { resources, identity: true });
  const key = keys.find(({ id }) => id === rotation);
  if (!key) throw new Failure(`the key file names ${rotation}, but has no such key`);
  if (keys[0] !== key)
    return write(`encrypt with ${key.id}`, { keys: [key, ...keys.filter((other) => other !== key)] });
  if (wanted.hasStale) return { type: 'rewrite' };
  const removed = keys.slice(1).map(({ id }) => id);
  return write(removed.length > 0 ? `remove ${removed.join(', ')}` : 'finish', {
    keys: [key],
    identity: false,
    rotation: undefined,
  });
}

/** Puts a new key in place of all others while the server runs. Returns its id. Goes on with a rotation that was interrupted. */
export async function rotate(options: RotateOptions): Promise<string> {
  const { path, say } = options;
  let hasBegun = false;
  for (let round = 0; round < maxRounds; round++) {
    const config = readConfig(path);
    const served = await inUse(options, config);
    const hasStale = served.objects.some(({ isStale }) => isStale);
    const step = nextStep(config, { resources: options.resources, hasStale, hasBegun });
    hasBegun = true;
    if (step.type === 'done') return config.keys[0].id;
    if (step.type === 'write') {
      say(step.why);
      writeConfig(path, step.config);
    } else await rewriteStale(options, served.objects);
  }
  throw new Failure('objects are written with the old key again and again; is another server using this store?');
}

/** Waits until the server uses just this content of the file. */
async function inUse({ client, clock, signal }: RotateOptions, config: EncryptionConfig): Promise<ServedEncryption> {
  const hash = hashOfConfig(config);
  const endMs = clock.now() + takeTimeoutMs;
  for (;;) {
    const served = await readServed(client, signal);
    if (served.hash === hash) return served;
    if (clock.now() > endMs)
      throw new Failure(
        'the API server does not take the key file; its log says why. The rotation goes on when called again',
      );
    await clock.sleep(pollMs, signal);
  }
}

export async function readServed(client: Client, signal: AbortSignal): Promise<ServedEncryption> {
  const { status, body } = await client.raw({ path: '/metrics', signal });
  if (status !== 200) throw new Failure(`GET /metrics answered ${status}`);
  let hash: string | undefined;
  const objects: KeptObjects[] = [];
  for (const line of body.toString('utf8').split('\n')) {
    const [, name = '', labels = '', value = ''] = /^(apiserver_\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    const label = (of: string): string => new RegExp(`(?:^|,)${of}="([^"]*)"`).exec(labels)?.[1] ?? '';
    const count = Number(value);
    if (name === 'apiserver_encryption_config_controller_last_config_info' && count === 1) hash = label('hash');
    if (name === 'apiserver_storage_encrypted_objects' && count > 0)
      objects.push({ resource: label('resource'), keyId: label('key_id'), count, isStale: label('stale') === 'true' });
  }
  return { hash, objects };
}

/** Writes each object again of every resource that has stale ones: an update without a change, which the server does for the stale alone. */
async function rewriteStale({ client, signal, say }: RotateOptions, objects: readonly KeptObjects[]): Promise<void> {
  const discovery = await new DiscoveryReader(client).read(signal);
  const known = preferredResources(discovery).map(({ resource }) => resource);
  const names = new Set(objects.filter(({ isStale }) => isStale).map(({ resource }) => resource));
  for (const name of names) {
    const found = known.find((one) => name === (one.group === '' ? one.resource : `${one.resource}.${one.group}`));
    if (!found) throw new Failure(`${name} is encrypted, but the server does not serve it`);
    const stale = objects.filter((one) => one.resource === name && one.isStale);
    say(`write ${stale.reduce((sum, { count }) => sum + count, 0)} ${name} again`);
    const prefix = found.group === '' ? `/api/${found.version}` : `/apis/${found.group}/${found.version}`;
    const collection = `${prefix}/${found.resource}`;
    for await (const page of pagesOf(client, collection, signal)) {
      await inParallel(page, async ({ metadata }) => {
        const scope = metadata.namespace === undefined ? prefix : `${prefix}/namespaces/${metadata.namespace}`;
        await touch(client, `${scope}/${found.resource}/${encodeURIComponent(metadata.name)}`, signal);
      });
    }
  }
}

interface NamedObject {
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

async function* pagesOf(client: Client, collection: string, signal: AbortSignal): AsyncGenerator<NamedObject[]> {
  const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
  let next = '';
  do {
    const path = `${collection}?limit=${pageSize}${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`;
    const { status, body } = await client.raw({ path, headers: { accept }, signal });
    // The next round takes what was missed.
    if (status === 410) return;
    if (status !== 200) throw new Failure(`GET ${collection} answered ${status}`);
    const list = JSON.parse(body.toString('utf8')) as { metadata: { continue?: string }; items: NamedObject[] };
    yield list.items;
    next = list.metadata.continue ?? '';
  } while (next !== '');
}

/** One that is gone, or that somebody else has just written, needs nothing; anything else is a failure. */
async function touch(client: Client, path: string, signal: AbortSignal): Promise<void> {
  const headers = { 'content-type': 'application/merge-patch+json' };
  const { status, body } = await client.raw({ method: 'PATCH', path, headers, body: '{}', signal });
  if (status === 200 || status === 404 || status === 409) return;
  const { message } = JSON.parse(body.toString('utf8')) as { message?: string };
  throw new Failure(`PATCH ${path} answered ${status}: ${message ?? ''}`);
}

async function inParallel<T>(items: readonly T[], job: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const work = async (): Promise<void> => {
    for (const item of rest) await job(item);
  };
  await Promise.all(Array.from({ length: width }, work));
}
