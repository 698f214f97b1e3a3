import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { CommandHost } from './command-host.js';
import { commandIndex } from './command-index.js';
import type { Terminal } from './context.js';
import { addGlobalFlags } from './flags.js';
import { kubectlFlags } from './testing/kubectl-help.js';

// Each command and flag that the help of kubectl 1.36 tells of, beside those of knarr. What differs stands here with its reason: a
// further difference, and one that is no more, fails the test. kubectl-flags.long.test.ts keeps the record of that help true.

/** Flags of kubectl that knarr has nowhere. */
const missingEverywhere: Readonly<Record<string, string>> = {
  '--help': 'every command has it',
  '-h': 'every command has it',
};

/** Commands of kubectl that knarr has not. */
const missingCommands: Readonly<Record<string, string>> = {
  kuberc: "a person's own defaults and aliases are for kubectl; knarr reads no such file",
  'kuberc set': 'as kuberc',
  'kuberc view': 'as kuberc',
};

/** Flags of single commands that knarr has not, and why. */
const missingFlags: Readonly<Record<string, readonly [flags: string, reason: string]>> = {
  apply: [
    '--cascade --openapi-patch --subresource',
    '--force deletes in the background; patches follow the schema of the server',
  ],
  attach: ['--detach-keys', 'a session ends with its terminal'],
  'config set-credentials': [
    '--auth-provider --auth-provider-arg --exec-api-version --exec-arg --exec-command --exec-env --exec-interactive-mode --exec-provide-cluster-info',
    'no programs that make credentials',
  ],
  'config view': [
    '--allow-missing-template-keys --merge --show-managed-fields --template',
    'a kubeconfig has no managed fields, and is merged always',
  ],
  'create configmap': ['--append-hash', 'kustomize makes names with a hash'],
  'create secret docker-registry': ['--append-hash', 'kustomize makes names with a hash'],
  'create secret generic': ['--append-hash', 'kustomize makes names with a hash'],
  'create secret tls': ['--append-hash', 'kustomize makes names with a hash'],
  diff: [
    '--concurrency --prune --prune-allowlist',
    'objects are compared one after the other; none is shown as deleted',
  ],
  drain: ['--skip-wait-for-delete-timeout', 'every pod is waited for, up to --timeout'],
  events: ['--allow-missing-template-keys --show-managed-fields --template', 'events are printed whole'],
  proxy: [
    '--append-server-path --disable-filter --keepalive --unix-socket --www --www-prefix -P -u -w',
    'only the API, on a port of this machine',
  ],
  kustomize: [
    '--as-current-user --enable-alpha-plugins --enable-helm --env --helm-api-versions --helm-command --helm-debug --helm-kube-version --load-restrictor --mount --network --network-name -e',
    'no plugins, no charts, and no files outside of the folder',
  ],
  run: [
    '--cascade --detach-keys --filename --force --grace-period --kustomize --leave-stdin-open --recursive --timeout --wait -R -f -k',
    'kubectl has them from what it shares with delete; --detach-keys as attach',
  ],
  'set selector': ['--resource-version', 'patch has preconditions'],
  wait: ['--local', 'there is nothing to wait for in a file'],
};

/** Flags of knarr that kubectl has not. */
const ownFlags: Readonly<Record<string, readonly [flags: string, reason: string]>> = {
  'apply set-last-applied': ['--kustomize --recursive -R -k', 'as everywhere with -f'],
  autoscale: [
    '--cpu-percent --validate',
    'kubectl has it still, and tells that it goes; as every command that creates',
  ],
  'create service clusterip': ['--external-name --node-port', 'the types of Services share their flags'],
  'create service externalname': ['--clusterip --node-port', 'the types of Services share their flags'],
  'create service loadbalancer': ['--clusterip --external-name --node-port', 'the types of Services share their flags'],
  'create service nodeport': ['--clusterip --external-name', 'the types of Services share their flags'],
  debug: ['--kustomize --recursive -R -k', 'as everywhere with -f'],
  expose: ['--validate', 'as every command that creates'],
  run: ['--validate', 'as every command that creates'],
  'set selector': ['--kustomize --selector -k -l', 'as every command of set'],
  wait: ['--kustomize -k', 'as everywhere with -f'],
  'set serviceaccount': ['--selector -l', 'as every command of set'],
};

const flagsOf = (command: Command): string[] =>
  command.options.flatMap(({ long, short }) => [long, short]).filter((flag) => flag !== undefined);

/** Flags of every command of knarr, by its path. */
async function ourFlags(): Promise<Map<string, readonly string[]>> {
  const all = new Map<string, readonly string[]>();
  const visit = (command: Command, path: string): void => {
    all.set(path, flagsOf(command));
    for (const child of command.commands) visit(child, `${path} ${child.name()}`);
  };
  const host = new CommandHost({} as Terminal);
  for (const { load } of commandIndex) {
    const root = new Command();
    (await load()).register(root, host);
    for (const command of root.commands) visit(command, command.name());
  }
  return all;
}

const listed = (entry: readonly [string, string] | undefined): string[] => (entry ? entry[0].split(' ') : []);

test("knarr's commands and flags are kubectl's, but for those that are listed with a reason", async () => {
  const [theirs, ours] = [kubectlFlags(), await ourFlags()];
  const shared = new Set(flagsOf(addGlobalFlags(new Command())));
  const absent = [...theirs.keys()].filter((path) => !ours.has(path));
  assert.deepEqual(absent.sort(), Object.keys(missingCommands).sort(), 'commands of kubectl that knarr has not');
  assert.deepEqual(
    [...ours.keys()].filter((path) => !theirs.has(path)),
    ['options'], // kubectl has it too, and does not list it
  );
  for (const [path, flags] of ours) {
    const expected = theirs.get(path) ?? [];
    const has = new Set([...flags, ...shared, ...Object.keys(missingEverywhere)]);
    const missing = expected.filter((flag) => !has.has(flag));
    assert.deepEqual(missing.sort(), listed(missingFlags[path]).sort(), `flags of kubectl ${path} that knarr has not`);
    const own = flags.filter((flag) => !expected.includes(flag));
    assert.deepEqual(own.sort(), listed(ownFlags[path]).sort(), `flags of knarr ${path} that kubectl has not`);
  }
});

test("the comparison reads all of kubectl's help", () => {
  const theirs = kubectlFlags();
  assert.ok(theirs.size >= 90, `${theirs.size} commands`);
  const count = [...theirs.values()].reduce((sum, flags) => sum + flags.length, 0);
  assert.ok(count >= 1_000, `${count} flags`);
});
