import { resourcePath } from '../../shared/api/resource.js';
import { isConflict, isInvalid, isNotFound } from '../../shared/errors/status-error.js';
import { withContext } from '../failures.js';
import type { PlacedObject } from '../manifest-objects.js';
import type { AnyObject } from '../server-api.js';
import type { Applying } from './applying.js';
import { lastApplied, withLastApplied } from './last-applied.js';
import { threeWayPatch } from './three-way-patch.js';
import { parseDuration } from '../duration.js';

const maxConflicts = 5;

/** Changes an object that exists into what the manifest says, and leaves alone what the manifest never named. */
export async function patchExisting(
  applying: Applying,
  placed: PlacedObject,
  found: AnyObject,
): Promise<{ verb: string; object: AnyObject }> {
  const { api, context, dryRun } = applying;
  const path = resourcePath(placed.type, placed.namespace, placed.object.metadata.name ?? '');
  if (lastApplied(found) === undefined) tellMissingAnnotation(applying, found);
  let current = found;
  for (let attempt = 1; ; attempt++) {
    const { patch, contentType } = await planPatch(applying, placed, current);
    if (Object.keys(patch).length === 0) return { verb: 'unchanged', object: current };
    // Without a server there is no merged object to show; the manifest is the nearest.
    if (dryRun === 'client') return { verb: 'configured', object: withLastApplied(placed.object) };
    try {
      const object = await api.json({ method: 'PATCH', path, query: applying.query, contentType, body: patch });
      return { verb: 'configured', object };
    } catch (error) {
      if (isConflict(error) && attempt < maxConflicts) {
        await context.clock.sleep(1_000, context.signal);
        current = await api.json({ path });
        continue;
      }
      if (applying.flags.force && (isConflict(error) || isInvalid(error))) return replace(applying, placed, path);
      const shown = JSON.stringify(patch);
      throw withContext(
        error,
        `error when applying patch:\n${shown}\nto:\n${resourceLine(placed)}\nfor: "${placed.source}"`,
      );
    }
  }
}

function resourceLine({ type, object, namespace }: PlacedObject): string {
  const gvk = `${type.group === '' ? '' : `${type.group}/`}${type.version}, Kind=${type.kind}`;
  return `Resource: "${type.group === '' ? '' : `${type.group}/`}${type.version}, Resource=${type.resource}", GroupVersionKind: "${gvk}"\nName: "${object.metadata.name ?? ''}", Namespace: "${namespace ?? ''}"`;
}

function tellMissingAnnotation({ context }: Applying, found: AnyObject): void {
  const name = `${found.kind.toLowerCase()}s/${found.metadata.name ?? ''}`;
  context.tell(
    `Warning: resource ${name} is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is required by knarr apply. knarr apply should only be used on resources created declaratively by either knarr create --save-config or knarr apply. The missing annotation will be patched automatically.`,
  );
}

/** Kinds of the server itself merge lists by key; custom resources know only JSON merge patches. */
async function planPatch(
  applying: Applying,
  placed: PlacedObject,
  current: AnyObject,
): Promise<{ patch: Record<string, unknown>; contentType: string }> {
  const schema = await applying.api.openApi.strategicSchema(placed.type);
  const modified = withLastApplied(placed.object);
  const patch = threeWayPatch(lastApplied(current) ?? {}, modified, current, schema);
  return {
    patch,
    contentType: schema ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json',
  };
}

async function replace(
  applying: Applying,
  placed: PlacedObject,
  path: string,
): Promise<{ verb: string; object: AnyObject }> {
  const { api, flags, context } = applying;
  const gracePeriodSeconds = flags.gracePeriod >= 0 ? flags.gracePeriod : undefined;
  await api.json({ method: 'DELETE', path, body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds } });
  const limitMs = parseDuration(flags.timeout) || 5 * 60_000;
  const deadline = context.clock.monotonic() + limitMs;
  while (await exists(applying, path)) {
    if (context.clock.monotonic() > deadline) throw new Error('timed out waiting for the condition');
    await context.clock.sleep(200, context.signal);
  }
  const collection = resourcePath(placed.type, placed.namespace);
  const body = withLastApplied(placed.object);
  return {
    verb: 'configured',
    object: await api.json({ method: 'POST', path: collection, query: applying.query, body }),
  };
}

async function exists({ api }: Applying, path: string): Promise<boolean> {
  try {
    await api.json({ path });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
