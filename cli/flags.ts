import { Command, Option } from 'commander';
import { Failure } from './cluster/failure.js';
import { parseDuration } from './duration.js';

/** A truth value that may be given as `--wait`, `--wait=true` or `--wait=false`. */
export function booleanFlag(names: string, description: string, byDefault = false): Option {
  return parsing(new Option(`${names} [bool]`, description).preset('true').default(byDefault), parseBoolean);
}

function parseBoolean(text: string): boolean {
  if (['true', '1', 't', 'T', 'TRUE', 'True'].includes(text)) return true;
  if (['false', '0', 'f', 'F', 'FALSE', 'False'].includes(text)) return false;
  throw new Failure(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** A value that a flag cannot take; the command tells how it is used. */
export class FlagFailure extends Failure {}

/** The same parser, its failures told with the value and the flag, as pflag words them. */
function parsing<Value>(option: Option, parse: (text: string, before: Value | undefined) => Value): Option {
  return option.argParser((text: string, before: Value | undefined) => {
    try {
      return parse(text, before);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const value = JSON.stringify(text);
      throw new FlagFailure(`invalid argument ${value} for "${shownName(option)}" flag: ${error.message}`);
    }
  });
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

/** A flag of KEY=VALUE pairs, with commas between them; may be repeated. Given as an object. */
export function pairsFlag(names: string, description: string): Option {
  const option = new Option(names, description).default({});
  return parsing<Record<string, string>>(option, (text, before) => ({
    ...before,
    ...Object.fromEntries(text.split(',').map(pairOf)),
  }));
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 0) throw new Failure(`${text} must be formatted as key=value`);
  return [text.slice(0, at), text.slice(at + 1)];
}

export function integerFlag(names: string, description: string, byDefault?: number): Option {
  const option = parsing(new Option(names, description), (text) => {
    if (!/^[-+]?\d+$/.test(text))
      throw new Failure(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    return Number(text);
  });
  return byDefault === undefined ? option : option.default(byDefault);
}

/** A length of time as Go writes it, kept as text; its form is checked. */
export function durationFlag(names: string, description: string, byDefault?: string): Option {
  const option = parsing(new Option(names, description), (text) => {
    if (/^[-+]?\d+$/.test(text) && Number(text) !== 0) {
      throw new Failure(`time: missing unit in duration ${JSON.stringify(text)}`);
    }
    parseDuration(text);
    return text;
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

/** Where a person finds how a command is used. */
export const see = (path: string): string => `\nSee '${path} --help' for usage.`;

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
  certificateAuthority?: string;
  clientCertificate?: string;
  clientKey?: string;
  insecureSkipTlsVerify?: boolean;
  tlsServerName?: string;
  warningsAsErrors?: boolean;
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
    .option('--certificate-authority <file>', 'certificate of the authority that signed that of the API server')
    .option('--client-certificate <file>', 'certificate to show to the API server')
    .option('--client-key <file>', 'its private key')
    .option('--tls-server-name <name>', 'name that the certificate of the API server must have')
    .addOption(
      booleanFlag('--insecure-skip-tls-verify', 'do not check the API server: anybody may be it').default(undefined),
    )
    .addOption(booleanFlag('--warnings-as-errors', 'exit code 1 when the server warns of something'))
    .addOption(accepted('-v, --v <level>'))
    .addOption(accepted('--vmodule <pattern>'))
    .addOption(accepted('--log-flush-frequency <duration>'))
    .addOption(accepted('--cache-dir <folder>'))
    .addOption(accepted('--disable-compression [bool]').preset('true'))
    .addOption(accepted('--match-server-version [bool]').preset('true'));
}

/** A flag of kubectl that means nothing here: there is no cache, no compression, and no log of libraries. */
const accepted = (names: string): Option => new Option(names, 'accepted for compatibility').hideHelp();
