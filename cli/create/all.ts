import type { Command } from 'commander';
import { arrayFlag, integerFlag, listFlag } from '../flags.js';
import { accessGenerators } from './access.js';
import { generator, type Generator } from './generator.js';
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
} from './generators.js';
import { ingressGenerator } from './ingress.js';
import { policyGenerators } from './policy.js';
import { secretGenerators } from './secret.js';
import { workloadGenerators } from './workload.js';

const dataFlags = (command: Command): Command =>
  command
    .addOption(arrayFlag('--from-literal <key=value>', 'one entry; may be repeated'))
    .addOption(listFlag('--from-file <[key=]path>', 'a file, or all files of a directory; may be repeated'))
    .addOption(listFlag('--from-env-file <path>', 'lines KEY=VALUE; may be repeated'));

const serviceFlags = (command: Command): Command =>
  command
    .addOption(listFlag('--tcp <port[:targetPort]>', 'port pair; may be repeated'))
    .addOption(integerFlag('--node-port <port>', 'port on every node'))
    .option('--clusterip <ip>', 'address of its own, or None')
    .option('--external-name <name>', 'DNS name that the Service stands for');

/** Every subcommand of `create` that makes an object of its flags. */
export const allGenerators: readonly Generator[] = [
  generator<DeploymentFlags>({
    path: ['deployment'],
    aliases: ['deploy'],
    description: 'a Deployment',
    flags: (command) =>
      command
        .addOption(listFlag('--image <image>', 'image of a container; may be repeated'))
        .addOption(integerFlag('-r, --replicas <count>', 'number of pods', 1))
        .addOption(integerFlag('--port <port>', 'port of the container')),
    object: ({ words, flags, command }) => deploymentObject(words, flags, command),
  }),
  generator<object>({
    path: ['namespace'],
    aliases: ['ns'],
    description: 'a Namespace',
    object: ({ words }) => namespaceObject(words),
  }),
  generator<object>({
    path: ['serviceaccount'],
    aliases: ['sa'],
    description: 'a ServiceAccount',
    object: ({ words }) => serviceAccountObject(words),
  }),
  generator<DataFlags>({
    path: ['configmap'],
    aliases: ['cm'],
    description: 'a ConfigMap',
    flags: dataFlags,
    object: ({ words, flags, files }) => configMapObject(words, flags, files),
  }),
  generator<DataFlags>({
    path: ['secret', 'generic'],
    description: 'a Secret from literals and files',
    flags: (command) => dataFlags(command).option('--type <type>', 'type of the Secret'),
    object: ({ words, flags, files }) => secretObject(words, flags, files),
  }),
  ...secretGenerators,
  ...['clusterip', 'nodeport', 'loadbalancer', 'externalname'].map((type) =>
    generator<ServiceFlags>({
      path: ['service', type],
      description: 'a Service of this type',
      flags: serviceFlags,
      object: ({ words, flags }) => serviceObject(words, type, flags),
    }),
  ),
  ...workloadGenerators,
  ...accessGenerators,
  ...policyGenerators,
  ingressGenerator,
];
