import { resourcePath } from '../../shared/api/resource.js';
import { isConflict, isNotFound, StatusError } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import { dryRunOf, dryRunSuffix, fieldValidationOf } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { explainRefusal, placedObjects, withLabels, type PlacedObject } from '../manifest-objects.js';
import { objectPrinter, type ObjectPrinter } from '../printer/object-printer.js';
import { objectName } from '../resource-mapper.js';
import type { AnyObject } from '../server-api.js';
import type { ApplyFlags, Applying } from './applying.js';
import { patchExisting } from './client-side.js';
import { withLastApplied } from './last-applied.js';
import { prune } from './prune.js';
import { applyOnServer, serverSideManager } from './server-side.js';

/** What was done to an object: `created`, `configured`, `unchanged`, `serverside-applied`. */
interface Outcome {
  readonly verb: string;
  readonly object: AnyObject;
}

export async function runApply(context: CommandContext, flags: ApplyFlags, words: readonly string[]): Promise<void> {
  if (words.length > 0)
    throw new Failure(`Unexpected args: [${words.join(' ')}]\nSee 'knarr apply -h' for help and examples`);
  if (!flags.filename) throw new Failure('must specify one of -f and -k');
  checkFlags(flags);
  const dryRun = dryRunOf(flags.dryRun);
  const validation = fieldValidationOf(flags.validate);
  const printer = objectPrinter(flags.output, { showManagedFields: flags.showManagedFields });
  const { objects, errors } = await placedObjects(context, { files: flags.filename, isRecursive: flags.recursive });
  const chosen = withLabels(objects, flags.selector);
  if (chosen.length === 0 && errors.length === 0) throw new Failure('no objects passed to apply');
  const applying: Applying = {
    context,
    flags,
    dryRun,
    api: await context.api(),
    mapper: await context.mapper(),
    query: {
      dryRun: dryRun === 'server' ? 'All' : undefined,
      fieldManager: flags.fieldManager ?? (flags.serverSide ? serverSideManager : 'kubectl-client-side-apply'),
      fieldValidation: validation,
    },
  };
  const applied: AnyObject[] = [];
  for (const placed of chosen) {
    try {
      const outcome: Outcome = flags.serverSide
        ? { verb: 'serverside-applied', object: await applyOnServer(applying, placed) }
        : await applyOnClient(applying, placed);
      applied.push(outcome.object);
      if (!printer)
        context.print(
          `${objectName(placed.type, outcome.object.metadata.name ?? '')} ${outcome.verb}${dryRunSuffix(dryRun)}`,
        );
    } catch (error) {
      context.signal.throwIfAborted();
      if (flags.serverSide && isConflict(error) && error instanceof StatusError) {
        errors.push(new Failure(`${error.message}\n${conflictAdvice}`));
        continue;
      }
      errors.push(await explainRefusal(error, placed, applying.api));
    }
  }
  if (flags.prune && errors.length === 0) await prune(applying, applied);
  if (printer) await printApplied(context, applied, printer);
  throwCollected(errors);
}

const conflictAdvice = `Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`;

function checkFlags(flags: ApplyFlags): void {
  if (flags.forceConflicts && !flags.serverSide) throw new Failure('--force-conflicts only works with --server-side');
  if (flags.prune && !flags.all && flags.selector === undefined)
    throw new Failure(
      'all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector',
    );
  if (flags.serverSide && flags.force) throw new Failure('--force cannot be used with --server-side');
  if (flags.serverSide && dryRunOf(flags.dryRun) === 'client') {
    throw new Failure("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)");
  }
}

async function printApplied(
  context: CommandContext,
  applied: readonly AnyObject[],
  printer: ObjectPrinter,
): Promise<void> {
  const [first] = applied;
  if (!first) return;
  const list = { apiVersion: 'v1', items: applied, kind: 'List', metadata: { resourceVersion: '' } };
  context.print(await (applied.length === 1 ? printer(first, false) : printer(list as unknown as AnyObject, true)));
}

async function applyOnClient(applying: Applying, placed: PlacedObject): Promise<Outcome> {
  const { type, object, namespace } = placed;
  if (object.metadata.name === undefined || object.metadata.name === '') {
    throw new Failure(
      `error when retrieving current configuration of: ${placed.source}: resource name may not be empty`,
    );
  }
  const path = resourcePath(type, namespace, object.metadata.name);
  const current = await applying.api.json({ path }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (current) return patchExisting(applying, placed, current);
  const body = withLastApplied(object);
  if (applying.dryRun === 'client') return { verb: 'created', object: body };
  const created = await applying.api.json({
    method: 'POST',
    path: resourcePath(type, namespace),
    query: applying.query,
    body,
  });
  return { verb: 'created', object: created };
}
