import { resourcePath } from '../../shared/api/resource.js';
import { ANNOTATION_LAST_APPLIED } from '../../shared/api/well-known.js';
import { isConflict } from '../../shared/errors/status-error.js';
import type { PlacedObject } from '../manifest-objects.js';
import type { AnyObject } from '../server-api.js';
import type { Applying } from './applying.js';
import { takenOver, updatersOf, type ManagedFieldsEntry } from './field-ownership.js';

/** Who applies on the server unless `--field-manager` names somebody else. */
export const serverSideManager = 'kubectl';
/** Keeps the note of an earlier client-side apply, so that older clients find it. */
const noteManager = 'kubectl-last-applied';
const notePath = ['f:metadata', 'f:annotations', `f:${ANNOTATION_LAST_APPLIED}`];
const maxConflicts = 5;

/**
 * Sends the manifest for the server to merge. What an earlier client-side apply set is taken over afterwards, which costs one
 * request now and three on the rare occasion; that this failed is only told, as the next apply tries again.
 */
export async function applyOnServer(applying: Applying, placed: PlacedObject): Promise<AnyObject> {
  const manager = applying.query['fieldManager'] ?? serverSideManager;
  const apply = (): Promise<AnyObject> => applyAs(applying, placed, manager, placed.object);
  let applied = await apply();
  try {
    applied = await keepNote(applying, placed, applied, manager);
  } catch (error) {
    tell(applying, `failed to migrate ${ANNOTATION_LAST_APPLIED} for Server-Side Apply`, error);
    return applied;
  }
  let migrated: AnyObject | undefined;
  try {
    migrated = await takeOver(applying, placed, applied, manager);
  } catch (error) {
    tell(applying, 'server rejected managed fields migration to Server-Side Apply', error);
  }
  if (!migrated) return applied;
  try {
    // Only now the server sees which of our fields the manifest has dropped.
    return await apply();
  } catch (error) {
    tell(applying, 'failed to re-apply configuration after performing Server-Side Apply migration', error);
    return migrated;
  }
}

function applyAs(applying: Applying, placed: PlacedObject, manager: string, body: AnyObject): Promise<AnyObject> {
  const isOwn = body === placed.object;
  return applying.api.json({
    method: 'PATCH',
    path: pathOf(placed),
    query: {
      ...applying.query,
      fieldManager: manager,
      force: isOwn ? applying.flags.forceConflicts : undefined,
    },
    contentType: 'application/apply-patch+yaml',
    body,
  });
}

const pathOf = ({ type, object, namespace }: PlacedObject): string =>
  resourcePath(type, namespace, object.metadata.name ?? '');

/** Gives the note of client-side applies an owner of its own, or the next apply would remove it. */
async function keepNote(
  applying: Applying,
  placed: PlacedObject,
  { apiVersion, kind, metadata }: AnyObject,
  manager: string,
): Promise<AnyObject> {
  const { name, namespace, annotations } = metadata;
  const note = annotations?.[ANNOTATION_LAST_APPLIED];
  const current = { apiVersion, kind, metadata } as AnyObject;
  // Who applies under another name does not keep the note current.
  if (manager !== serverSideManager || note === undefined) return current;
  const body = { apiVersion, kind, metadata: { name, namespace, annotations: { [ANNOTATION_LAST_APPLIED]: note } } };
  return applyAs(applying, placed, noteManager, body);
}

/** Makes fields of client-side applies our own; undefined where there are none. */
async function takeOver(
  applying: Applying,
  placed: PlacedObject,
  applied: AnyObject,
  manager: string,
): Promise<AnyObject | undefined> {
  const { api, query } = applying;
  const updaters = updatersOf(managedFieldsOf(applied), notePath);
  let current = applied;
  for (let attempt = 1; ; attempt++) {
    const entries = managedFieldsOf(current);
    const changed = takenOver(entries, updaters, manager);
    if (changed === entries) return undefined;
    try {
      return await api.json({
        method: 'PATCH',
        path: pathOf(placed),
        query: { dryRun: query['dryRun'], fieldManager: query['fieldManager'] },
        contentType: 'application/json-patch+json',
        // A replaced version, unlike a tested one, lets the server answer 409 when somebody was faster.
        body: [
          { op: 'replace', path: '/metadata/managedFields', value: changed },
          { op: 'replace', path: '/metadata/resourceVersion', value: current.metadata.resourceVersion },
        ],
      });
    } catch (error) {
      if (!isConflict(error) || attempt === maxConflicts) throw error;
      current = await api.json({ path: pathOf(placed) });
    }
  }
}

const managedFieldsOf = ({ metadata }: AnyObject): readonly ManagedFieldsEntry[] =>
  (metadata['managedFields'] as ManagedFieldsEntry[] | undefined) ?? [];

function tell({ context }: Applying, what: string, error: unknown): void {
  context.signal.throwIfAborted();
  const reason = error instanceof Error ? error.message : String(error);
  context.tell(`Warning: ${what}. This is non-fatal and will be retried next time you apply. Error: ${reason}`);
}
