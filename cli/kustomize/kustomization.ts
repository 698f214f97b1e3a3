import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { isObject } from '../../shared/api/json.js';
import { ManifestError, readManifests } from '../../shared/manifest/manifest.js';
import { Failure } from '../cluster/failure.js';

/** Which objects a patch or a replacement means; names and kinds are regular expressions. */
export interface Selector {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly annotationSelector?: string;
}
export interface GeneratorOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly disableNameSuffixHash?: boolean;
  readonly immutable?: boolean;
}
export interface Generator {
  readonly name: string;
  readonly namespace?: string;
  readonly behavior?: 'create' | 'merge' | 'replace';
  readonly literals?: readonly string[];
  readonly files?: readonly string[];
  readonly envs?: readonly string[];
  readonly env?: string;
  /** Of a Secret. */
  readonly type?: string;
  readonly options?: GeneratorOptions;
}
export interface Patch {
  readonly path?: string;
  readonly patch?: string;
  readonly target?: Selector;
}
export interface FieldOptions {
  readonly delimiter?: string;
  readonly index?: number;
  readonly create?: boolean;
}
export interface Replacement {
  readonly path?: string;
  readonly source?: Selector & { readonly fieldPath?: string; readonly options?: FieldOptions };
  readonly targets?: readonly {
    readonly select: Selector;
    readonly reject?: readonly Selector[];
    readonly fieldPaths?: readonly string[];
    readonly options?: FieldOptions;
  }[];
}
export interface Image {
  readonly name: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly tagSuffix?: string;
  readonly digest?: string;
}
export interface LabelSet {
  readonly pairs?: Readonly<Record<string, string>>;
  readonly includeSelectors?: boolean;
  readonly includeTemplates?: boolean;
}

/** The file kustomization.yaml, with the older names of its fields under the newer. */
export interface Kustomization {
  readonly directory: string;
  readonly resources: readonly string[];
  readonly components: readonly string[];
  readonly namespace?: string;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly labels: readonly LabelSet[];
  readonly commonAnnotations: Readonly<Record<string, string>>;
  readonly configMapGenerator: readonly Generator[];
  readonly secretGenerator: readonly Generator[];
  readonly generatorOptions: GeneratorOptions;
  readonly images: readonly Image[];
  readonly replicas: readonly { readonly name: string; readonly count: number }[];
  readonly patches: readonly Patch[];
  readonly replacements: readonly Replacement[];
  readonly isFifo: boolean;
}

const fileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
const unsupported = new Set([
  'buildMetadata',
  'configurations',
  'crds',
  'generators',
  'helmCharts',
  'helmChartInflationGenerator',
  'helmGlobals',
  'openapi',
  'transformers',
  'validators',
  'vars',
]);
const known = new Set([
  'apiVersion',
  'kind',
  'metadata',
  'resources',
  'bases',
  'components',
  'namespace',
  'namePrefix',
  'nameSuffix',
  'labels',
  'commonLabels',
  'commonAnnotations',
  'configMapGenerator',
  'secretGenerator',
  'generatorOptions',
  'images',
  'imageTags',
  'replicas',
  'patches',
  'patchesStrategicMerge',
  'patchesJson6902',
  'replacements',
  'sortOptions',
]);

/** Whether a path is a folder with a kustomization. */
export const isKustomization = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

/** Reads a file that a kustomization names; those outside its folder are not its own to read. @throws Failure */
export function readInside(directory: string, path: string): Buffer {
  const file = join(directory, path);
  try {
    const way = relative(realpathSync(directory), realpathSync(file));
    if (way.startsWith('..')) throw new Failure(`security; file '${file}' is not in or below '${directory}'`);
    return readFileSync(file);
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`${file}: ${(error as Error).message}`);
  }
}

/** Reads the one kustomization file of a folder. @throws Failure */
export function readKustomization(directory: string): Kustomization {
  if (!existsSync(directory)) {
    const path = resolve(directory);
    throw new Failure(
      `must build at directory: not a valid directory: evalsymlink failure on '${directory}' : lstat ${path}: no such file or directory`,
    );
  }
  const files = fileNames.map((name) => join(directory, name)).filter((file) => existsSync(file));
  const [file] = files;
  if (file === undefined)
    throw new Failure(
      `unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${resolve(directory)}'`,
    );
  if (files.length > 1) throw new Failure(`Found multiple kustomization files under: ${directory}`);
  const fields = readOne(file);
  for (const name of Object.keys(fields)) {
    if (unsupported.has(name))
      throw new Failure(`${file}: knarr does not know ${JSON.stringify(name)}; kubectl kustomize does`);
    if (!known.has(name))
      throw new Failure(`invalid Kustomization: ${file}: json: unknown field ${JSON.stringify(name)}`);
  }
  return fromFields(directory, fields, file);
}

function fromFields(directory: string, fields: Readonly<Record<string, unknown>>, file: string): Kustomization {
  const wrong = (name: string, wanted: string): Failure =>
    new Failure(`invalid Kustomization: ${file}: ${JSON.stringify(name)} is not ${wanted}`);
  const list = <T>(name: string): T[] => {
    const value = fields[name] ?? [];
    if (!Array.isArray(value)) throw wrong(name, 'a list');
    return value as T[];
  };
  const map = <T extends object>(name: string): T => {
    const value = fields[name] ?? {};
    if (!isObject(value)) throw wrong(name, 'a mapping');
    return value as T;
  };
  const text = (name: 'namespace' | 'namePrefix' | 'nameSuffix'): object => {
    const value = fields[name] ?? '';
    if (typeof value !== 'string') throw wrong(name, 'a text');
    return value === '' ? {} : { [name]: value };
  };
  const commonLabels = map<Record<string, string>>('commonLabels');
  return {
    directory,
    resources: [...list<string>('resources'), ...list<string>('bases')],
    components: list('components'),
    ...text('namespace'),
    ...text('namePrefix'),
    ...text('nameSuffix'),
    labels: [
      ...(Object.keys(commonLabels).length > 0 ? [{ pairs: commonLabels, includeSelectors: true }] : []),
      ...list<LabelSet>('labels'),
    ],
    commonAnnotations: map('commonAnnotations'),
    configMapGenerator: list('configMapGenerator'),
    secretGenerator: list('secretGenerator'),
    generatorOptions: map('generatorOptions'),
    images: [...list<Image>('images'), ...list<Image>('imageTags')],
    replicas: list('replicas'),
    patches: [
      ...list<string>('patchesStrategicMerge').map((one) => (one.includes('\n') ? { patch: one } : { path: one })),
      ...list<Patch>('patches'),
      ...list<Patch>('patchesJson6902').map((one) => exact(one)),
    ],
    replacements: list('replacements'),
    isFifo: map<{ order?: string }>('sortOptions').order === 'fifo',
  };
}

/** Targets of the older form are no regular expressions. */
function exact({ target = {}, ...rest }: Patch): Patch {
  const escaped = Object.entries(target).map(([key, value]) => [
    key,
    String(value).replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
  ]);
  return { ...rest, target: Object.fromEntries(escaped) as Selector };
}

function readOne(file: string): Record<string, unknown> {
  const [document, ...more] = readDocuments(readFileSync(file, 'utf8'), file);
  if (!isObject(document) || more.length > 0) throw new Failure(`${file}: not one mapping`);
  return document;
}

/** The documents of a YAML text. @throws Failure */
export function readDocuments(text: string, file: string): unknown[] {
  try {
    return readManifests(text, { file, hasTextKeys: true }).map(({ value }) => value);
  } catch (error) {
    throw error instanceof ManifestError ? new Failure(error.message) : error;
  }
}
