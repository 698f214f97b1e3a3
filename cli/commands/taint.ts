import type { Command } from 'commander';
import type { Node, Taint } from '../../shared/api/generated/types.js';
import type { JsonObject } from '../../shared/api/json.js';
import { Failure } from '../cluster/failure.js';
import { dryRunFlag, dryRunOf, fieldValidationOf, validateFlag } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { booleanFlag } from '../flags.js';
import { findObjects, referenceName, referencePath, type FoundObject } from '../found-objects.js';
import { addPrintFlags, objectWriter, type PrintFlags } from '../print-flags.js';

interface TaintFlags extends PrintFlags {
  validate: string;
  overwrite: boolean;
  all: boolean;
  selector?: string;
  dryRun: string;
  fieldManager: string;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('taint')
    .description('set or remove taints of nodes')
    .usage('NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N [flags]')
    .option('-l, --selector <query>', 'label selector')
    .addOption(booleanFlag('--overwrite', 'change taints that are set already'))
    .addOption(booleanFlag('--all', 'all nodes'))
    .addOption(dryRunFlag())
    .addOption(validateFlag());
  command.option('--field-manager <name>', 'name under which the server notes the change', 'kubectl-taint');
  host.bind<TaintFlags>(addPrintFlags(command), runTaint);
}

/** One change: a taint to set, or a key (of one effect or all) to remove. */
type TaintChange =
  | { readonly kind: 'set'; readonly taint: Taint }
  | { readonly kind: 'remove'; readonly key: string; readonly effect: string | undefined };

const effects = new Set(['NoSchedule', 'PreferNoSchedule', 'NoExecute']);

/** Reads `key=value:NoSchedule`, `key:NoSchedule`, `key:NoSchedule-`, `key-`. @throws Failure */
export function parseTaintChange(text: string): TaintChange {
  const [, key = '', value, effect, minus] = /^([^=:]+?)(?:=([^:]*))?(?::([^:]*?))?(-)?$/.exec(text) ?? [];
  if (key === '') throw new Failure(`invalid taint spec: ${text}`);
  if (effect !== undefined && !effects.has(effect))
    throw new Failure(
      `invalid taint effect: ${effect}, unsupported taint effect\nSee 'knarr taint -h' for help and examples`,
    );
  if (minus) return { kind: 'remove', key, effect };
  if (effect === undefined) throw new Failure(`invalid taint spec: ${text}`);
  return { kind: 'set', taint: { key, ...(value ? { value } : {}), effect } };
}

async function runTaint(
  context: CommandContext,
  flags: TaintFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  const isTaint = (word: string): boolean => word.includes('=') || word.includes(':') || word.endsWith('-');
  const changes = words.filter(isTaint).map(parseTaintChange);
  const targets = words.filter((word) => !isTaint(word));
  if (words.length === 0) throw new Failure('one or more resources must be specified as <resource> <name>');
  if (changes.length === 0) throw new Failure('at least one taint update is required');
  if (!['node', 'nodes', 'no'].includes(targets[0] ?? '')) {
    throw new Failure(`invalid resource type ${targets[0] ?? ''}, only node types are supported`);
  }
  refuseConflicts(changes);
  const { found, errors } = await findObjects(context, { words: targets, selector: flags.selector, all: flags.all });
  for (const node of found) {
    try {
      await taintNode(context, flags, { node, changes });
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

/** @throws Failure where one taint is to be set and removed, or set twice */
function refuseConflicts(changes: readonly TaintChange[]): void {
  const sets = changes.flatMap((change) => (change.kind === 'set' ? [change.taint] : []));
  const twice = sets.find(({ key, effect }, at) =>
    sets.slice(0, at).some((other) => other.key === key && other.effect === effect),
  );
  if (twice) {
    const shown = `{${twice.key} ${twice.value ?? ''} ${twice.effect} <nil>}`;
    throw new Failure(
      `duplicated taints with the same key and effect: ${shown}\nSee 'knarr taint -h' for help and examples`,
    );
  }
  const both = changes.flatMap((change) =>
    change.kind === 'remove' &&
    sets.some(({ key, effect }) => key === change.key && (change.effect === undefined || effect === change.effect))
      ? [`${change.key}=${change.effect ?? ''}`]
      : [],
  );
  if (both.length > 0)
    throw new Failure(`can not both modify and remove the following taint(s) in the same command: ${both.join(', ')}`);
}

async function taintNode(
  context: CommandContext,
  flags: TaintFlags,
  { node, changes }: { node: FoundObject; changes: readonly TaintChange[] },
): Promise<void> {
  const dryRun = dryRunOf(flags.dryRun);
  const before = (node.object as unknown as Node).spec?.taints ?? [];
  const after = changedTaints(before, changes, { overwrite: flags.overwrite, node: node.name });
  if (dryRun !== 'client') {
    const api = await context.api();
    await api.json({
      method: 'PATCH',
      path: referencePath(node),
      query: {
        dryRun: dryRun === 'server' ? 'All' : undefined,
        fieldManager: flags.fieldManager,
        fieldValidation: fieldValidationOf(flags.validate),
      },
      contentType: 'application/merge-patch+json',
      body: {
        metadata: { resourceVersion: node.object.metadata.resourceVersion },
        spec: { taints: after.length > 0 ? after : null },
      },
    });
  }
  const isReplacing = changes.some(
    (change) =>
      change.kind === 'set' &&
      before.some(({ key, effect }) => key === change.taint.key && effect === change.taint.effect),
  );
  const kinds = new Set(changes.map(({ kind }) => kind));
  const word = isReplacing ? 'modified' : kinds.size > 1 ? 'modified' : kinds.has('set') ? 'tainted' : 'untainted';
  const spec = { ...(node.object['spec'] as JsonObject | undefined), taints: after };
  // kubectl does not say that it was a dry run.
  await objectWriter(context, flags)({ ...node.object, spec }, `${referenceName(node)} ${word}`);
}

/** Taints after the changes. @throws Failure for a taint that is there already, or one to remove that is not. */
export function changedTaints(
  before: readonly Taint[],
  changes: readonly TaintChange[],
  { overwrite, node }: { overwrite: boolean; node: string },
): Taint[] {
  let taints = [...before];
  for (const change of changes) {
    if (change.kind === 'remove') {
      const kept = taints.filter(
        ({ key, effect }) => key !== change.key || (change.effect !== undefined && effect !== change.effect),
      );
      if (kept.length === taints.length) {
        throw new Failure(`taint "${change.key}${change.effect ? `:${change.effect}` : ''}" not found`);
      }
      taints = kept;
      continue;
    }
    const isSame = ({ key, effect }: Taint): boolean => key === change.taint.key && effect === change.taint.effect;
    if (taints.some(isSame) && !overwrite) {
      throw new Failure(
        `node ${node} already has ${change.taint.key} taint(s) with same effect(s) and --overwrite is false`,
      );
    }
    taints = [...taints.filter((taint) => !isSame(taint)), change.taint];
  }
  return taints;
}
