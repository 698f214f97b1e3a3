import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Kubeconfig } from '../../shared/client/kubeconfig.js';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { HelpFailure, throwCollected } from '../failures.js';
import { booleanFlag } from '../flags.js';
import { editOwnKubeconfig as edit, registerConfigWriters } from '../config/writers.js';
import { mergedKubeconfig } from '../kubeconfig.js';
import { isTemplate, objectPrinter } from '../printer/object-printer.js';
import type { AnyObject } from '../server-api.js';
import { alignColumns } from '../printer/text-table.js';

interface ViewFlags {
  raw: boolean;
  flatten: boolean;
  minify: boolean;
  output?: string;
}

export function register(program: Command, host: CommandHost): void {
  const config = program.command('config').description('show and change kubeconfig files');
  const view = config
    .command('view')
    .description('show the merged kubeconfig')
    .option('-o, --output <format>', 'yaml, json, jsonpath=...', 'yaml')
    .addOption(booleanFlag('--raw', 'with certificates, keys and tokens'))
    .addOption(booleanFlag('--flatten', 'with what the files that it names hold, certificates and keys too'))
    .addOption(booleanFlag('--minify', 'only what the current context uses'));
  host.bind<ViewFlags>(view, runView);
  const contexts = config
    .command('get-contexts')
    .description('list the contexts')
    .option('-o, --output <format>', 'name')
    .addOption(booleanFlag('--no-headers', 'no line of headers'));
  host.bind<{ output?: string; headers: boolean }>(contexts, runGetContexts);
  host.bind<object>(config.command('get-clusters').description('list the clusters'), (context) =>
    printNames(context, 'clusters'),
  );
  host.bind<object>(config.command('get-users').description('list the users'), (context) =>
    printNames(context, 'users'),
  );
  host.bind<object>(config.command('current-context').description('print the current context'), runCurrentContext);
  host.bind<object>(
    config.command('use-context').aliases(['use']).description('make a context the current one').usage('CONTEXT_NAME'),
    runUseContext,
  );
  registerConfigWriters(config, host);
}

const read = (context: CommandContext): Promise<Kubeconfig> =>
  mergedKubeconfig(context.flags.kubeconfig, context.terminal.env);

async function runView(
  context: CommandContext,
  flags: ViewFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  if (words.length > 0)
    throw new Failure(`unexpected arguments: [${words.join(' ')}]\nSee 'knarr config view -h' for help and examples`);
  const whole = await read(context);
  const minimal = flags.minify ? minified(whole, context.flags.context) : whole;
  const chosen = flags.flatten ? flattened(minimal) : minimal;
  const { preferences, ...kept }: Kubeconfig & { preferences?: object } =
    flags.raw || flags.flatten ? chosen : redacted(chosen);
  const shown = Object.keys(preferences ?? {}).length > 0 ? { ...kept, preferences } : kept;
  const printer = objectPrinter(flags.output, { showManagedFields: true });
  if (!printer) throw new Failure(`unable to match a printer suitable for the output format "${flags.output ?? ''}"`);
  const text = await printer(shown as unknown as AnyObject, false);
  context.terminal.stdout.write(isTemplate(flags.output) ? text : `${text}\n`);
}

function minified(config: Kubeconfig, asked: string | undefined): Kubeconfig {
  const name = asked || config['current-context'];
  if (!name) throw new Failure('current-context must exist in order to minify');
  const entry = config.contexts?.find((each) => each.name === name);
  if (!entry) throw new Failure(`cannot locate context ${name}`);
  return {
    ...config,
    'current-context': entry.name,
    contexts: [entry],
    clusters: (config.clusters ?? []).filter((each) => each.name === entry.context.cluster),
    users: (config.users ?? []).filter((each) => each.name === entry.context.user),
  };
}

/** With the content of the files that entries name in their places. */
function flattened(config: Kubeconfig): Kubeconfig {
  const embedded = <Content extends object>(content: Content): Content => {
    const fields = Object.entries(content).flatMap(([key, value]: [string, unknown]): [string, unknown][] => {
      if (!['certificate-authority', 'client-certificate', 'client-key'].includes(key)) return [[key, value]];
      return `${key}-data` in content ? [] : [[`${key}-data`, readFileSync(String(value)).toString('base64')]];
    });
    return Object.fromEntries(fields) as Content;
  };
  return {
    ...config,
    clusters: (config.clusters ?? []).map((each) => ({ ...each, cluster: embedded(each.cluster) })),
    users: (config.users ?? []).map((each) => ({ ...each, user: embedded(each.user) })),
  };
}

const secrets: Readonly<Record<string, string>> = {
  'certificate-authority-data': 'DATA+OMITTED',
  'client-certificate-data': 'DATA+OMITTED',
  'client-key-data': 'DATA+OMITTED',
  token: 'REDACTED',
  password: 'REDACTED',
};

function redacted<T>(value: T): T {
  if (Array.isArray(value)) return value.map(redacted) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      typeof inner === 'string' ? (secrets[key] ?? inner) : redacted(inner as unknown),
    ]),
  ) as T;
}

async function runGetContexts(
  context: CommandContext,
  flags: { output?: string; headers: boolean },
  { words }: { words: readonly string[] },
): Promise<void> {
  if (flags.output && flags.output !== 'name')
    throw new Failure(
      `--output ${flags.output} is not available in knarr config get-contexts; resetting to default output format`,
    );
  const config = await read(context);
  const chosen = (config.contexts ?? [])
    .filter(({ name }) => words.length === 0 || words.includes(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (flags.output === 'name') chosen.forEach(({ name }) => context.print(name));
  else printContexts(context, config, { chosen, withHead: !flags.headers });
  const missing = words.filter((name) => !config.contexts?.some((each) => each.name === name));
  throwCollected(missing.map((name) => new Failure(`context ${name} not found`)));
}

type ContextEntries = NonNullable<Kubeconfig['contexts']>;

function printContexts(
  context: CommandContext,
  config: Kubeconfig,
  { chosen, withHead }: { chosen: ContextEntries; withHead: boolean },
): void {
  const rows = chosen.map(({ name, context: entry }) => [
    name === config['current-context'] ? '*' : '',
    name,
    entry.cluster,
    entry.user,
    entry.namespace ?? '',
  ]);
  const head = ['CURRENT', 'NAME', 'CLUSTER', 'AUTHINFO', 'NAMESPACE'];
  const lines = alignColumns(withHead ? [head, ...rows] : rows);
  if (lines.length > 0) context.print(lines.join('\n'));
}

async function printNames(context: CommandContext, list: 'clusters' | 'users'): Promise<void> {
  const names = ((await read(context))[list] ?? []).map(({ name }) => name).sort();
  context.print(['NAME', ...names].join('\n'));
}

async function runCurrentContext(context: CommandContext): Promise<void> {
  const name = (await read(context))['current-context'];
  if (!name) throw new Failure('current-context is not set');
  context.print(name);
}

async function runUseContext(
  context: CommandContext,
  _flags: object,
  { words }: { words: readonly string[] },
): Promise<void> {
  const [name] = words;
  if (name === undefined || words.length !== 1) throw new HelpFailure(`Unexpected args: [${words.join(' ')}]`);
  if (name === '') throw new Failure('empty context names are not allowed');
  const config = await read(context);
  if (!config.contexts?.some((each) => each.name === name))
    throw new Failure(`no context exists with the name: "${name}"`);
  edit(context, (before) => ({ ...before, 'current-context': name }));
  context.print(`Switched to context "${name}".`);
}
