import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Kubeconfig } from '../../shared/client/kubeconfig.js';
import { editKubeconfig, kubeconfigOwner } from '../cluster/kubeconfig-file.js';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { HelpFailure } from '../failures.js';
import { booleanFlag } from '../flags.js';
import { kubeconfigFiles, mergedKubeconfig } from '../kubeconfig.js';
import { hasEntry, renamedContext, withEntry, withoutEntry, withProperty, type ConfigList } from './changes.js';

/** The file that a change goes to: the first of the list. */
const ownFile = (context: CommandContext): string =>
  kubeconfigFiles(context.flags.kubeconfig, context.terminal.env)[0] ?? '';

export function editOwnKubeconfig(context: CommandContext, change: (config: Kubeconfig) => Kubeconfig): void {
  const owner = kubeconfigOwner({ ...context.terminal.env }, readFileSync('/etc/passwd', 'utf8'));
  editKubeconfig(ownFile(context), owner, change);
}

const read = (context: CommandContext): Promise<Kubeconfig> =>
  mergedKubeconfig(context.flags.kubeconfig, context.terminal.env);

interface ClusterFlags {
  server?: string;
  certificateAuthority?: string;
  tlsServerName?: string;
  proxyUrl?: string;
  insecureSkipTlsVerify?: boolean;
  embedCerts: boolean;
}
interface UserFlags {
  clientCertificate?: string;
  clientKey?: string;
  username?: string;
  password?: string;
  token?: string;
  embedCerts: boolean;
}

type Words = { readonly words: readonly string[] };

/** The only word, or the failure that names what is missing. */
function nameOf({ words }: Words): string {
  const [name] = words;
  if (name === undefined || words.length !== 1) throw new HelpFailure(`Unexpected args: [${words.join(' ')}]`);
  return name;
}

export function registerConfigWriters(config: Command, host: CommandHost): void {
  registerSetCluster(config, host);
  registerSetCredentials(config, host);
  const context = config
    .command('set-context')
    .description('change or add a context')
    .usage('[NAME | --current] [--cluster=CLUSTER] [--user=USER] [--namespace=NAMESPACE]')
    .addOption(booleanFlag('--current', 'the current one'));
  host.bind<{ current: boolean }>(context, runSetContext);
  registerRemovals(config, host);
  const rename = config
    .command('rename-context')
    .description('give a context another name')
    .usage('CONTEXT_NAME NEW_NAME');
  host.bind<object>(rename, (command, _flags, { words }) => {
    const [from, to, ...more] = words;
    if (from === undefined || to === undefined || more.length > 0)
      throw new HelpFailure(`Unexpected args: [${words.join(' ')}]`);
    editOwnKubeconfig(command, (before) => renamedContext(before, from, to, ownFile(command)));
    command.print(`Context "${from}" renamed to "${to}".`);
    return Promise.resolve();
  });
  const set = config
    .command('set')
    .description('set a value')
    .usage('PROPERTY_NAME PROPERTY_VALUE')
    .addOption(booleanFlag('--set-raw-bytes', 'a value of bytes is given as it is, and not as base64'));
  host.bind<{ setRawBytes: boolean }>(set, (command, { setRawBytes }, { words }) => {
    const [path, value, ...more] = words;
    if (path === undefined || value === undefined || more.length > 0)
      throw new HelpFailure(`Unexpected args: [${words.join(' ')}]`);
    editOwnKubeconfig(command, (before) => withProperty(before, path, value, setRawBytes));
    command.print(`Property "${path}" set.`);
    return Promise.resolve();
  });
  const unset = config.command('unset').description('remove a value').usage('PROPERTY_NAME');
  host.bind<object>(unset, (command, _flags, args) => {
    const path = nameOf(args);
    editOwnKubeconfig(command, (before) => withProperty(before, path, undefined));
    command.print(`Property "${path}" unset.`);
    return Promise.resolve();
  });
}

/** A file, named by its path or put in whole. */
function fileField(field: string, path: string | undefined, isEmbedded: boolean): Record<string, unknown> {
  if (path === undefined) return {};
  if (!isEmbedded) return { [field]: resolve(path), [`${field}-data`]: undefined };
  if (!existsSync(path))
    throw new Failure(`could not stat ${field} file ${path}: stat ${path}: no such file or directory`);
  return { [`${field}-data`]: readFileSync(path).toString('base64'), [field]: undefined };
}

