import { resourcePath } from '../../shared/api/resource.js';
import { Failure } from '../cluster/failure.js';
import type { WriteFlags } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { parseSelection } from '../selection.js';
import { createGenerated, type CreateOptions } from './create.js';
import { oneName } from './generator.js';
import { jobFrom } from './workload.js';

/** `create job NAME --from=cronjob/NAME`. */
export async function createJobFrom(
  context: CommandContext,
  flags: WriteFlags & CreateOptions,
  words: readonly string[],
  from: string,
): Promise<void> {
  const name = oneName(words, 'job');
  const [api, mapper, namespace] = await Promise.all([context.api(), context.mapper(), context.namespace()]);
  const selection = parseSelection([from], mapper);
  const target = selection.kind === 'names' ? selection.targets[0] : undefined;
  if (target?.type.kind !== 'CronJob') throw new Failure(`from must be an existing cronjob`);
  const cronJob = await api.json({ path: resourcePath(target.type, namespace, target.name) });
  await createGenerated(context, flags, jobFrom(name, cronJob));
}
