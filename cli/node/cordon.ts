import { Failure } from '../cluster/failure.js';
import { dryRunSuffix, type DryRun } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { findObjects, referenceName, referencePath, type FoundObject } from '../found-objects.js';

export interface NodeQuery {
  readonly words: readonly string[];
  readonly selector: string | undefined;
}

/** Nodes by name or label. @throws Failure when nothing is asked for. */
async function findNodes(
  context: CommandContext,
  { words, selector }: NodeQuery,
  usage: string,
): Promise<{ found: FoundObject[]; errors: unknown[] }> {
  if (words.length === 0 && selector === undefined) {
    throw new Failure(`USAGE: ${usage} [flags]\nSee 'knarr ${usage.split(' ')[0]} -h' for help and examples`);
  }
  if (words.length > 0 && selector !== undefined)
    throw new Failure(
      `error: cannot specify both a node name and a --selector option\nSee 'knarr ${usage.split(' ')[0]} -h' for help and examples`,
    );
  return findObjects(context, { words, selector, defaultType: 'nodes' });
}

export interface Cordoning {
  readonly isUnschedulable: boolean;
  readonly dryRun: DryRun;
  /** The command that does it, where it is not cordon or uncordon. */
  readonly command?: string;
}

export async function setUnschedulable(
  context: CommandContext,
  query: NodeQuery,
  change: Cordoning,
): Promise<FoundObject[]> {
  const verb = change.isUnschedulable ? 'cordon' : 'uncordon';
  const { found, errors } = await findNodes(context, query, `${change.command ?? verb} NODE`);
  const api = await context.api();
  for (const node of found) {
    try {
      const spec = node.object['spec'] as { unschedulable?: boolean } | undefined;
      const isAlready = (spec?.unschedulable ?? false) === change.isUnschedulable;
      if (!isAlready && change.dryRun !== 'client') {
        await api.json({
          method: 'PATCH',
          path: referencePath(node),
          query: { dryRun: change.dryRun === 'server' ? 'All' : undefined, fieldManager: 'kubectl-cordon' },
          contentType: 'application/strategic-merge-patch+json',
          body: { spec: { unschedulable: change.isUnschedulable ? true : null } },
        });
      }
      context.print(`${referenceName(node)} ${isAlready ? 'already ' : ''}${verb}ed${dryRunSuffix(change.dryRun)}`);
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
  return found;
}
