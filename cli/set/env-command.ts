import type { Command } from 'commander';
import { resourcePath } from '../../shared/api/resource.js';
import type { EnvVar } from '../../shared/api/generated/types.js';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { booleanFlag, listFlag } from '../flags.js';
import type { FoundObject } from '../found-objects.js';
import { podSpecOf, selectContainers } from '../pod-template.js';
import { parseSelection } from '../selection.js';
import type { AnyObject } from '../server-api.js';
import { containerTitle, envFromKeys, envPatch, parseEnvChanges, sourceText, variableName } from './env.js';
import { addSetFlags, applySetting, targetsOf, type SetFlags } from './setting.js';

interface EnvFlags extends SetFlags {
  containers: string;
  from?: string;
  prefix: string;
  keys?: string[];
  env?: string[];
  list: boolean;
  resolve: boolean;
  overwrite: boolean;
}

export function registerSetEnv(set: Command, host: CommandHost): void {
  const command = set
    .command('env')
    .description('change environment variables of containers')
    .usage('RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N [flags]')
    .option('-c, --containers <pattern>', 'containers by name; * stands for anything', '*')
    .option('--from <type/name>', 'a ConfigMap or Secret whose keys become variables')
    .option('--prefix <text>', 'in front of the names that come from --from', '')
    .addOption(listFlag('--keys <keys>', 'only these keys of --from'))
    .addOption(listFlag('-e, --env <key=value>', 'a variable; may be repeated'))
    .addOption(booleanFlag('--list', 'print the variables'))
    .addOption(booleanFlag('--resolve', 'with --list, ask for values that are elsewhere'))
    .addOption(booleanFlag('--overwrite', 'change variables that are set already', true));
  host.bind<EnvFlags>(addSetFlags(command), (context, flags, { words }) => runSetEnv(context, flags, words));
}

async function runSetEnv(context: CommandContext, flags: EnvFlags, words: readonly string[]): Promise<void> {
  const { targets, changes } = parseEnvChanges([...words, ...(flags.env ?? [])]);
  if (flags.list && flags.output) throw new Failure('--list and --output may not be specified together');
  if (flags.keys && flags.from === undefined)
    throw new Failure('when specifying --keys, a configmap or secret must be provided with --from');
  if (flags.list) return listEnv(context, flags, targets);
  const from = flags.from === undefined ? [] : await variablesFrom(context, flags);
  const all = { set: [...changes.set, ...from], remove: changes.remove };
  const { containers, overwrite: isOverwriting } = flags;
  return applySetting(context, flags, targets, {
    done: 'env updated',
    failed: 'failed to patch env update to pod template:',
    plan: (target) => {
      if (selectContainers(podSpecOf(target), containers).length > 0)
        return envPatch(target, all, { containers, isOverwriting });
      context.tell(
        `Warning: ${target.type.kind}/${target.name} does not have any containers matching ${JSON.stringify(containers)}`,
      );
      return undefined;
    },
  });
}

async function variablesFrom(context: CommandContext, { from = '', prefix, keys }: EnvFlags): Promise<EnvVar[]> {
  const [api, mapper, namespace] = await Promise.all([context.api(), context.mapper(), context.namespace()]);
  const selection = parseSelection([from], mapper);
  const [target] = selection.kind === 'names' ? selection.targets : [];
  if (target?.type.kind !== 'ConfigMap' && target?.type.kind !== 'Secret')
    throw new Failure(`unsupported resource specified in --from`);
  const object = await api.json({ path: resourcePath(target.type, namespace, target.name) });
  const present = Object.keys((object['data'] ?? {}) as object).filter((key) => keys?.includes(key) ?? true);
  for (const key of present) {
    if (variableName(key) !== key) context.tell(`Warning: key ${key} transferred to ${variableName(key)}`);
  }
  return envFromKeys({ kind: target.type.kind, name: target.name, keys: present }, prefix);
}

async function listEnv(context: CommandContext, flags: EnvFlags, words: readonly string[]): Promise<void> {
  const { found, errors } = await targetsOf(context, flags, words);
  for (const target of found) {
    for (const { container } of selectContainers(podSpecOf(target), flags.containers)) {
      context.print(containerTitle(target, container));
      for (const variable of container.env ?? []) context.print(await lineOf(context, flags, target, variable));
    }
  }
  throwCollected(errors);
}

async function lineOf(
  context: CommandContext,
  flags: EnvFlags,
  { namespace }: FoundObject,
  variable: EnvVar,
): Promise<string> {
  const { name, value, valueFrom } = variable;
  if (!valueFrom) return `${name}=${value ?? ''}`;
  const reference = valueFrom.configMapKeyRef ?? valueFrom.secretKeyRef;
  if (!flags.resolve || !reference) return `# ${name} from ${sourceText(variable)}`;
  const [api, mapper] = await Promise.all([context.api(), context.mapper()]);
  const type = mapper.resolve(valueFrom.secretKeyRef ? 'secrets' : 'configmaps');
  const object: AnyObject = await api.json({ path: resourcePath(type, namespace, reference.name ?? '') });
  const stored = ((object['data'] ?? {}) as Record<string, string>)[reference.key] ?? '';
  return `${name}=${valueFrom.secretKeyRef ? Buffer.from(stored, 'base64').toString('utf8') : stored}`;
}
