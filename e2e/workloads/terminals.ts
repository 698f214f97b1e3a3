import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { toolbox } from '../lab/images.js';
import { onTerminal, type TerminalStep } from '../lab/terminal.js';
import { create, type FindCluster, idle, isReady, pod, podWhere, shell } from './pod.js';
import { inAllVersions } from './words.js';

const programs = { kubectl: ['kubectl'], knarr: [process.execPath, resolve('bin/knarr')] } as const;

/** Tells what is typed, waits for the window's new size, and ends with 3 at an interrupt. */
const script =
  'read x; echo got $x; until [ "$(stty size 2>&1)" = "30 90" ]; do sleep 0.1; done; stty size; trap "echo interrupted; exit 3" INT; echo ready; while :; do sleep 0.1; done';
const shown = 'typed\ngot typed\n30 90\nready\n^Cinterrupted\n';
const talk = (first: TerminalStep): TerminalStep[] => [
  { ...first, raw: true, send: 'typed\r' },
  { expect: 'got typed', resize: [30, 90] },
  { expect: 'ready', send: '\u0003' },
];
const prompt = "If you don't see a command prompt, try pressing enter.\n";

/** Commands on a terminal, given to kubectl and to knarr: both must show the same, and leave the terminal as it was. */
export function terminalTests(cluster: FindCluster): void {
  for (const [program, argv] of Object.entries(programs)) {
    describe(`${program} on a terminal`, () => {
      const box = `terminal-${program}`;
      const shows = async (
        args: readonly string[],
        steps: readonly TerminalStep[],
        expected: { readonly output: string; readonly code?: number },
        env: NodeJS.ProcessEnv = {},
      ): Promise<void> => {
        const result = await onTerminal(cluster().host, [...argv, ...args], steps, { env });
        const output = inAllVersions(result.output.replaceAll(/\bknarr attach\b/g, 'kubectl attach'));
        assert.deepEqual({ ...result, output }, { code: 0, ...expected, restored: true }, args.join(' '));
      };

      test('exec, attach and debug of a pod', async () => {
        const attached = shell('attached', script, { stdin: true, tty: true });
        await create(cluster(), pod(box, { containers: [shell('main', idle), attached] }));
        await podWhere(cluster(), box, isReady);
        const ended = 'command terminated with exit code 3\n';
        const exec = ['exec', '-it', box, '-c', 'main', '--', 'sh', '-c', script];
        await shows(exec, talk({}), { output: shown + ended, code: 3 });
        const again = `Session ended, resume using 'kubectl attach ${box} -c attached -i -t' command when the pod is running\n`;
        await shows(['attach', '-it', box, '-c', 'attached'], talk({ expect: 'prompt' }), {
          output: prompt + shown + again,
        });
        const debug = ['debug', '-it', box, '-c', 'look', '--profile=general', `--image=${toolbox}`];
        const resume = `Session ended, the ephemeral container will not be restarted but may be reattached using 'kubectl attach ${box} -c look -i -t' if it is still running\n`;
        await shows([...debug, '--', 'sh', '-c', script], talk({ expect: 'prompt' }), {
          output: prompt + shown + resume,
        });
      });

      test('a pod that is run and removed, and one that debugs a node', async () => {
        const run = ['run', `${box}-run`, '-it', '--rm', `--image=${toolbox}`, '--restart=Never', '--', '-c', script];
        await shows(run, talk({ expect: 'prompt' }), {
          output: `${prompt}${shown}pod "${box}-run" deleted\npod default/${box}-run terminated (Error)\n`,
          code: 3,
        });
        const flags = ['-it', '-q', '--profile=general', `--image=${toolbox}`];
        await shows(['debug', 'node/node-1', ...flags, '--', 'sh', '-c', script], talk({}), { output: shown });
      });

      test('an editor gets the terminal', async () => {
        const name = `${box}-edited`;
        await cluster().kubectl(['create', 'configmap', name, '--from-literal=word=old']);
        const editor = `sh -c 'test -t 0 && test -t 1 && echo Word? && read word && sed -i s/old/$word/ "$0"'`;
        const output = `Word?\nnew\nconfigmap/${name} edited\n`;
        await shows(
          ['edit', 'configmap', name],
          [{ expect: 'Word', send: 'new\r' }],
          { output },
          { KUBE_EDITOR: editor },
        );
      });
    });
  }
}
