import type { Command } from 'commander';
import { Failure } from '../cluster/failure.js';
import { addFileFlags, dryRunFlag, dryRunOf, dryRunSuffix, type FileFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { throwCollected } from '../failures.js';
import { durationFlag, booleanFlag, integerFlag } from '../flags.js';
import { findObjects, referenceName, referencePath, type FoundObject } from '../found-objects.js';
import { observe } from '../observation.js';
import { addPrintFlags, objectWriter, type PrintFlags } from '../print-flags.js';

interface ScaleFlags extends FileFlags, PrintFlags {
  replicas?: number;
  currentReplicas: number;
  resourceVersion?: string;
  selector?: string;
  all: boolean;
  timeout?: string;
  dryRun: string;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('scale')
    .description('set the number of replicas')
    .usage('[--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME) [flags]')
    .addOption(integerFlag('--replicas <count>', 'the new number'))
    .addOption(integerFlag('--current-replicas <count>', 'only if this is the number now', -1))
    .option('--resource-version <version>', 'only if the object has this version')
    .option('-l, --selector <query>', 'label selector')
    .addOption(durationFlag('--timeout <duration>', 'wait so long until as many replicas exist'))
    .addOption(booleanFlag('--all', 'all objects of the types'))
    .addOption(dryRunFlag());
  addFileFlags(addPrintFlags(command));
  host.bind<ScaleFlags>(command, runScale);
}

async function runScale(
  context: CommandContext,
  flags: ScaleFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  const { replicas, selector, all, filename: files, recursive: isRecursive } = flags;
  if (replicas === undefined) throw new Failure('required flag(s) "replicas" not set');
  if (replicas < 0) {
    throw new Failure('The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0');
  }
  const { found, errors } = await findObjects(context, { words, selector, all, files, isRecursive });
  if (found.length === 0 && errors.length === 0) throw new Failure('no objects passed to scale');
  if (flags.currentReplicas < -1) throw new Failure('The --current-replicas must specify an integer of -1 or greater');
  if (flags.resourceVersion && found.length > 1)
    throw new Failure('cannot use --resource-version with multiple resources');
  const dryRun = dryRunOf(flags.dryRun);
  const write = objectWriter(context, flags);
  for (const target of found) {
    try {
      checkPrecondition(target, flags);
      if (dryRun !== 'client') await setReplicas(context, target, replicas, dryRun === 'server');
      await write(scaled(target, replicas), `${referenceName(target)} scaled${dryRunSuffix(dryRun)}`);
      if (flags.timeout !== undefined && dryRun === 'none')
        await waitForReplicas(context, target, replicas, flags.timeout);
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

const replicasOf = (object: FoundObject['object'], part: 'spec' | 'status'): number | undefined =>
  (object[part] as { replicas?: number } | undefined)?.replicas;

/** What is printed: only built-in types are known to keep the number in their spec. */
function scaled({ type, object }: FoundObject, replicas: number): FoundObject['object'] {
  if (type.group !== 'apps' && type.group !== '') return object;
  return { ...object, spec: { ...(object['spec'] as object | undefined), replicas } };
}

function checkPrecondition({ object }: FoundObject, { currentReplicas, resourceVersion }: ScaleFlags): void {
  const now = replicasOf(object, 'spec') ?? 0;
  if (currentReplicas >= 0 && now !== currentReplicas) {
    throw new Failure(`Expected replicas to be ${currentReplicas}, was ${now}`);
  }
  const version = object.metadata.resourceVersion ?? '';
  if (resourceVersion !== undefined && version !== resourceVersion) {
    throw new Failure(`Expected resource version to be ${resourceVersion}, was ${version}`);
  }
}

async function setReplicas(
  context: CommandContext,
  target: FoundObject,
  replicas: number,
  isDryRun: boolean,
): Promise<void> {
  const api = await context.api();
  await api.json({
    method: 'PATCH',
    path: referencePath(target, 'scale'),
    query: { dryRun: isDryRun ? 'All' : undefined, fieldManager: 'kubectl-scale' },
    contentType: 'application/merge-patch+json',
    body: { spec: { replicas } },
  });
}

async function waitForReplicas(
  context: CommandContext,
  target: FoundObject,
  replicas: number,
  timeout: string,
): Promise<void> {
  for await (const object of observe(context, target, parseDuration(timeout))) {
    if (!object || (replicasOf(object, 'status') ?? 0) === replicas) return;
  }
}
