import type { PodTemplateSpec } from '../../shared/api/generated/types.js';
import { ANNOTATION_RESTARTED_AT } from '../../shared/api/well-known.js';
import { Failure } from '../cluster/failure.js';
import type { FileFlags } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { findObjects, referenceName, referencePath, type FoundObject } from '../found-objects.js';
import { objectWriter, type PrintFlags } from '../print-flags.js';
import { groupResource } from '../resource-mapper.js';

export interface ChangeFlags extends FileFlags, PrintFlags {
  selector?: string;
  fieldManager: string;
}

interface Words {
  readonly words: readonly string[];
}

/** Finds what a rollout command is about. */
export async function workloads(
  context: CommandContext,
  flags: FileFlags & { selector?: string },
  words: readonly string[],
): Promise<{ found: FoundObject[]; errors: unknown[] }> {
  if (words.length === 0 && !flags.filename) throw new Failure('required resource not specified');
  const { selector, filename: files, recursive: isRecursive } = flags;
  const all = words.length === 1 && selector === undefined;
  return findObjects(context, { words, selector, files, isRecursive, all: all && !words[0]?.includes('/') });
}

/** As `workloads`; where there are none, that is said. */
export async function toldWorkloads(
  context: CommandContext,
  flags: FileFlags & { selector?: string },
  words: readonly string[],
): Promise<{ found: FoundObject[]; errors: unknown[] }> {
  const result = await workloads(context, flags, words);
  if (result.found.length === 0 && result.errors.length === 0) {
    context.tell(`No resources found in ${await context.namespace()} namespace.`);
  }
  return result;
}

interface Change {
  readonly done: string;
  /** The patch. @throws Failure, the reason why not. */
  plan(target: FoundObject): object;
}

async function runChange(
  context: CommandContext,
  flags: ChangeFlags,
  words: readonly string[],
  change: Change,
): Promise<void> {
  const write = objectWriter(context, flags);
  const { found, errors } = await toldWorkloads(context, flags, words);
  const api = await context.api();
  for (const target of found) {
    try {
      const patched = await api.json({
        method: 'PATCH',
        path: referencePath(target),
        query: { fieldManager: flags.fieldManager },
        contentType: 'application/strategic-merge-patch+json',
        body: change.plan(target),
      });
      await write(patched, `${referenceName(target)} ${change.done}`);
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

const isPaused = ({ object }: FoundObject): boolean =>
  (object['spec'] as { paused?: boolean } | undefined)?.paused === true;
/** kubectl heads these reasons itself: they are told so among others, too. */
const refused = ({ type, name }: FoundObject, why: string): Failure =>
  new Failure(`error: ${groupResource(type)} "${name}" ${why}`);

export function runRestart(context: CommandContext, flags: ChangeFlags, { words }: Words): Promise<void> {
  const restartedAt = new Date(context.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  return runChange(context, flags, words, {
    done: 'restarted',
    plan: (target) => {
      if (!['Deployment', 'DaemonSet', 'StatefulSet'].includes(target.type.kind))
        throw refused(target, 'restarting is not supported');
      if (isPaused(target)) throw refused(target, "can't restart paused deployment (run rollout resume first)");
      if (restartedAtOf(target) === restartedAt) {
        throw new Failure(
          `failed to create patch for ${target.name}: if restart has already been triggered within the past second, please wait before attempting to trigger another`,
        );
      }
      return { spec: { template: { metadata: { annotations: { [ANNOTATION_RESTARTED_AT]: restartedAt } } } } };
    },
  });
}

function restartedAtOf({ object }: FoundObject): string | undefined {
  const { template } = object['spec'] as { template?: PodTemplateSpec };
  return template?.metadata?.annotations?.[ANNOTATION_RESTARTED_AT];
}

export function runPause(context: CommandContext, flags: ChangeFlags, { words }: Words): Promise<void> {
  return runChange(context, flags, words, {
    done: 'paused',
    plan: (target) => {
      if (target.type.kind !== 'Deployment') throw refused(target, 'pausing is not supported');
      if (isPaused(target)) throw refused(target, 'is already paused');
      return { spec: { paused: true } };
    },
  });
}

export function runResume(context: CommandContext, flags: ChangeFlags, { words }: Words): Promise<void> {
  return runChange(context, flags, words, {
    done: 'resumed',
    plan: (target) => {
      if (target.type.kind !== 'Deployment') throw refused(target, 'resuming is not supported');
      if (!isPaused(target)) throw refused(target, 'is not paused');
      return { spec: { paused: null } };
    },
  });
}
