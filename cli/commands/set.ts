import type { Command } from 'commander';
import type { Container, PodSpec } from '../../shared/api/generated/types.js';
import { Failure } from '../cluster/failure.js';
import { addFileFlags, dryRunFlag, dryRunOf, dryRunSuffix, type FileFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { booleanFlag } from '../flags.js';
import { findObjects, referenceName, referencePath, type FoundObject } from '../found-objects.js';

interface SetFlags extends FileFlags {
  selector?: string;
  all: boolean;
  dryRun: string;
}

export function register(program: Command, host: CommandHost): void {
  const set = program.command('set').description('set features of objects');
  const image = set
    .command('image')
    .description('change the image of containers')
    .usage(
      '(-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N [flags]',
    )
    .option('-l, --selector <query>', 'label selector')
    .addOption(booleanFlag('--all', 'all objects of the types'))
    .addOption(dryRunFlag());
  addFileFlags(image);
  host.bind<SetFlags>(image, runSetImage);
}

async function runSetImage(
  context: CommandContext,
  flags: SetFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  const images = new Map(
    words
      .filter((word) => word.includes('='))
      .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
  if (images.size === 0) throw new Failure('at least one image update is required');
  const targets = words.filter((word) => !word.includes('='));
  const { selector, all, filename: files, recursive: isRecursive } = flags;
  const { found, errors } = await findObjects(context, { words: targets, selector, all, files, isRecursive });
  const dryRun = dryRunOf(flags.dryRun);
  const api = await context.api();
  for (const target of found) {
    try {
      const body = imagePatch(target, images);
      if (body === undefined) continue;
      if (dryRun !== 'client') {
        await api.json({
          method: 'PATCH',
          path: referencePath(target),
          query: { dryRun: dryRun === 'server' ? 'All' : undefined, fieldManager: 'kubectl-set' },
          contentType: 'application/strategic-merge-patch+json',
          body,
        });
      }
      context.print(`${referenceName(target)} image updated${dryRunSuffix(dryRun)}`);
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

/** The patch that sets the images; undefined when all are as wanted. @throws Failure for a container that is not there. */
function imagePatch({ object, type }: FoundObject, images: ReadonlyMap<string, string>): object | undefined {
  const spec = object['spec'] as (PodSpec & { template?: { spec?: PodSpec } }) | undefined;
  const podSpec = type.kind === 'Pod' ? spec : spec?.template?.spec;
  if (!podSpec) throw new Failure(`the object is not a pod or does not have a pod template: ${type.kind}`);
  const all = [...podSpec.containers, ...(podSpec.initContainers ?? [])];
  for (const name of images.keys()) {
    if (name !== '*' && !all.some((container) => container.name === name)) {
      throw new Failure(`unable to find container named "${name}"`);
    }
  }
  const changed = (containers: readonly Container[] | undefined): { name: string; image: string }[] =>
    (containers ?? []).flatMap(({ name, image }) => {
      const wanted = images.get(name) ?? images.get('*');
      return wanted === undefined || wanted === image ? [] : [{ name, image: wanted }];
    });
  const [containers, initContainers] = [changed(podSpec.containers), changed(podSpec.initContainers)];
  if (containers.length + initContainers.length === 0) return undefined;
  const patch = {
    ...(containers.length > 0 ? { containers } : {}),
    ...(initContainers.length > 0 ? { initContainers } : {}),
  };
  return { spec: type.kind === 'Pod' ? patch : { template: { spec: patch } } };
}
