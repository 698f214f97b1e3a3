import type { CommandModule } from './command-host.js';

export interface IndexEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly description: string;
  readonly load: () => Promise<CommandModule>;
}

/** Every command that speaks to a cluster. Its code is loaded when it runs: a start pays for one command, not for all. */
export const commandIndex: readonly IndexEntry[] = [
  { name: 'get', description: 'show one or many objects', load: () => import('./commands/get.js') },
  { name: 'apply', description: 'bring objects to the state of manifests', load: () => import('./commands/apply.js') },
];
