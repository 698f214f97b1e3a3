import { Option, type Command } from 'commander';
import { resourcePath } from '../../shared/api/resource.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { lastApplied, withLastApplied } from '../apply/last-applied.js';
import { Failure } from '../cluster/failure.js';
import {
  addFileFlags,
  addWriteFlags,
  dryRunOf,
  dryRunSuffix,
  fieldValidationOf,
  type FileFlags,
  type WriteFlags,
} from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { throwCollected } from '../failures.js';
import { durationFlag, booleanFlag, integerFlag } from '../flags.js';
import { explainRefusal, placedObjects, type PlacedObject } from '../manifest-objects.js';
import { observe } from '../observation.js';
import { objectWriter } from '../print-flags.js';
import { kindName, objectName } from '../resource-mapper.js';
import type { AnyObject, ApiRequest } from '../server-api.js';
import { sendRaw } from '../raw-request.js';

interface ReplaceFlags extends FileFlags, WriteFlags {
  force: boolean;
  cascade: string;
  gracePeriod: number;
  timeout: string;
  subresource?: string;
  saveConfig: boolean;
  raw?: string;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('replace')
    .description('replace objects by manifests')
    .usage('-f FILENAME [flags]')
    .option('--subresource <name>', 'status or scale instead of the object')
    .option('--raw <path>', 'send the file with PUT to this path of the server')
    .addOption(booleanFlag('--force', 'delete the objects and create them again'))
    .addOption(booleanFlag('--save-config', 'note the manifest for a later apply'))
    .addOption(booleanFlag('--wait', 'accepted for compatibility'))
    .addOption(integerFlag('--grace-period <seconds>', 'with --force, time for the old object to end', -1))
    .addOption(
      new Option('--cascade [strategy]', 'background, orphan or foreground').preset('background').default('background'),
    )
    .addOption(durationFlag('--timeout <duration>', 'with --force, how long to wait', '0s'));
  addFileFlags(command);
  host.bind<ReplaceFlags>(addWriteFlags(command), runReplace);
}

async function runReplace(
  context: CommandContext,
  flags: ReplaceFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  if (flags.raw !== undefined)
    return sendRaw(context, { method: 'PUT', path: flags.raw, file: flags.filename?.[0] ?? '-' });
  if (words.length > 0)
    throw new Failure(`Unexpected args: [${words.join(' ')}]\nSee 'knarr replace -h' for help and examples`);
  if (!flags.filename) throw new Failure('must specify one of -f and -k');
  const dryRun = dryRunOf(flags.dryRun);
  if (flags.force && dryRun !== 'none') throw new Failure('--dry-run can not be used when --force is set');
  const { objects, errors } = await placedObjects(context, { files: flags.filename, isRecursive: flags.recursive });
  const api = await context.api();
  if (flags.force) await deleteAll(context, flags, objects);
  const write = objectWriter(context, flags);
  for (const placed of objects) {
    try {
      const replaced = dryRun === 'client' ? placed.object : await api.json(await requestFor(context, flags, placed));
      const name = objectName(placed.type, replaced.metadata.name ?? '');
      await write(replaced, `${name} replaced${dryRunSuffix(dryRun)}`);
    } catch (error) {
      errors.push(await explainRefusal(error, placed, api, 'replacing'));
    }
  }
  throwCollected(errors);
}

/** PUT of the manifest, or POST after a delete. A manifest without resourceVersion replaces whatever is there. */
async function requestFor(
  context: CommandContext,
  flags: ReplaceFlags,
  { type, object, namespace }: PlacedObject,
): Promise<ApiRequest> {
  const query = {
    dryRun: dryRunOf(flags.dryRun) === 'server' ? 'All' : undefined,
    fieldManager: flags.fieldManager ?? 'kubectl-replace',
    fieldValidation: fieldValidationOf(flags.validate),
  };
  if (flags.force) {
    const body = flags.saveConfig ? withLastApplied(object) : object;
    return { method: 'POST', path: resourcePath(type, namespace), query, body };
  }
  const path = resourcePath(type, namespace, object.metadata.name ?? '', flags.subresource);
  const api = await context.api();
  const current = await api.json({ path });
  // An object that apply looks after keeps its note up to date.
  const isNoted = flags.saveConfig || lastApplied(current) !== undefined;
  const noted: AnyObject = isNoted ? withLastApplied(object) : object;
  const { resourceVersion = current.metadata.resourceVersion } = object.metadata;
  const version = resourceVersion === undefined ? {} : { resourceVersion };
  return { method: 'PUT', path, query, body: { ...noted, metadata: { ...noted.metadata, ...version } } };
}

const policies: Readonly<Record<string, string>> = {
  background: 'Background',
  orphan: 'Orphan',
  foreground: 'Foreground',
};
const defaultWaitMs = 5 * 60_000;

async function deleteAll(
  context: CommandContext,
  flags: ReplaceFlags,
  objects: readonly PlacedObject[],
): Promise<void> {
  const api = await context.api();
  const seconds = flags.gracePeriod >= 0 ? { gracePeriodSeconds: flags.gracePeriod } : {};
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: policies[flags.cascade], ...seconds };
  for (const { type, namespace, object } of objects) {
    const name = object.metadata.name ?? '';
    try {
      const { metadata } = await api.json({ path: resourcePath(type, namespace, name) });
      await api.json({ method: 'DELETE', path: resourcePath(type, namespace, name), body });
      context.print(`${kindName(type)} "${name}" deleted${type.namespaced ? ` from ${namespace} namespace` : ''}`);
      const limitMs = parseDuration(flags.timeout) || defaultWaitMs;
      for await (const state of observe(context, { type, name, namespace }, limitMs)) {
        if (!state || state.metadata.uid !== metadata.uid) break;
      }
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
