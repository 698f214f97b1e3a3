import type { Command } from 'commander';
import { resourcePath } from '../../shared/api/resource.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import { addFileFlags, type FileFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { describeObject } from '../describe/describe.js';
import { throwCollected } from '../failures.js';
import { booleanFlag, integerFlag } from '../flags.js';
import { findObjects, listObjects, type FoundObject } from '../found-objects.js';
import { parseSelection } from '../selection.js';

interface DescribeFlags extends FileFlags {
  selector?: string;
  allNamespaces: boolean;
  showEvents?: boolean;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('describe')
    .description('show the details of objects, with what happened to them')
    .usage('(-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME) [flags]')
    .option('-l, --selector <query>', 'label selector')
    .addOption(booleanFlag('-A, --all-namespaces', 'of all namespaces'))
    .addOption(booleanFlag('--show-events', 'with events; by default where one object is shown').default(undefined))
    .addOption(integerFlag('--chunk-size <count>', 'accepted for compatibility', 500));
  addFileFlags(command);
  host.bind<DescribeFlags>(command, runDescribe);
}

async function runDescribe(
  context: CommandContext,
  flags: DescribeFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  if (words.length === 0 && !flags.filename)
    throw new Failure(
      'You must specify the type of resource to describe. Use "knarr api-resources" for a complete list of supported resources.\n',
    );
  const { selector, allNamespaces, filename: files, recursive: isRecursive } = flags;
  const query = {
    words,
    selector,
    allNamespaces,
    files,
    isRecursive,
    all: selector === undefined && words.length === 1 && !words[0]?.includes('/'),
  };
  const { found, errors } = await findObjects(context, query);
  const wasIncomplete = errors.length > 0;
  const extended = errors.length > 0 ? await byPrefix(context, words, errors) : [];
  const all = [...found, ...extended];
  const texts = [];
  const showsEvents = flags.showEvents ?? (found.length === 1 && !wasIncomplete);
  for (const each of all) texts.push(await describeObject(context, each, showsEvents));
  if (extended.length > 0) for (const text of texts) context.print(text);
  else if (texts.length > 0) context.terminal.stdout.write(texts.join('\n\n'));
  else if (errors.length === 0) context.tell(`No resources found${await scopeText(context, flags)}`);
  throwCollected(errors);
}

async function scopeText(context: CommandContext, flags: DescribeFlags): Promise<string> {
  return flags.allNamespaces ? '' : ` in ${await context.namespace()} namespace.`;
}

/** `describe pod web` shows all pods whose names begin so, when none is called exactly that. Takes back the failure when it finds some. */
async function byPrefix(context: CommandContext, words: readonly string[], errors: unknown[]): Promise<FoundObject[]> {
  const [only] = errors;
  if (errors.length !== 1 || !isNotFound(only) || words.length === 0) return [];
  const [api, mapper, namespace] = await Promise.all([context.api(), context.mapper(), context.namespace()]);
  const selection = parseSelection(words, mapper);
  const target = selection.kind === 'names' && selection.targets.length === 1 ? selection.targets[0] : undefined;
  if (!target) return [];
  const scope = { namespace: target.type.namespaced ? namespace : undefined };
  const found = (await listObjects(api, target.type, scope)).filter(({ name }) => name.startsWith(target.name));
  if (found.length === 0) return [];
  errors.length = 0;
  return Promise.all(
    found.map(async (each) => ({
      ...each,
      object: await api.json({ path: resourcePath(each.type, each.namespace, each.name) }),
    })),
  );
}
