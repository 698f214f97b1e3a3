import type { Command } from 'commander';
import { isNotFound, StatusError } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import { addFileFlags, type FileFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { throwCollected } from '../failures.js';
import { arrayFlag, durationFlag, booleanFlag } from '../flags.js';
import {
  findObjects,
  getNamed,
  referenceName,
  references,
  type FoundObject,
  type ObjectQuery,
  type ObjectReference,
} from '../found-objects.js';
import { nothingNamed } from '../selection.js';
import { groupResource } from '../resource-mapper.js';
import { observe, WaitTimeout } from '../observation.js';
import { addPrintFlags, objectWriter, type PrintFlags } from '../print-flags.js';
import type { AnyObject } from '../server-api.js';
import { parseWaitCondition, type WaitCondition } from '../wait-condition.js';

interface WaitFlags extends FileFlags, PrintFlags {
  for?: string[];
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
    .addOption(
      arrayFlag(
        '--for <condition>',
        "create, delete, condition=NAME[=VALUE], jsonpath='{PATH}'[=VALUE]; all of several",
      ),
    )
    .option('-l, --selector <query>', 'label selector')
    .option('--field-selector <query>', 'field selector')
    .addOption(
      durationFlag('--timeout <duration>', 'how long to wait for all of them; 0 = look once; negative = a week', '30s'),
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
  if (flags.for === undefined) throw new Failure('unrecognized condition: []');
  const conditions = flags.for.map(parseWaitCondition);
  // Whatever else is waited for, the objects have to exist first.
  const isCreation = conditions.some(({ kind }) => kind === 'create');
  const { selector, fieldSelector, all, allNamespaces, filename: files, recursive: isRecursive } = flags;
  if (words.length === 0 && !files) throw new Failure(nothingNamed);
  const query = { words, selector, fieldSelector, all, allNamespaces, files, isRecursive };
  const timeoutMs = parseDuration(flags.timeout);
  const waiting = { leftMs: limitOf(context, timeoutMs), looksOnce: timeoutMs === 0 };
  const write = objectWriter(context, flags);
  const targets = isCreation ? await untilAllExist(context, query, waiting) : await asked(context, query);
  if (targets.length === 0 && !conditions.some(({ kind }) => kind === 'delete'))
    throw new Failure('no matching resources found');
  const errors: unknown[] = [];
  for (const target of targets) {
    try {
      const { apiVersion, kind } = target.type;
      for (const condition of conditions) {
        const isThere = condition.kind === 'create' && isFound(target);
        const object = isThere ? target.object : await met(context, target, { ...waiting, condition });
        if (object) await write({ ...object, apiVersion, kind }, `${referenceName(target)} condition met`);
      }
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

interface Waiting {
  /** What is left of the time for all objects together: kubectl's --timeout is no time for each. */
  readonly leftMs: () => number;
  readonly looksOnce: boolean;
}

const week = 7 * 24 * 3_600_000;

function limitOf({ clock }: CommandContext, timeoutMs: number): () => number {
  const end = clock.monotonic() + (timeoutMs < 0 ? week : timeoutMs);
  return () => end - clock.monotonic();
}

const isFound = (target: ObjectReference | FoundObject): target is FoundObject => 'object' in target;

/** Addresses of what is named; what a selector or --all chooses is asked for. */
async function asked(context: CommandContext, query: ObjectQuery): Promise<readonly (ObjectReference | FoundObject)[]> {
  return (await references(context, query)) ?? (await findObjects(context, query)).found;
}

/** As kubectl: waits while one is missing, or nothing is chosen; of several that are missing it tells at once. */
async function untilAllExist(
  context: CommandContext,
  query: ObjectQuery,
  { leftMs }: Waiting,
): Promise<readonly FoundObject[]> {
  for (;;) {
    const { found, errors } = await findObjects(context, query);
    const isMissing = errors.length === 0 ? found.length === 0 : errors.length === 1 && isNotFound(errors[0]);
    if (!isMissing) {
      throwCollected(errors);
      return found;
    }
    if (leftMs() <= 0) throw new Failure(new WaitTimeout().message);
    await context.clock.sleep(Math.min(500, leftMs()), context.signal);
  }
}

/** The object as it was when the condition was met; undefined where what was named was gone before anybody looked. */
async function met(
  context: CommandContext,
  target: ObjectReference | FoundObject,
  { condition, leftMs, looksOnce }: Waiting & { readonly condition: WaitCondition },
): Promise<AnyObject | undefined> {
  const of = `${target.type.resource}/${target.name}`;
  const timedOut = new Failure(`${new WaitTimeout().message} on ${of}`);
  let lastSeen: AnyObject;
  try {
    lastSeen = await getNamed(await context.api(), target);
  } catch (error) {
    if (condition.kind !== 'delete' || !isNotFound(error)) throw error;
    return isFound(target) ? target.object : undefined;
  }
  // When the time is over, not even what is met is looked at.
  if (!looksOnce && leftMs() <= 0) throw timedOut;
  if (condition.isMet(lastSeen)) return lastSeen;
  if (looksOnce) throw new Failure(`condition not met for ${of}`);
  try {
    let isFirst = true;
    for await (const object of observe(context, target, leftMs())) {
      if (condition.isMet(object)) return object ?? lastSeen;
      if (!object && isFirst) throw notFound(target);
      lastSeen = object ?? lastSeen;
      isFirst = false;
    }
  } catch (error) {
    throw error instanceof WaitTimeout ? timedOut : error;
  }
  return undefined;
}

const notFound = ({ type, name }: ObjectReference): StatusError =>
  new StatusError(404, 'NotFound', `${groupResource(type)} "${name}" not found`);
