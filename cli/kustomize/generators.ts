import { createHash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import { Failure } from '../cluster/failure.js';
import type { AnyObject } from '../server-api.js';
import { readInside, type Generator, type GeneratorOptions, type Kustomization } from './kustomization.js';
import { newResource, wasCalled, type Resource } from './resource.js';

/** Makes the ConfigMaps and Secrets of a kustomization, or merges them into those of its bases. */
export function generate(resources: Resource[], kustomization: Kustomization): void {
  const { directory, generatorOptions, configMapGenerator, secretGenerator } = kustomization;
  for (const [kind, generators] of [
    ['ConfigMap', configMapGenerator],
    ['Secret', secretGenerator],
  ] as const) {
    for (const generator of generators) {
      const options = mergedOptions(generatorOptions, generator.options ?? {});
      const made = newResource(objectOf(kind, generator, options, directory), options.disableNameSuffixHash !== true);
      place(resources, made, generator);
    }
  }
}

function mergedOptions(general: GeneratorOptions, own: GeneratorOptions): GeneratorOptions {
  return {
    ...general,
    ...own,
    labels: { ...general.labels, ...own.labels },
    annotations: { ...general.annotations, ...own.annotations },
    disableNameSuffixHash: general.disableNameSuffixHash === true || own.disableNameSuffixHash === true,
    immutable: general.immutable === true || own.immutable === true,
  };
}

function objectOf(
  kind: 'ConfigMap' | 'Secret',
  generator: Generator,
  options: GeneratorOptions,
  directory: string,
): AnyObject {
  const { name, namespace, type } = generator;
  if (!name) throw new Failure('missing metadata.name in the generator of a ' + kind);
  const { labels = {}, annotations = {}, immutable = false } = options;
  const entries = contentOf(generator, directory);
  const isSecret = kind === 'Secret';
  const data = entries.flatMap(([key, bytes]) =>
    isSecret || isUtf8(bytes) ? [[key, bytes.toString(isSecret ? 'base64' : 'utf8')]] : [],
  );
  const binary = isSecret ? [] : entries.filter(([, bytes]) => !isUtf8(bytes));
  return {
    apiVersion: 'v1',
    kind,
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    ...(data.length > 0 ? { data: Object.fromEntries(data) as object } : {}),
    ...(binary.length > 0
      ? { binaryData: Object.fromEntries(binary.map(([key, bytes]) => [key, bytes.toString('base64')])) }
      : {}),
    ...(isSecret ? { type: type ?? 'Opaque' } : {}),
    ...(immutable ? { immutable } : {}),
  };
}

/** Keys and contents: files of variables first, then files, then literals, each key once. */
function contentOf(generator: Generator, directory: string): [key: string, bytes: Buffer][] {
  const { literals = [], files = [], envs = [], env, name } = generator;
  const entries: [string, Buffer][] = [];
  for (const path of [...envs, ...(env === undefined ? [] : [env])]) {
    for (const line of readInside(directory, path).toString('utf8').split(/\r?\n/)) {
      const text = line.trimStart();
      if (text === '' || text.startsWith('#')) continue;
      entries.push(pair(text, true));
    }
  }
  for (const file of files) {
    const [key, path] = file.includes('=') ? split(file) : [basename(file), file];
    entries.push([key, readInside(directory, path)]);
  }
  for (const literal of literals) entries.push(pair(literal, false));
  const seen = new Set<string>();
  for (const [key] of entries) {
    if (seen.has(key))
      throw new Failure(`cannot add key ${JSON.stringify(key)}, another key by that name already exists in ${name}`);
    seen.add(key);
  }
  return entries;
}

function split(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** `key=value`, whose value may stand in quotes. In files of variables a bare name takes the value of the environment. */
function pair(text: string, isFromFile: boolean): [string, Buffer] {
  if (!text.includes('=')) {
    if (isFromFile) return [text, Buffer.from(process.env[text] ?? '')];
    throw new Failure(`invalid literal source ${text}, expected key=value`);
  }
  const [key, value] = split(text);
  const [, , quoted] = isFromFile ? [] : (/^(["'])([^]*)\1$/.exec(value) ?? []);
  return [key, Buffer.from(quoted ?? value)];
}

function place(resources: Resource[], made: Resource, { name, namespace, behavior = 'create' }: Generator): void {
  const found = resources.find((one) => one.object.kind === made.object.kind && wasCalled(one, name, namespace));
  if (behavior === 'create') {
    if (found) throw new Failure(`may not add resource with an already registered id: ${made.object.kind} ${name}`);
    resources.push(made);
    return;
  }
  if (!found) throw new Failure(`${made.object.kind} ${name} does not exist; cannot merge or replace`);
  const { object } = found;
  const { metadata, ...content } = made.object;
  for (const field of ['labels', 'annotations'] as const) {
    const own = (metadata as Record<string, unknown>)[field] as object | undefined;
    if (own)
      (object.metadata as Record<string, unknown>)[field] = {
        ...((object.metadata as Record<string, unknown>)[field] as object),
        ...own,
      };
  }
  for (const field of ['data', 'binaryData']) {
    const own = content[field] as object | undefined;
    if (behavior === 'replace') delete object[field];
    if (own) object[field] = { ...(object[field] as object | undefined), ...own };
  }
  if (content['immutable'] === true) object['immutable'] = true;
}

const alphabet: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };

/** The hash that kustomize puts behind a name: no vowels, so that no word comes out. */
export function contentHash(object: AnyObject): string {
  const { kind, data = '', binaryData, stringData, type } = object;
  const hashed = {
    ...(binaryData ? { binaryData: sorted(binaryData) } : {}),
    data: sorted(data),
    kind,
    // kustomize leaves the name empty here: prefixes do not change the hash.
    name: '',
    ...(stringData ? { stringData: sorted(stringData) } : {}),
    ...(kind === 'Secret' ? { type: type ?? '' } : {}),
  };
  const text = JSON.stringify(hashed).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const hex = createHash('sha256').update(text).digest('hex').slice(0, 10);
  return hex.replace(/[013ae]/g, (character) => alphabet[character] ?? character);
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
