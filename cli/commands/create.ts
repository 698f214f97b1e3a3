import { readFileSync, readdirSync, statSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { addFileFlags, addWriteFlags, type FileFlags, type WriteFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import { createFromFiles, createGenerated, type CreateOptions } from '../create/create.js';
import {
  configMapObject,
  deploymentObject,
  namespaceObject,
  secretObject,
  serviceAccountObject,
  serviceObject,
  type DataFlags,
  type DeploymentFlags,
  type ServiceFlags,
} from '../create/generators.js';
import { arrayFlag, booleanFlag, integerFlag, listFlag } from '../flags.js';

const files = {
  read: (path: string): Buffer => readFileSync(path),
  isDirectory: (path: string): boolean => statSync(path).isDirectory(),
  list: (path: string): string[] =>
    readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : [])),
};

type Flags = FileFlags & WriteFlags & CreateOptions;

export function register(program: Command, host: CommandHost): void {
  const create = program
    .command('create')
    .description('create objects from manifests or from flags')
    .usage('-f FILENAME | TYPE NAME [flags]');
  addFileFlags(create).addOption(booleanFlag('--save-config', 'note the manifest for a later apply'));
  host.bind<Flags>(addWriteFlags(create), (context, flags, { words }) => createFromFiles(context, flags, words));
  const generator = (parent: Command, name: string, description: string, aliases: string[] = []): Command =>
    addWriteFlags(parent.command(name).aliases(aliases).description(description).usage('NAME [flags]')).addOption(
      booleanFlag('--save-config', 'note the manifest for a later apply'),
    );

  const deployment = generator(create, 'deployment', 'a Deployment', ['deploy'])
    .addOption(listFlag('--image <image>', 'image of a container; may be repeated'))
    .addOption(integerFlag('-r, --replicas <count>', 'number of pods', 1))
    .addOption(integerFlag('--port <port>', 'port of the container'));
  host.bind<Flags & DeploymentFlags>(deployment, (context, flags, { words, dashAt }) => {
    const names = words.slice(0, dashAt ?? words.length);
    return createGenerated(
      context,
      flags,
      deploymentObject(names, flags, dashAt === undefined ? [] : words.slice(dashAt)),
    );
  });

  const namespace = generator(create, 'namespace', 'a Namespace', ['ns']);
  host.bind<Flags>(namespace, (context, flags, { words }) => createGenerated(context, flags, namespaceObject(words)));
  const account = generator(create, 'serviceaccount', 'a ServiceAccount', ['sa']);
  host.bind<Flags>(account, (context, flags, { words }) =>
    createGenerated(context, flags, serviceAccountObject(words)),
  );

  const withData = (command: Command): Command =>
    command
      .addOption(arrayFlag('--from-literal <key=value>', 'one entry; may be repeated'))
      .addOption(listFlag('--from-file <[key=]path>', 'a file, or all files of a directory; may be repeated'))
      .addOption(listFlag('--from-env-file <path>', 'lines KEY=VALUE; may be repeated'));
  const configMap = withData(generator(create, 'configmap', 'a ConfigMap', ['cm']));
  host.bind<Flags & DataFlags>(configMap, (context, flags, { words }) =>
    createGenerated(context, flags, configMapObject(words, flags, files)),
  );
  const secret = create.command('secret').description('a Secret');
  const generic = withData(generator(secret, 'generic', 'a Secret from literals and files')).option(
    '--type <type>',
    'type of the Secret',
  );
  host.bind<Flags & DataFlags>(generic, (context, flags, { words }) =>
    createGenerated(context, flags, secretObject(words, flags, files)),
  );

  const service = create.command('service').aliases(['svc']).description('a Service');
  for (const type of ['clusterip', 'nodeport', 'loadbalancer', 'externalname']) {
    const command = generator(service, type, `a Service of this type`)
      .addOption(listFlag('--tcp <port[:targetPort]>', 'port pair; may be repeated'))
      .addOption(integerFlag('--node-port <port>', 'port on every node'))
      .option('--clusterip <ip>', 'address of its own, or None')
      .addOption(new Option('--external-name <name>', 'DNS name that the Service stands for'));
    host.bind<Flags & ServiceFlags>(command, (context, flags, { words }) =>
      createGenerated(context, flags, serviceObject(words, type, flags)),
    );
  }
}