function registerSetCluster(config: Command, host: CommandHost): void {
  const command = config
    .command('set-cluster')
    .description('change or add a cluster')
    .usage('NAME [--server=server] [--certificate-authority=path/to/certificate/authority]')
    .option('--certificate-authority <file>', 'certificate of the authority')
    .option('--tls-server-name <name>', 'name that the certificate of the server must have')
    .option('--proxy-url <url>', 'the proxy by which clients that know proxies reach the server')
    .addOption(booleanFlag('--insecure-skip-tls-verify', 'do not check the server').default(undefined))
    .addOption(booleanFlag('--embed-certs', 'put the certificate into the file'));
  host.bind<ClusterFlags>(command, (context, flags, args) => {
    const name = nameOf(args);
    if (flags.insecureSkipTlsVerify && flags.certificateAuthority)
      throw new Failure('you cannot specify a certificate authority and insecure mode at the same time');
    editOwnKubeconfig(context, (before) =>
      withEntry(before, 'clusters', name, {
        ...fileField('certificate-authority', flags.certificateAuthority, flags.embedCerts),
        ...(flags.insecureSkipTlsVerify === undefined
          ? {}
          : { 'insecure-skip-tls-verify': flags.insecureSkipTlsVerify || undefined }),
        ...(context.flags.server === undefined ? {} : { server: context.flags.server }),
        ...(flags.proxyUrl === undefined ? {} : { 'proxy-url': flags.proxyUrl || undefined }),
        ...(flags.tlsServerName === undefined ? {} : { 'tls-server-name': flags.tlsServerName }),
      }),
    );
    context.print(`Cluster "${name}" set.`);
    return Promise.resolve();
  });
}

function registerSetCredentials(config: Command, host: CommandHost): void {
  const command = config
    .command('set-credentials')
    .description('change or add a user')
    .usage('NAME [--client-certificate=path/to/certfile] [--client-key=path/to/keyfile] [--token=bearer_token]')
    .option('--client-certificate <file>', 'certificate of the user')
    .option('--client-key <file>', 'its private key')
    .option('--username <name>', 'name for basic authentication')
    .option('--password <text>', 'password for basic authentication')
    .addOption(booleanFlag('--embed-certs', 'put certificate and key into the file'));
  host.bind<UserFlags>(command, (context, flags, args) => {
    const { words } = args;
    if (words.length !== 1) throw new HelpFailure(`unexpected args: [${words.join(' ')}]`);
    const name = nameOf(args);
    const { username, password, embedCerts } = flags;
    const { token } = context.flags;
    if (token && (username || password))
      throw new Failure(
        'you cannot specify more than one authentication method at the same time: --token, --username/--password',
      );
    editOwnKubeconfig(context, (before) =>
      withEntry(before, 'users', name, {
        ...fileField('client-certificate', flags.clientCertificate, embedCerts),
        ...fileField('client-key', flags.clientKey, embedCerts),
        ...(token === undefined ? {} : { token }),
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
      }),
    );
    context.print(`User "${name}" set.`);
    return Promise.resolve();
  });
}

async function runSetContext(context: CommandContext, flags: { current: boolean }, { words }: Words): Promise<void> {
  if (words.length > 1) nameOf({ words });
  if (flags.current && words.length > 0) throw new Failure('you cannot specify both a context name and --current');
  const config = await read(context);
  const name = flags.current ? config['current-context'] : words[0];
  if (!name)
    throw new Failure(
      flags.current ? 'no current context is set' : 'you must specify a non-empty context name or --current',
    );
  const { cluster, user, namespace } = context.flags;
  const isKnown = hasEntry(config, 'contexts', name);
  editOwnKubeconfig(context, (file) =>
    withEntry(file, 'contexts', name, {
      ...(cluster === undefined ? {} : { cluster }),
      ...(user === undefined ? {} : { user }),
      ...(namespace === undefined ? {} : { namespace: namespace === '' ? undefined : namespace }),
    }),
  );
  context.print(`Context "${name}" ${isKnown ? 'modified' : 'created'}.`);
}

/** `misuse`: kubectl shows the help of two of them, and does not call that a failure. */
const removals: readonly { command: string; what: string; list: ConfigList; misuse: () => Failure }[] = [
  { command: 'delete-cluster', what: 'cluster', list: 'clusters', misuse: () => new HelpFailure('') },
  {
    command: 'delete-user',
    what: 'user',
    list: 'users',
    misuse: () => new Failure("user to delete is required\nSee 'knarr config delete-user -h' for help and examples"),
  },
  { command: 'delete-context', what: 'context', list: 'contexts', misuse: () => new HelpFailure('') },
];

function registerRemovals(config: Command, host: CommandHost): void {
  for (const { command, what, list, misuse } of removals) {
    const removal = config.command(command).description(`remove a ${what}`).usage('NAME');
    host.bind<object>(removal, async (context, _flags, { words }) => {
      const [name] = words;
      if (name === undefined || words.length !== 1) throw misuse();
      const before = await read(context);
      const file = ownFile(context);
      if (!hasEntry(before, list, name)) throw new Failure(`cannot delete ${what} ${name}, not in ${file}`);
      if (list === 'contexts' && before['current-context'] === name)
        context.tell(
          'warning: this removed your active context, use "knarr config use-context" to select a different one',
        );
      editOwnKubeconfig(context, (own) => withoutEntry(own, list, name));
      context.print(`deleted ${what} ${name} from ${file}`);
    });
  }
}
