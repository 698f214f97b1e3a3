import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { ManifestError, readManifests, type Position } from '../shared/manifest/manifest.js';
import { Failure } from './cluster/failure.js';
import { kustomizationOf } from './kustomize/source.js';
import type { AnyObject } from './server-api.js';

/** One object of a manifest, and where it stands. */
export interface Manifest {
  readonly object: AnyObject;
  /** As kubectl names it in messages: the path, or STDIN. */
  readonly source: string;
  readonly locate: (path: readonly (string | number)[]) => Position;
  /** Where the name of a field stands. */
  readonly locateKey: (path: readonly (string | number)[]) => Position;
}

const extensions = new Set(['.json', '.yaml', '.yml']);
const maxFileBytes = 64 * 1024 * 1024;

async function readKustomization(directory: string): Promise<Manifest[]> {
  const { buildKustomization } = await import('./kustomize/build.js');
  // What is built has no place in a file.
  const locate = (): Position => ({ line: 1, column: 1 });
  return buildKustomization(directory).map((object) => ({ object, source: directory, locate, locateKey: locate }));
}

/** Reads every object of files, directories and `-`; the items of Lists stand for themselves. @throws Failure */
export async function readManifestSources(
  stdin: Readable,
  sources: readonly string[],
  isRecursive: boolean,
): Promise<Manifest[]> {
  if (sources.length === 0) throw new Failure('must specify one of -f and -k');
  const manifests: Manifest[] = [];
  for (const source of sources) {
    const folder = kustomizationOf(source);
    if (folder !== undefined) {
      manifests.push(...(await readKustomization(folder)));
      continue;
    }
    if (source === '-') {
      manifests.push(...readText(await readAll(stdin), 'STDIN'));
      continue;
    }
    if (/^https?:\/\//.test(source)) {
      manifests.push(...readText(await download(source), source));
      continue;
    }
    for (const file of filesOf(source, isRecursive)) manifests.push(...readText(readFileText(file), file));
  }
  return manifests;
}

function filesOf(source: string, isRecursive: boolean): string[] {
  let isDirectory: boolean;
  try {
    isDirectory = statSync(source).isDirectory();
  } catch {
    throw new Failure(`the path ${JSON.stringify(source)} does not exist`);
  }
  if (!isDirectory) return [source];
  const files = directoryFiles(source, isRecursive);
  if (files.length === 0) {
    throw new Failure(`error reading [${source}]: recognized file extensions are [.json .yaml .yml]`);
  }
  return files;
}

function directoryFiles(directory: string, isRecursive: boolean): string[] {
  const entries = readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return isRecursive ? directoryFiles(path, isRecursive) : [];
    return extensions.has(extname(entry.name)) ? [path] : [];
  });
}

function readFileText(file: string): string {
  if (statSync(file).size > maxFileBytes) throw new Failure(`${file}: larger than ${maxFileBytes} bytes`);
  return readFileSync(file, 'utf8');
}

const downloadAttempts = 3;

/** A manifest of a web server; one that has a failure of its own is asked again. @throws Failure */
async function download(url: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(url).catch((error: unknown) => {
      const { cause } = error as Error;
      throw new Failure(`unable to read URL "${url}": ${cause instanceof Error ? cause.message : String(error)}`);
    });
    if (response.status === 200 && response.body)
      return readAll(Readable.fromWeb(response.body as ReadableStream), url);
    if (response.status < 500 || attempt === downloadAttempts) {
      throw new Failure(
        `unable to read URL "${url}", server reported ${response.status} ${response.statusText}, status code=${response.status}`,
      );
    }
  }
}

async function readAll(stdin: Readable, name = 'STDIN'): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(chunk as Buffer);
    size += bytes.length;
    if (size > maxFileBytes) throw new Failure(`${name}: larger than ${maxFileBytes} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readText(text: string, source: string): Manifest[] {
  let documents;
  try {
    documents = readManifests(text, { file: source });
  } catch (error) {
    throw error instanceof ManifestError ? new Failure(error.message) : error;
  }
  return documents.flatMap(({ value, locate, locateKey }) => flatten(value, { source, locate, locateKey, path: [] }));
}

interface Place {
  readonly source: string;
  readonly locate: Manifest['locate'];
  readonly locateKey: Manifest['locateKey'];
  readonly path: readonly (string | number)[];
}

function flatten(value: unknown, place: Place): Manifest[] {
  const { source, locate, path } = place;
  const located = {
    source,
    locate: (inner: readonly (string | number)[]): Position => locate([...path, ...inner]),
    locateKey: (inner: readonly (string | number)[]): Position => place.locateKey([...path, ...inner]),
  };
  const { line, column } = locate(path);
  const at = `${source}:${line}:${column}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Failure(`${at}: not an object: a manifest is a mapping with apiVersion, kind and metadata`);
  }
  const object = value as AnyObject;
  const missing = ['apiVersion', 'kind'].filter((field) => typeof object[field] !== 'string' || object[field] === '');
  if (missing.length > 0)
    throw new Failure(`${at}: error validating data: [${missing.map((f) => `${f} not set`).join(', ')}]`);
  const { items } = object;
  if (Array.isArray(items) && object.kind.endsWith('List')) {
    return items.flatMap((item, index) => flatten(item, { ...place, path: [...path, 'items', index] }));
  }
  if (typeof object.metadata !== 'object' || object.metadata === null || Array.isArray(object.metadata)) {
    if (object.metadata !== undefined && object.metadata !== null)
      throw new Failure(`${at}: metadata is not a mapping`);
    return [{ object: { ...object, metadata: {} }, ...located }];
  }
  return [{ object, ...located }];
}
