import { Command, Option } from 'commander';
import { Failure } from './cluster/failure.js';

/** A truth value that may be given as `--wait`, `--wait=true` or `--wait=false`. */
export function booleanFlag(names: string, description: string, byDefault = false): Option {
  return new Option(`${names} [bool]`, description).preset('true').default(byDefault).argParser(parseBoolean);
}

function parseBoolean(text: string): boolean {
  if (['true', '1', 't', 'T', 'TRUE', 'True'].includes(text)) return true;
  if (['false', '0', 'f', 'F', 'FALSE', 'False'].includes(text)) return false;
  throw new Failure(`invalid argument "${text}": not true or false`);
}

/** A flag that may be repeated; each value may be a list with commas. */
export function listFlag(names: string, description: string): Option {
  return new Option(names, description).argParser((text: string, before: string[] | undefined) => [
    ...(before ?? []),
    ...text.split(','),
  ]);
}

/** A flag that may be repeated; commas are part of the value. */
export function arrayFlag(names: string, description: string): Option {
  return new Option(names, description).argParser((text: string, before: string[] | undefined) => [
    ...(before ?? []),
    text,
  ]);
}

export function integerFlag(names: string, description: string, byDefault?: number): Option {
  const option = new Option(names, description).argParser((text: string) => {
    if (!/^-?\d+$/.test(text)) {
      throw new Failure(
        `invalid argument "${text}" for "${shownName(option)}" flag: strconv.ParseInt: parsing "${text}": invalid syntax`,
      );
    }
    return Number(text);
  });
  return byDefault === undefined ? option : option.default(byDefault);
}

const shownName = (option: Option): string => [option.short, option.long].filter(Boolean).join(', ');

/**
 * Rewrites arguments from the forms that kubectl takes (`-oyaml`, `-o=yaml`, `-it`, `--wait=false`, a flag without its
 * value in front of an argument) to the one form `--flag=value`, of which commander and kubectl think the same.
 */
export function canonicalArguments(
  args: readonly string[],
  options: readonly Option[],
  path: string,
): CanonicalArguments {
  const flags: string[] = [];
  const operands: string[] = [];
  const queue = [...args];
  for (let token = queue.shift(); token !== undefined; token = queue.shift()) {
    if (token === '--') return { args: [...flags, '--', ...operands, ...queue], dashAt: operands.length };
    if (token.startsWith('--')) flags.push(longFlag(token, queue, options, path));
    else if (token.startsWith('-') && token !== '-') flags.push(...shortFlags(token, queue, options, path));
    else operands.push(token);
  }
  return { args: [...flags, '--', ...operands] };
}

export interface CanonicalArguments {
  readonly args: readonly string[];
  /** How many arguments stand in front of `--`; absent where there is none. */
  readonly dashAt?: number;
}

const see = (path: string): string => `\nSee '${path} --help' for usage.`;

function longFlag(token: string, queue: string[], options: readonly Option[], path: string): string {
  const [name, value] = cut(token);
  if (name === '--help') return name;
  const option = options.find((o) => o.long === name);
  if (!option) throw new Failure(`unknown flag: ${name}${see(path)}`);
  return `${name}=${value ?? valueOf(option, queue, () => `flag needs an argument: ${name}`, path)}`;
}

function shortFlags(token: string, queue: string[], options: readonly Option[], path: string): string[] {
  const flags: string[] = [];
  for (let at = 1; at < token.length; at++) {
    const letter = token[at] ?? '';
    if (letter === 'h') return [...flags, '--help'];
    const option = options.find((o) => o.short === `-${letter}`);
    if (!option) throw new Failure(`unknown shorthand flag: '${letter}' in ${token}${see(path)}`);
    const rest = token.slice(at + 1);
    if (rest.startsWith('=')) return [...flags, `${option.long ?? ''}=${rest.slice(1)}`];
    if (option.required && rest !== '') return [...flags, `${option.long ?? ''}=${rest}`];
    const missing = (): string => `flag needs an argument: '${letter}' in ${token}`;
    flags.push(`${option.long ?? ''}=${valueOf(option, queue, missing, path)}`);
  }
  return flags;
}

function valueOf(option: Option, queue: string[], missing: () => string, path: string): string {
  if (!option.required) return typeof option.presetArg === 'string' ? option.presetArg : 'true';
  const value = queue.shift();
  if (value === undefined) throw new Failure(missing() + see(path));
  return value;
}

function cut(token: string): [string, string | undefined] {
  const at = token.indexOf('=');
  return at < 0 ? [token, undefined] : [token.slice(0, at), token.slice(at + 1)];
}

/** Flags that every command takes. */
export interface GlobalFlags {
  kubeconfig?: string;
  context?: string;
  cluster?: string;
  user?: string;
  namespace?: string;
  server?: string;
  token?: string;
  requestTimeout?: string;
  as?: string;
  asGroup?: string[];
  asUid?: string;
}

/** Adds the flags of every command, except those that mean something else to this one (`create rolebinding --user`). */
export function addGlobalFlags(command: Command): Command {
  const own = new Set(command.options.map(({ long }) => long));
  for (const option of globalFlags().options) if (!own.has(option.long)) command.addOption(option);
  return command;
}

function globalFlags(): Command {
  return new Command()
    .option('--kubeconfig <file>', 'path to the kubeconfig file to use')
    .option('--context <name>', 'name of the kubeconfig context to use')
    .option('--cluster <name>', 'name of the kubeconfig cluster to use')
    .option('--user <name>', 'name of the kubeconfig user to use')
    .option('-n, --namespace <name>', 'namespace of this request')
    .option('-s, --server <url>', 'address of the API server')
    .option('--token <token>', 'bearer token for the API server')
    .option('--request-timeout <duration>', 'how long to wait for one answer of the server; 0 = for ever')
    .option('--as <name>', 'act as this user')
    .option('--as-uid <uid>', 'act with this uid')
    .addOption(arrayFlag('--as-group <name>', 'act as a member of this group; may be repeated'))
    .addOption(new Option('-v, --v <level>', 'accepted for compatibility').hideHelp());
}
