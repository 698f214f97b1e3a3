import type { Command } from 'commander';
import { jsonMergePatch } from '../shared/patch/json-merge-patch.js';
import { Failure } from './cluster/failure.js';
import { addFileFlags, dryRunFlag, dryRunOf, dryRunSuffix, type FileFlags } from './command-flags.js';
import type { CommandHost } from './command-host.js';
import type { CommandContext } from './context.js';
import { throwCollected } from './failures.js';
import { booleanFlag } from './flags.js';
import { findObjects, referenceName, referencePath, type FoundObject } from './found-objects.js';
import { localObjects } from './local-objects.js';
import { addPrintFlags, objectWriter, type ObjectWriter, type PrintFlags } from './print-flags.js';
import type { AnyObject } from './server-api.js';

/** label and annotate: the same command over another map of the metadata. */
export interface MetadataCommand {
  readonly name: 'label' | 'annotate';
  readonly field: 'labels' | 'annotations';
  readonly description: string;
  readonly done: string;
  /** Said when keys are only removed, and when some are removed and others set. */
  readonly removed: string;
  readonly both: string;
  readonly manager: string;
}

interface MetadataFlags extends FileFlags, PrintFlags {
  local: boolean;
  overwrite: boolean;
  list: boolean;
  all: boolean;
  allNamespaces: boolean;
  selector?: string;
  fieldSelector?: string;
  resourceVersion?: string;
  dryRun: string;
  fieldManager: string;
}

export function registerMetadataCommand(program: Command, host: CommandHost, kind: MetadataCommand): void {
  const command = program
    .command(kind.name)
    .description(kind.description)
    .usage(`[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N KEY- [flags]`)
    .option('-l, --selector <query>', 'label selector')
    .option('--field-selector <query>', 'field selector')
    .option('--resource-version <version>', 'only if the object has this version')
    .option('--field-manager <name>', 'name under which the server notes the change', kind.manager)
    .addOption(booleanFlag('--overwrite', 'change keys that are set already'))
    .addOption(booleanFlag('--list', 'print them'))
    .addOption(booleanFlag('--local', 'change what files hold, and ask no server'))
    .addOption(booleanFlag('--all', 'all objects of the types'))
    .addOption(booleanFlag('-A, --all-namespaces', 'of all namespaces'))
    .addOption(dryRunFlag());
  addFileFlags(addPrintFlags(command));
  host.bind<MetadataFlags>(command, (context, flags, { words }) => run(context, flags, words, kind));
}

const isLabelValue = (text: string): boolean =>
  text === '' || (text.length <= 63 && /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(text));

const aLabelValue = (text: string): string =>
  text.length > 63
    ? 'must be no more than 63 bytes'
    : "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/** Changes to a map: null removes. */
export type MapChanges = ReadonlyMap<string, string | null>;

/** Splits `pod web a=b c-` into what is meant and what is to change. */
export function parseMapChanges(words: readonly string[], what = 'label'): { targets: string[]; changes: MapChanges } {
  const targets: string[] = [];
  const changes = new Map<string, string | null>();
  for (const word of words) {
    const isChange = (word.includes('=') && !word.startsWith('=')) || (word.endsWith('-') && word !== '-');
    if (!isChange) {
      if (changes.size > 0) throw new Failure(`all resources must be specified before ${what} changes: ${word}`);
      targets.push(word);
      continue;
    }
    const at = word.indexOf('=');
    const key = at < 0 ? word.slice(0, -1) : word.slice(0, at);
    if (key === '') throw new Failure(`invalid ${what} spec: ${word}`);
    const value = at < 0 ? null : word.slice(at + 1);
    if (what === 'label' && value?.includes('=')) throw new Failure(`invalid label spec: ${word}`);
    if (what === 'label' && value !== null && !isLabelValue(value))
      throw new Failure(`invalid label value: ${JSON.stringify(word)}: ${aLabelValue(value)}`);
    if (changes.has(key) && (value === null) !== (changes.get(key) === null)) {
      throw new Failure(`can not both modify and remove a ${what} in the same command`);
    }
    changes.set(key, value);
  }
  return { targets, changes };
}

