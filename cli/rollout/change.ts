import { ANNOTATION_RESTARTED_AT } from '../../shared/api/well-known.js';
import { Failure } from '../cluster/failure.js';
import type { FileFlags } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { findObjects, referenceName, referencePath, type FoundObject } from '../found-objects.js';
import { objectPrinter } from '../printer/object-printer.js';
import { groupResource } from '../resource-mapper.js';

export interface ChangeFlags extends FileFlags {
  selector?: string;
  output?: string;
  fieldManager: string;
}

interface Words {
  readonly words: readonly string[];
}

export const required = (command: string): Failure =>
  new Failure(`required resource not specified\nSee 'knarr rollout ${command} -h' for help and examples`);

/** Finds what a rollout command is about. */
export async function workloads(
  context: CommandContext,
  flags: FileFlags & { selector?: string },
  words: readonly string[],
  command: string,
): Promise<{ found: FoundObject[]; errors: unknown[] }> {
  if (words.length === 0 && !flags.filename) throw required(command);
  const { selector, filename: files, recursive: isRecursive } = flags;
  const all = words.length === 1 && selector === undefined;
  return findObjects(context, { words, selector, files, isRecursive, all: all && !words[0]?.includes('/') });
}

interface Change {
  readonly command: string;
  readonly done: string;
  /** The patch, or the reason why not. */
  plan(target: FoundObject): object;
}

async function runChange(
  context: CommandContext,
  flags: ChangeFlags,
  words: readonly string[],
  change: Change,
): Promise<void> {
  const { found, errors } = await workloads(context, flags, words, change.command);
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
      const printer = objectPrinter(flags.output);
      context.print(printer ? await printer(patched, false) : `${referenceName(target)} ${change.done}`);
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

const isPaused = ({ object }: FoundObject): boolean =>
  (object['spec'] as { paused?: boolean } | undefined)?.paused === true;
const quoted = ({ type, name }: FoundObject): string => `${groupResource(type)} "${name}"`;

export function runRestart(context: CommandContext, flags: ChangeFlags, { words }: Words): Promise<void> {
  const restartedAt = new Date(context.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  return runChange(context, flags, words, {
    command: 'restart',
    done: 'restarted',
    plan: (target) => {
      if (!['Deployment', 'DaemonSet', 'StatefulSet'].includes(target.type.kind))
        throw new Failure(`${quoted(target)} restarting is not supported`);
      if (isPaused(target))
        throw new Failure(`${quoted(target)} can't restart paused deployment (run rollout resume first)`);
      return { spec: { template: { metadata: { annotations: { [ANNOTATION_RESTARTED_AT]: restartedAt } } } } };
    },
  });
}

export function runPause(context: CommandContext, flags: ChangeFlags, { words }: Words): Promise<void> {
  return runChange(context, flags, words, {
    command: 'pause',
    done: 'paused',
    plan: (target) => {
      if (target.type.kind !== 'Deployment') throw new Failure(`${quoted(target)} pausing is not supported`);
      if (isPaused(target)) throw new Failure(`${quoted(target)} is already paused`);
      return { spec: { paused: true } };
    },
  });
}

export function runResume(context: CommandContext, flags: ChangeFlags, { words }: Words): Promise<void> {
  return runChange(context, flags, words, {
    command: 'resume',
    done: 'resumed',
    plan: (target) => {
      if (target.type.kind !== 'Deployment') throw new Failure(`${quoted(target)} resuming is not supported`);
      if (!isPaused(target)) throw new Failure(`${quoted(target)} is not paused`);
      return { spec: { paused: null } };
    },
  });
}
