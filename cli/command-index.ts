import type { CommandModule } from './command-host.js';

export interface IndexEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly description: string;
  /** Exit code of one that waits when it is interrupted; where there is none, the signal itself ends it. */
  readonly interrupted?: number;
  readonly load: () => Promise<CommandModule>;
}

/** Every command that speaks to a cluster. Its code is loaded when it runs: a start pays for one command, not for all. */
export const commandIndex: readonly IndexEntry[] = [
  { name: 'get', description: 'show one or many objects', interrupted: 1, load: () => import('./commands/get.js') },
  { name: 'describe', description: 'show the details of objects', load: () => import('./commands/describe.js') },
  { name: 'apply', description: 'bring objects to the state of manifests', load: () => import('./commands/apply.js') },
  { name: 'create', description: 'create objects', load: () => import('./commands/create.js') },
  {
    name: 'kustomize',
    description: 'print the objects of a kustomization',
    load: () => import('./commands/kustomize.js'),
  },
  { name: 'diff', description: 'show what an apply would change', load: () => import('./commands/diff.js') },
  { name: 'delete', description: 'delete objects', interrupted: 1, load: () => import('./commands/delete.js') },
  { name: 'patch', description: 'change fields of objects', load: () => import('./commands/patch.js') },
  { name: 'label', description: 'set, change or remove labels', load: () => import('./commands/label.js') },
  { name: 'annotate', description: 'set, change or remove annotations', load: () => import('./commands/annotate.js') },
  { name: 'set', description: 'set features of objects', load: () => import('./commands/set.js') },
  { name: 'scale', description: 'set the number of replicas', load: () => import('./commands/scale.js') },
  {
    name: 'rollout',
    description: 'manage the rollout of a workload',
    interrupted: 1,
    load: () => import('./commands/rollout.js'),
  },
  {
    name: 'wait',
    description: 'wait until objects are in a state',
    interrupted: 1,
    load: () => import('./commands/wait.js'),
  },
  {
    name: 'logs',
    aliases: ['log'],
    description: 'print the logs of a container',
    load: () => import('./commands/logs.js'),
  },
  { name: 'exec', description: 'run a command in a container', load: () => import('./commands/exec.js') },
  { name: 'attach', description: 'attach to a running container', load: () => import('./commands/attach.js') },
  {
    name: 'port-forward',
    description: 'make ports of a pod reachable here',
    interrupted: 0,
    load: () => import('./commands/port-forward.js'),
  },
  { name: 'cordon', description: 'mark a node as unschedulable', load: () => import('./commands/cordon.js') },
  { name: 'uncordon', description: 'mark a node as schedulable', load: () => import('./commands/cordon.js') },
  { name: 'drain', description: 'cordon a node and end its pods', load: () => import('./commands/drain.js') },
  { name: 'taint', description: 'set or remove taints of nodes', load: () => import('./commands/taint.js') },
  {
    name: 'api-resources',
    description: 'print the resource types of the server',
    load: () => import('./commands/api-resources.js'),
  },
  {
    name: 'api-versions',
    description: 'print the API versions of the server',
    load: () => import('./commands/api-versions.js'),
  },
  {
    name: 'cluster-info',
    description: 'print the addresses of the control plane',
    load: () => import('./commands/cluster-info.js'),
  },
  { name: 'config', description: 'show and change kubeconfig files', load: () => import('./commands/config.js') },
  {
    name: 'version',
    description: 'print the versions of client and server',
    load: () => import('./commands/version.js'),
  },
  { name: 'run', description: 'run an image in a pod', interrupted: 1, load: () => import('./commands/run.js') },
  { name: 'expose', description: 'make a Service for a workload', load: () => import('./commands/expose.js') },
  { name: 'autoscale', description: 'scale a workload by its use', load: () => import('./commands/autoscale.js') },
  { name: 'replace', description: 'replace objects by manifests', load: () => import('./commands/replace.js') },
  { name: 'edit', description: 'change objects in an editor', load: () => import('./commands/edit.js') },
  { name: 'explain', description: 'show the fields of a type', load: () => import('./commands/explain.js') },
  { name: 'events', description: 'show what happened', interrupted: 1, load: () => import('./commands/events.js') },
  { name: 'auth', description: 'ask what is allowed, and who we are', load: () => import('./commands/auth.js') },
  { name: 'top', description: 'show the use of CPU and memory', load: () => import('./commands/top.js') },
  { name: 'cp', description: 'copy files from and to containers', load: () => import('./commands/cp.js') },
  {
    name: 'debug',
    description: 'look into a pod with a container of tools',
    interrupted: 1,
    load: () => import('./commands/debug.js'),
  },
  { name: 'proxy', description: 'serve the API on a local port', load: () => import('./commands/proxy.js') },
  {
    name: 'completion',
    description: 'print the completion of a shell',
    load: () => import('./commands/completion.js'),
  },
];
