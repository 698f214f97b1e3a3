import type { Command } from 'commander';
import { isNotFound } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import { addFileFlags, type FileFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { throwCollected } from '../failures.js';
import { durationFlag, booleanFlag } from '../flags.js';
import { findObjects, referenceName, references, type ObjectReference } from '../found-objects.js';
import { observe, WaitTimeout } from '../observation.js';
import { addPrintFlags, objectWriter, type ObjectWriter, type PrintFlags } from '../print-flags.js';
import type { AnyObject } from '../server-api.js';
import { parseWaitCondition, type WaitCondition } from '../wait-condition.js';

interface WaitFlags extends FileFlags, PrintFlags {
  for?: string;
  timeout: string;
  selector?: string;
  fieldSelector?: string;
  all: boolean;
  allNamespaces: boolean;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('wait')
    .description('wait until objects are in a state')
    .usage(
      "([-f FILENAME] | TYPE/NAME | TYPE [-l label | --all]) --for=create|delete|condition=NAME[=VALUE]|jsonpath='{PATH}'[=VALUE] [flags]",
    )
    .option('--for <condition>', "create, delete, condition=NAME[=VALUE], jsonpath='{PATH}'[=VALUE]")
    .option('-l, --selector <query>', 'label selector')
    .option('--field-selector <query>', 'field selector')
    .addOption(
      durationFlag('--timeout <duration>', 'how long to wait for each object; 0 = look once; negative = a week', '30s'),
    )
    .addOption(booleanFlag('--all', 'all objects of the types'))
    .addOption(booleanFlag('-A, --all-namespaces', 'of all namespaces'));
  addFileFlags(addPrintFlags(command));
  host.bind<WaitFlags>(command, runWait);
}

async function runWait(
  context: CommandContext,
  flags: WaitFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  if (flags.for === undefined) throw new Failure('unrecognized condition: ""');
  const condition = parseWaitCondition(flags.for);
  const timeoutMs = parseDuration(flags.timeout);
  const { selector, fieldSelector, all, allNamespaces, filename: files, recursive: isRecursive } = flags;
  const query = { words, selector, fieldSelector, all, allNamespaces, files, isRecursive };
  const named =
    condition.kind === 'create' || condition.kind === 'delete' ? await references(context, query) : undefined;
  const asked = named ? { found: named, errors: [] } : await findObjects(context, query);
  const found: readonly ObjectReference[] = asked.found;
  const errors: unknown[] = asked.errors;
  if (found.length === 0 && errors.length === 0 && condition.kind !== 'delete')
    throw new Failure('no matching resources found');
  const write = objectWriter(context, flags);
  for (const reference of found) {
    try {
      await waitForOne(context, reference, { condition, timeoutMs, write });
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

interface Waiting {
  readonly condition: WaitCondition;
  readonly timeoutMs: number;
  readonly write: ObjectWriter;
}

async function waitForOne(
  context: CommandContext,
  reference: ObjectReference,
  { condition, timeoutMs, write }: Waiting,
): Promise<void> {
  // 0 looks once: the first state decides.
  const limitMs = timeoutMs < 0 ? 7 * 24 * 3_600_000 : Math.max(timeoutMs, 1_000);
  let isFirst = true;
  let lastSeen: AnyObject | undefined;
  try {
    for await (const object of observe(context, reference, limitMs)) {
      if (condition.kind === 'delete' && isFirst && !object) return;
      if (condition.isMet(object)) {
        const seen = object ?? lastSeen;
        const message = `${referenceName(reference)} condition met`;
        const { apiVersion, kind } = reference.type;
        return seen ? await write({ ...seen, apiVersion, kind }, message) : context.print(message);
      }
      lastSeen = object ?? lastSeen;
      if (!object && condition.kind !== 'delete' && condition.kind !== 'create' && isFirst) throw new WaitTimeout();
      if (timeoutMs === 0) throw new WaitTimeout();
      isFirst = false;
    }
  } catch (error) {
    if (error instanceof WaitTimeout) {
      const of = `${reference.type.resource}/${reference.name}`;
      if (timeoutMs === 0) throw new Failure(`condition not met for ${of}`);
      throw new Failure(`timed out waiting for the condition${condition.kind === 'create' ? '' : ` on ${of}`}`);
    }
    if (condition.kind === 'delete' && isNotFound(error)) return;
    throw error;
  }
}
