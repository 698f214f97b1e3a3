import { parseSelector } from '../shared/api/selector-parser.js';
import { matchesSelector } from '../shared/api/selector.js';
import { StatusError } from '../shared/errors/status-error.js';
import { Failure } from './cluster/failure.js';
import type { CommandContext } from './context.js';
import { withContext } from './failures.js';
import { readManifestSources, type Manifest } from './manifest-source.js';
import { nearest } from './spelling.js';
import type { ResourceType } from './resource-mapper.js';
import type { ServerApi } from './server-api.js';

/** A manifest whose type the server knows, with the namespace that it goes to. */
export interface PlacedObject extends Manifest {
  readonly type: ResourceType;
  readonly namespace: string | undefined;
}

/** Reads manifests and finds their types. A kind that the server has not is collected, the others go on. */
export async function placedObjects(
  context: CommandContext,
  { files, isRecursive }: { files: readonly string[]; isRecursive: boolean },
): Promise<{ objects: PlacedObject[]; errors: unknown[] }> {
  const [manifests, mapper, namespace] = await Promise.all([
    readManifestSources(context.terminal.stdin, files, isRecursive),
    context.mapper(),
    context.namespace(),
  ]);
  const objects: PlacedObject[] = [];
  const errors: unknown[] = [];
  for (const manifest of manifests) {
    const { object } = manifest;
    const type = mapper.forKind(object.apiVersion, object.kind);
    if (type) objects.push(placed(manifest, type, namespace, context.flags.namespace));
    else errors.push(unknownKind(manifest, mapper.types));
  }
  return { objects, errors };
}

/** The objects that a label selector chooses; all without one. */
export function withLabels(objects: readonly PlacedObject[], selector: string | undefined): readonly PlacedObject[] {
  if (selector === undefined || selector === '') return objects;
  const parsed = parseSelector(selector);
  return objects.filter(({ object }) => matchesSelector(parsed, object.metadata.labels));
}

function placed(manifest: Manifest, type: ResourceType, byDefault: string, enforced: string | undefined): PlacedObject {
  const { object } = manifest;
  if (!type.namespaced) return { ...manifest, type, namespace: undefined };
  const own = object.metadata.namespace;
  if (own && enforced && own !== enforced) {
    throw new Failure(
      `the namespace from the provided object "${own}" does not match the namespace "${enforced}". You must pass '--namespace=${own}' to perform this operation.`,
    );
  }
  const namespace = own || byDefault;
  return { ...manifest, type, namespace, object: { ...object, metadata: { ...object.metadata, namespace } } };
}

function unknownKind({ object, source, locate }: Manifest, types: readonly ResourceType[]): Failure {
  const { name = '', namespace = '' } = object.metadata;
  const sameKind = types.find((type) => type.kind === object.kind);
  const suggestion = sameKind
    ? `apiVersion ${sameKind.apiVersion}`
    : nearest(
        object.kind,
        types.filter((type) => type.apiVersion === object.apiVersion).map((type) => type.kind),
      );
  const { line, column } = locate([sameKind ? 'apiVersion' : 'kind']);
  return new Failure(
    `${source}:${line}:${column}: resource mapping not found for name: "${name}" namespace: "${namespace}" from "${source}": no matches for kind "${object.kind}" in version "${object.apiVersion}"` +
      (suggestion
        ? `; did you mean ${sameKind ? suggestion : `"${suggestion}"`}?`
        : '\nensure CRDs are installed first'),
  );
}

/**
 * A refusal of the server, made precise: fields that it does not know are shown where they stand in the file, with the nearest name that it
 * does know; everything else is headed by the file, as kubectl does.
 */
export async function explainRefusal(
  error: unknown,
  placedObject: PlacedObject,
  api: ServerApi,
  doing = 'creating',
): Promise<unknown> {
  if (!(error instanceof StatusError)) return error;
  const faults = [...error.message.matchAll(/(unknown|duplicate) field "((?:[^"\\]|\\.)*)"/g)];
  if (!error.message.includes('strict decoding error') || faults.length === 0) {
    const { source } = placedObject;
    return error.message.startsWith('error when ') ? error : withContext(error, `error when ${doing} "${source}"`);
  }
  const { object, source, locateKey, type } = placedObject;
  const lines = await Promise.all(
    faults.map(async ([, what = '', field = '']) => {
      const path = parseFieldPath(field);
      const { line, column } = locateKey(path);
      const at = `${source}:${line}:${column}: ${what} field "${field}" in ${object.kind} "${object.metadata.name ?? ''}"`;
      if (what !== 'unknown') return at;
      const known = await api.openApi.fieldNames(type, path.slice(0, -1));
      const suggestion = nearest(String(path.at(-1) ?? ''), known);
      return suggestion === undefined ? at : `${at}; did you mean "${suggestion}"?`;
    }),
  );
  return new Failure(lines.join('\n'));
}

/** `spec.containers[0].image` as steps. */
function parseFieldPath(text: string): (string | number)[] {
  return [...text.matchAll(/\[(\d+)\]|\["?([^\]"]*)"?\]|([^.[\]]+)/g)].map(([, index, key, name]) =>
    index === undefined ? (key ?? name ?? '') : Number(index),
  );
}
