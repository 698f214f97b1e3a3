import type { Command } from 'commander';
import { ANNOTATION_LAST_APPLIED } from '../../shared/api/well-known.js';
import { formatManifest } from '../../shared/manifest/format.js';
import { resourcePath } from '../../shared/api/resource.js';
import { Failure } from '../cluster/failure.js';
import { addFileFlags, dryRunFlag, dryRunOf, dryRunSuffix, type FileFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { booleanFlag } from '../flags.js';
import { findObjects } from '../found-objects.js';
import { placedObjects } from '../manifest-objects.js';
import { addPrintFlags, objectWriter, type PrintFlags } from '../print-flags.js';
import { goJson } from '../printer/json.js';
import { objectName } from '../resource-mapper.js';
import type { AnyObject } from '../server-api.js';
import { appliedNote, lastApplied } from './last-applied.js';

interface ViewFlags extends FileFlags {
  output: string;
  selector?: string;
  all: boolean;
}
interface SetFlags extends FileFlags, PrintFlags {
  createAnnotation: boolean;
  dryRun: string;
}

/** `apply view-last-applied` and `apply set-last-applied`. */
export function registerLastApplied(apply: Command, host: CommandHost): void {
  const view = apply
    .command('view-last-applied')
    .description('show the manifest of the last apply')
    .usage('(TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME) [flags]')
    .option('-o, --output <format>', 'yaml or json', 'yaml')
    .option('-l, --selector <query>', 'label selector')
    .addOption(booleanFlag('--all', 'all objects of the types'));
  host.bind<ViewFlags>(addFileFlags(view), (context, flags, { words }) => viewLastApplied(context, flags, words));
  const set = apply
    .command('set-last-applied')
    .description('note the manifest as that of the last apply, without any other change')
    .usage('-f FILENAME [flags]')
    .addOption(booleanFlag('--create-annotation', 'also where there is no note yet'))
    .addOption(dryRunFlag());
  host.bind<SetFlags>(addFileFlags(addPrintFlags(set)), (context, flags) => setLastApplied(context, flags));
}

async function viewLastApplied(context: CommandContext, flags: ViewFlags, words: readonly string[]): Promise<void> {
  if (flags.output !== 'yaml' && flags.output !== 'json')
    throw new Failure(`Unexpected -o output mode: ${flags.output}, the flag 'output' must be one of yaml|json`);
  const { selector, all, filename: files, recursive: isRecursive } = flags;
  const { found, errors } = await findObjects(context, { words, selector, all, files, isRecursive });
  for (const { object, type, name } of found) {
    const noted = lastApplied(object) as AnyObject | undefined;
    if (noted) context.print(flags.output === 'json' ? goJson(noted, 2) : formatManifest(noted).trimEnd());
    else
      errors.push(
        new Failure(`no last-applied-configuration annotation found on resource: ${name}, type: ${type.kind}`),
      );
  }
  throwCollected(errors);
}

async function setLastApplied(context: CommandContext, flags: SetFlags): Promise<void> {
  if (!flags.filename) throw new Failure('must specify one of -f and -k');
  const dryRun = dryRunOf(flags.dryRun);
  const write = objectWriter(context, flags);
  const { objects, errors } = await placedObjects(context, { files: flags.filename, isRecursive: flags.recursive });
  const api = await context.api();
  for (const { type, namespace, object } of objects) {
    const name = object.metadata.name ?? '';
    const path = resourcePath(type, namespace, name);
    try {
      const live = await api.json({ path });
      const text = appliedNote(object);
      const before = live.metadata.annotations?.[ANNOTATION_LAST_APPLIED];
      if (before === undefined && !flags.createAnnotation)
        throw new Failure(
          `no last-applied-configuration annotation found on resource: ${name}, to create the annotation, run the command with --create-annotation`,
        );
      if (before?.trim() === text.trim()) {
        context.print(`set-last-applied ${name}: no changes required.`);
        continue;
      }
      let result = live;
      if (dryRun !== 'client') {
        result = await api.json({
          method: 'PATCH',
          path,
          query: { dryRun: dryRun === 'server' ? 'All' : undefined },
          contentType: 'application/merge-patch+json',
          body: { metadata: { annotations: { [ANNOTATION_LAST_APPLIED]: text } } },
        });
      }
      await write(result, `${objectName(type, name)} configured${dryRunSuffix(dryRun)}`);
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}
