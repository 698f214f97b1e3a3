import { Option, type Command } from 'commander';
import { isNotFound } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import { addFileFlags, dryRunFlag, dryRunOf, dryRunSuffix, type FileFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { throwCollected, withContext } from '../failures.js';
import { durationFlag, booleanFlag, integerFlag } from '../flags.js';
import { findObjects, referenceName, referencePath, references, type ObjectReference } from '../found-objects.js';
import { observe, WaitTimeout } from '../observation.js';
import { sendRaw } from '../raw-request.js';
import { kindName } from '../resource-mapper.js';
import type { AnyObject } from '../server-api.js';

interface DeleteFlags extends FileFlags {
  selector?: string;
  fieldSelector?: string;
  all: boolean;
  allNamespaces: boolean;
  force: boolean;
  now: boolean;
  wait: boolean;
  ignoreNotFound: boolean;
  gracePeriod: number;
  timeout: string;
  cascade: string;
  dryRun: string;
  output?: string;
  raw?: string;
  interactive: boolean;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('delete')
    .description('delete objects by file, by name, or by label')
    .usage('([-f FILENAME] | TYPE [(NAME | -l label | --all)]) [flags]')
    .option('-l, --selector <query>', 'label selector')
    .option('--field-selector <query>', 'field selector')
    .option('--raw <path>', 'send DELETE to this path of the server')
    .option('-o, --output <format>', 'name prints TYPE/NAME alone')
    .addOption(booleanFlag('--all', 'all objects of the types'))
    .addOption(booleanFlag('-A, --all-namespaces', 'of all namespaces'))
    .addOption(booleanFlag('-i, --interactive', 'ask before anything is deleted'))
    .addOption(booleanFlag('--force', 'with a grace period of 0, remove from the API at once'))
    .addOption(booleanFlag('--now', 'a grace period of one second'))
    .addOption(booleanFlag('--wait', 'wait until the objects are gone', true))
    .addOption(booleanFlag('--ignore-not-found', 'what does not exist is not a failure'))
    .addOption(integerFlag('--grace-period <seconds>', 'time for the object to end; negative: its own', -1))
    .addOption(durationFlag('--timeout <duration>', 'how long to wait; 0 = for ever', '0s'))
    .addOption(
      new Option('--cascade [strategy]', 'background, orphan or foreground').preset('background').default('background'),
    )
    .addOption(dryRunFlag());
  addFileFlags(command);
  host.bind<DeleteFlags>(command, runDelete);
}

const policies: Readonly<Record<string, string>> = {
  background: 'Background',
  true: 'Background',
  orphan: 'Orphan',
  false: 'Orphan',
  foreground: 'Foreground',
};

async function runDelete(
  context: CommandContext,
  flags: DeleteFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  if (flags.raw !== undefined) {
    const [file] = flags.filename ?? [];
    return sendRaw(context, { method: 'DELETE', path: flags.raw, ...(file === undefined ? {} : { file }) });
  }
  const options = deleteOptions(context, flags, words);
  const { targets, errors } = await targetsOf(context, flags, words);
  const dryRun = dryRunOf(flags.dryRun);
  if (flags.interactive && targets.length > 0 && !(await isConfirmed(context, targets))) {
    return context.print('deletion is cancelled');
  }
  if (flags.namespace !== undefined && !flags.allNamespaces && targets.some(({ type }) => !type.namespaced)) {
    context.tell('Warning: deleting cluster-scoped resources, not scoped to the provided namespace');
  }
  const deleted: { reference: ObjectReference; uid: string | undefined }[] = [];
  for (const reference of targets) {
    try {
      const uid = dryRun === 'client' ? undefined : await deleteOne(context, reference, options, dryRun === 'server');
      const word = flags.force && flags.gracePeriod === 0 ? 'force deleted' : 'deleted';
      context.print(
        flags.output === 'name'
          ? referenceName(reference)
          : `${kindName(reference.type)} "${reference.name}" ${word}${placeOf(reference)}${dryRunSuffix(dryRun)}`,
      );
      deleted.push({ reference, uid });
    } catch (error) {
      if (flags.ignoreNotFound && isNotFound(error)) continue;
      errors.push(
        reference.source === undefined ? error : withContext(error, `error when deleting "${reference.source}"`),
      );
    }
  }
  if (targets.length === 0 && errors.length === 0 && !flags.ignoreNotFound) context.print('No resources found');
  if (flags.wait && dryRun === 'none') await waitUntilGone(context, deleted, flags);
  throwCollected(errors);
}

const placeOf = ({ type, namespace }: ObjectReference): string =>
  type.namespaced ? ` from ${namespace} namespace` : '';

async function isConfirmed({ terminal }: CommandContext, targets: readonly ObjectReference[]): Promise<boolean> {
  const names = targets.map((target) => `${referenceName(target)}\n`);
  terminal.stdout.write(
    `You are about to delete the following ${targets.length} resource(s):\n${names.join('')}Do you want to continue? (y/N): `,
  );
  let answer = '';
  for await (const chunk of terminal.stdin as AsyncIterable<Buffer | string>) {
    answer += chunk.toString();
    if (answer.trimStart().includes('\n')) break;
  }
  return /^\s*y\s*$/i.test(answer.trimStart().split('\n')[0] ?? '');
}

function deleteOptions(context: CommandContext, flags: DeleteFlags, words: readonly string[]): object {
  if (words.length === 0 && !flags.filename) {
    throw new Failure(
      "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'",
    );
  }
  if (flags.all && flags.selector) throw new Failure('cannot set --all and --selector at the same time');
  if (flags.now && flags.gracePeriod !== -1) throw new Failure('--now and --grace-period cannot be specified together');
  if (flags.force && flags.gracePeriod > 0)
    throw new Failure('--force and --grace-period greater than 0 cannot be specified together');
  const propagationPolicy = policies[flags.cascade];
  if (!propagationPolicy) {
    throw new Failure(`invalid cascade value (${flags.cascade}). Must be "background", "foreground", or "orphan"`);
  }
  if (flags.gracePeriod === 0 && !flags.force) {
    // As kubectl does: one second, so that containers get their signal.
    flags.gracePeriod = 1;
  } else if (flags.force && flags.gracePeriod < 0) {
    flags.gracePeriod = 0;
  }
  if (flags.force && flags.gracePeriod === 0) {
    context.tell(
      'Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.',
    );
  }
  const seconds = flags.now ? 1 : flags.gracePeriod;
  return { propagationPolicy, ...(seconds >= 0 ? { gracePeriodSeconds: seconds } : {}) };
}

async function targetsOf(
  context: CommandContext,
  flags: DeleteFlags,
  words: readonly string[],
): Promise<{ targets: ObjectReference[]; errors: unknown[] }> {
  const { selector, fieldSelector, all, allNamespaces, filename: files, recursive: isRecursive } = flags;
  const query = { words, selector, fieldSelector, all, allNamespaces, files, isRecursive };
  const named = await references(context, query);
  if (named) return { targets: named, errors: [] };
  const { found, errors } = await findObjects(context, query);
  return { targets: found, errors };
}

/** Resolves with the uid of what is being deleted. */
async function deleteOne(
  context: CommandContext,
  reference: ObjectReference,
  options: object,
  isDryRun: boolean,
): Promise<string | undefined> {
  const api = await context.api();
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...options, ...(isDryRun ? { dryRun: ['All'] } : {}) };
  const answer = await api.json({ method: 'DELETE', path: referencePath(reference), body });
  const details = answer['details'] as { uid?: string } | undefined;
  return answer.kind === 'Status' ? details?.uid : (answer as AnyObject).metadata.uid;
}

async function waitUntilGone(
  context: CommandContext,
  deleted: readonly { reference: ObjectReference; uid: string | undefined }[],
  flags: DeleteFlags,
): Promise<void> {
  const limitMs = parseDuration(flags.timeout);
  const start = context.clock.monotonic();
  for (const { reference, uid } of deleted) {
    const restMs = limitMs > 0 ? Math.max(1, limitMs - (context.clock.monotonic() - start)) : 0;
    try {
      for await (const object of observe(context, reference, restMs)) {
        if (!object || (uid !== undefined && object.metadata.uid !== uid)) break;
      }
    } catch (error) {
      if (error instanceof WaitTimeout) {
        throw new Failure(`timed out waiting for the condition on ${reference.type.resource}/${reference.name}`);
      }
      throw error;
    }
  }
}
