import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../kubeconfig.js';

/** What the names of plugins begin with, those of knarr itself first. */
export const pluginPrefixes: readonly string[] = ['knarr', 'kubectl'];

/** Folders of PATH, each once. */
export const pathFolders = (env: Environment): string[] => [
  ...new Set((env['PATH'] ?? '').split(':').filter((folder) => folder.trim() !== '')),
];

export function isExecutable(path: string): boolean {
  try {
    if (!statSync(path).isFile()) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface FoundPlugin {
  readonly path: string;
  readonly args: readonly string[];
}

/**
 * The program for a command line that names no command of ours: that with the longest name, in which words are joined by dashes and a dash
 * of a word is an underscore. At least `least` of the words must be part of it.
 */
export function findPlugin(words: readonly string[], env: Environment, least = 1): FoundPlugin | undefined {
  const firstFlag = words.findIndex((word) => word.startsWith('-'));
  const named = (firstFlag < 0 ? words : words.slice(0, firstFlag)).map((word) => word.replaceAll('-', '_'));
  for (let count = named.length; count >= least && count > 0; count--) {
    const name = named.slice(0, count).join('-');
    // A slash would lead out of the folders of PATH.
    const path = name.includes('/') ? undefined : onPath(name, env);
    if (path !== undefined) return { path, args: words.slice(count) };
  }
  return undefined;
}

function onPath(name: string, env: Environment): string | undefined {
  const folders = pathFolders(env);
  const candidates = pluginPrefixes.flatMap((prefix) => folders.map((folder) => join(folder, `${prefix}-${name}`)));
  return candidates.find(isExecutable);
}

/** Every file on PATH that is named as a plugin, in the order of PATH; folders that cannot be read are told of. */
export function allPlugins(env: Environment, tell: (line: string) => void): string[] {
  return pathFolders(env).flatMap((folder) => {
    try {
      return readdirSync(folder, { withFileTypes: true })
        .filter((entry) => !entry.isDirectory() && isPluginName(entry.name))
        .map(({ name }) => join(folder, name))
        .sort((a, b) => (a < b ? -1 : 1));
    } catch (error) {
      tell(
        `Unable to read directory ${JSON.stringify(folder)} from your PATH: ${reasonOf(error, folder)}. Skipping...`,
      );
      return [];
    }
  });
}

const isPluginName = (name: string): boolean => pluginPrefixes.some((prefix) => name.startsWith(`${prefix}-`));

function reasonOf(error: unknown, folder: string): string {
  const { code } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    ENOTDIR: 'not a directory',
  };
  return `open ${folder}: ${reasons[code ?? ''] ?? code ?? String(error)}`;
}