async function run(
  context: CommandContext,
  flags: MetadataFlags,
  words: readonly string[],
  kind: MetadataCommand,
): Promise<void> {
  const what = kind.field.slice(0, -1);
  const { targets, changes } = parseMapChanges(words, what);
  checkFlags(flags, targets);
  if (changes.size === 0 && !flags.list) throw new Failure(`at least one ${what} update is required`);
  const { selector, fieldSelector, all, allNamespaces, filename: files, recursive: isRecursive } = flags;
  const query = { words: targets, selector, fieldSelector, all, allNamespaces, files, isRecursive };
  const { found, errors } = flags.local
    ? { found: await localObjects(context, flags, onlyFiles), errors: [] }
    : await findObjects(context, query);
  if (flags.list && flags.output) throw new Failure('--list and --output may not be specified together');
  const isHeaded = found.length + errors.length > 1 ? files?.length !== 1 : all || selector !== undefined;
  if (flags.resourceVersion && found.length + errors.length > 1)
    throw new Failure('--resource-version may only be used with a single resource');
  const write = objectWriter(context, flags);
  for (const target of found) {
    try {
      if (flags.list) listEntries(context, target, { kind, changes, isHeaded, overwrite: flags.overwrite });
      else await change(context, flags, { target, changes, kind, write });
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

/** What no server needs to be asked for. @throws Failure */
function checkFlags(
  { all, selector, fieldSelector, local, filename }: MetadataFlags,
  targets: readonly string[],
): void {
  if (all && selector) throw new Failure('cannot set --all and --selector at the same time');
  if (all && fieldSelector) throw new Failure('cannot set --all and --field-selector at the same time');
  if (!local && targets.length === 0 && !filename)
    throw new Failure('one or more resources must be specified as <resource> <name> or <resource>/<name>');
}

const onlyFiles = 'can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set';

interface Listing {
  readonly kind: MetadataCommand;
  readonly changes: MapChanges;
  readonly isHeaded: boolean;
  readonly overwrite: boolean;
}

/** What the object would have; --list changes nothing, as with kubectl. */
function listEntries(
  context: CommandContext,
  { type, name, object }: FoundObject,
  { kind, changes, isHeaded, overwrite }: Listing,
): void {
  const before = object.metadata[kind.field] ?? {};
  if (!overwrite) refuseOverwrite(before, changes, kind);
  if (isHeaded) context.print(`Listing ${kind.field} for ${type.kind}.${type.group}/${name}:`);
  const indent = isHeaded ? ' ' : '';
  for (const [key, value] of Object.entries(withChanges(before, changes))) context.print(`${indent}${key}=${value}`);
}

const withChanges = (before: Readonly<Record<string, string>>, changes: MapChanges): Record<string, string> =>
  Object.fromEntries(
    [...new Map<string, string | null>([...Object.entries(before), ...changes])].filter(
      (entry): entry is [string, string] => entry[1] !== null,
    ),
  );

async function change(
  context: CommandContext,
  flags: MetadataFlags,
  {
    target,
    changes,
    kind,
    write,
  }: { target: FoundObject; changes: MapChanges; kind: MetadataCommand; write: ObjectWriter },
): Promise<void> {
  const before = target.object.metadata[kind.field] ?? {};
  if (!flags.overwrite) refuseOverwrite(before, changes, kind);
  const effective = [...changes].filter(([key, value]) => (before[key] ?? null) !== value);
  const dryRun = dryRunOf(flags.dryRun);
  const isSent = dryRun !== 'client' && !flags.local;
  for (const [key, value] of changes) {
    if (isSent && kind.field === 'labels' && value === null && before[key] === undefined)
      context.print(`label "${key}" not found.`);
  }
  const patch = { metadata: { [kind.field]: Object.fromEntries(effective) } };
  let result = jsonMergePatch(target.object, patch) as AnyObject;
  if (effective.length > 0 && isSent) {
    const api = await context.api();
    const { resourceVersion } = flags;
    result = await api.json({
      method: 'PATCH',
      path: referencePath(target),
      query: { dryRun: dryRun === 'server' ? 'All' : undefined, fieldManager: flags.fieldManager },
      contentType: 'application/merge-patch+json',
      body: {
        metadata: { [kind.field]: Object.fromEntries(effective), ...(resourceVersion ? { resourceVersion } : {}) },
      },
    });
  }
  await write(result, `${referenceName(target)} ${outcome(target, changes, kind)}${dryRunSuffix(dryRun)}`);
}

/** By what became of the labels; annotate tells of one outcome only. */
function outcome({ object }: FoundObject, changes: MapChanges, kind: MetadataCommand): string {
  if (kind.field === 'annotations') return kind.done;
  const before = object.metadata.labels ?? {};
  const effective = [...changes].filter(([key, value]) => (before[key] ?? null) !== value);
  const removes = effective.some(([, value]) => value === null);
  const sets = effective.some(([, value]) => value !== null);
  if (removes && sets) return kind.both;
  return sets ? kind.done : removes ? kind.removed : `not ${kind.done}`;
}

function refuseOverwrite(before: Readonly<Record<string, string>>, changes: MapChanges, kind: MetadataCommand): void {
  const clashes = [...changes].filter(
    ([key, value]) => value !== null && before[key] !== undefined && before[key] !== value,
  );
  if (clashes.length === 0) return;
  if (kind.field === 'labels') {
    const lines = clashes.map(
      ([key]) => `'${key}' already has a value (${before[key] ?? ''}), and --overwrite is false`,
    );
    throw new Failure(lines.length === 1 ? (lines[0] ?? '') : `[${lines.join(', ')}]`);
  }
  const keys = clashes.map(([key]) => `"${key}"`).join(', ');
  throw new Failure(
    `--overwrite is false but found the following declared annotation(s): ${clashes.map(([key]) => `'${key}' already has a value (${before[key] ?? ''})`).join('; ') || keys}`,
  );
}
