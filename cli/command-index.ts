import type { CommandModule } from './command-host.js';

export interface IndexEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly description: string;
  /** Exit code of one that waits when it is interrupted; where there is none, the signal itself ends it. */
  readonly interrupted?: number;
  readonly load: () => Promise<CommandModule>;
}

/** kubectl's commands, in its order. Their code is loaded when it runs: a start pays for one command, not for all. */
export const commandIndex: readonly IndexEntry[] = [
  { name: 'create', description: 'create objects', load: () => import('./commands/create.js') },
  { name: 'expose', description: 'make a Service for a workload', load: () => import('./commands/expose.js') },
  { name: 'run', description: 'run an image in a pod', interrupted: 1, load: () => import('./commands/run.js') },
  { name: 'set', description: 'set features of objects', load: () => import('./commands/set.js') },
  { name: 'explain', description: 'show the fields of a type', load: () => import('./commands/explain.js') },
  { name: 'get', description: 'show one or many objects', interrupted: 1, load: () => import('./commands/get.js') },
  { name: 'edit', description: 'change objects in an editor', load: () => import('./commands/edit.js') },
  { name: 'delete', description: 'delete objects', interrupted: 1, load: () => import('./commands/delete.js') },
  {
    name: 'rollout',
    description: 'manage the rollout of a workload',
    interrupted: 1,
    load: () => import('./commands/rollout.js'),
  },
  { name: 'scale', description: 'set the number of replicas', load: () => import('./commands/scale.js') },
  { name: 'autoscale', description: 'scale a workload by its use', load: () => import('./commands/autoscale.js') },
  {
    name: 'certificate',
    description: 'decide about certificate signing requests',
    load: () => import('./commands/certificate.js'),
  },
  {
    name: 'cluster-info',
    description: 'print the addresses of the control plane',
    load: () => import('./commands/cluster-info.js'),
  },
  { name: 'top', description: 'show the use of CPU and memory', load: () => import('./commands/top.js') },
  { name: 'cordon', description: 'mark a node as unschedulable', load: () => import('./commands/cordon.js') },
  { name: 'uncordon', description: 'mark a node as schedulable', load: () => import('./commands/cordon.js') },
  { name: 'drain', description: 'cordon a node and end its pods', load: () => import('./commands/drain.js') },
  { name: 'taint', description: 'set or remove taints of nodes', load: () => import('./commands/taint.js') },
  { name: 'describe', description: 'show the details of objects', load: () => import('./commands/describe.js') },
  {
    name: 'logs',
    aliases: ['log'],
    description: 'print the logs of a container',
    load: () => import('./commands/logs.js'),
  },
  { name: 'attach', description: 'attach to a running container', load: () => import('./commands/attach.js') },
  { name: 'exec', description: 'run a command in a container', load: () => import('./commands/exec.js') },
  {
    name: 'port-forward',
    description: 'make ports of a pod reachable here',
    interrupted: 0,
    load: () => import('./commands/port-forward.js'),
  },
  { name: 'proxy', description: 'serve the API on a local port', load: () => import('./commands/proxy.js') },
  { name: 'cp', description: 'copy files from and to containers', load: () => import('./commands/cp.js') },
  { name: 'auth', description: 'ask what is allowed, and who we are', load: () => import('./commands/auth.js') },
  {
    name: 'debug',
    description: 'look into a pod with a container of tools',
    interrupted: 1,
    load: () => import('./commands/debug.js'),
  },
  { name: 'events', description: 'show what happened', interrupted: 1, load: () => import('./commands/events.js') },
  { name: 'diff', description: 'show what an apply would change', load: () => import('./commands/diff.js') },
  { name: 'apply', description: 'bring objects to the state of manifests', load: () => import('./commands/apply.js') },
  { name: 'patch', description: 'change fields of objects', load: () => import('./commands/patch.js') },
  { name: 'replace', description: 'replace objects by manifests', load: () => import('./commands/replace.js') },
  {
    name: 'wait',
    description: 'wait until objects are in a state',
    interrupted: 1,
    load: () => import('./commands/wait.js'),
  },
  {
    name: 'kustomize',
    description: 'print the objects of a kustomization',
    load: () => import('./commands/kustomize.js'),
  },
  { name: 'label', description: 'set, change or remove labels', load: () => import('./commands/label.js') },
  { name: 'annotate', description: 'set, change or remove annotations', load: () => import('./commands/annotate.js') },
  {
    name: 'completion',
    description: 'print the completion of a shell',
    load: () => import('./commands/completion.js'),
  },
  { name: 'config', description: 'show and change kubeconfig files', load: () => import('./commands/config.js') },
  {
    name: 'plugin',
    description: 'show the programs that are commands too',
    load: () => import('./commands/plugin.js'),
  },
  {
    name: 'version',
    description: 'print the versions of client and server',
    load: () => import('./commands/version.js'),
  },
  {
    name: 'api-versions',
    description: 'print the API versions of the server',
    load: () => import('./commands/api-versions.js'),
  },
  {
    name: 'api-resources',
    description: 'print the resource types of the server',
    load: () => import('./commands/api-resources.js'),
  },
  {
    name: 'options',
    description: 'print the flags that every command takes',
    load: () => import('./commands/options.js'),
  },
];
