import { readFile } from 'node:fs/promises';

import type Docker from 'dockerode';

import type { Clock } from '../../../shared/clock/clock.js';
import type { ExecOptions } from '../container-runtime.js';
import { RuntimeError } from '../container-runtime.js';
import type { DockerEngine } from './docker-engine.js';
import { join } from './docker-stream.js';

/** The engine ends the streams a moment before it knows the exit code. */
const EXIT_POLLS = 60;
const EXIT_POLL_MS = 5;
const MAX_EXIT_POLL_MS = 500;
/** How long an attachment may say nothing after its container's end before it is taken for one that the engine lost. */
const QUIET_MS = 2_000;
const RESIZE_TRIES = 5;
const RESIZE_RETRY_MS = 20;

/** Runs a command in a container. */
export async function dockerExec(
  engine: DockerEngine,
  clock: Clock,
  containerId: string,
  options: ExecOptions,
): Promise<number> {
  const { command, tty, stdin, stdout, stderr, signal } = options;
  const call = signal ? { signal } : {};
  const exec = await engine.call(
    'create exec',
    (docker, abortSignal) =>
      docker.getContainer(containerId).exec({
        Cmd: [...command],
        Tty: tty,
        AttachStdin: stdin !== undefined,
        AttachStdout: stdout !== undefined,
        AttachStderr: stderr !== undefined && !tty,
        abortSignal,
      }),
    call,
  );
  const connection = await engine.call(
    'start exec',
    (_docker, abortSignal) => unlessAborted(exec.start({ hijack: true, stdin: true, Tty: tty }), abortSignal),
    call,
  );
  const resizing = resizeLoop(clock, options.resize, (size) => engine.call('resize exec', () => exec.resize(size)));
  try {
    await join(connection, options);
    return await exitCode(engine, clock, exec);
  } catch (error) {
    if (signal?.aborted && !options.detachOnAbort) await killExec(engine, exec, containerId);
    throw error;
  } finally {
    resizing.stop();
  }
}

/**
 * Attaches to a container's main process. Only a process whose input is for one session and no terminal hears of its end;
 * for all others the engine would take it as the wish to detach, and the output that still comes would be lost.
 */
export async function dockerAttach(
  engine: DockerEngine,
  clock: Clock,
  containerId: string,
  options: Omit<ExecOptions, 'command'>,
): Promise<void> {
  const { tty, stdin, stdout, stderr } = options;
  const { Config, State } = await engine.call('inspect container', (docker, abortSignal) =>
    docker.getContainer(containerId).inspect({ abortSignal }),
  );
  if (!State.Running) throw notRunning(containerId);
  const request = {
    stream: true,
    hijack: true,
    stdin: stdin !== undefined,
    stdout: stdout !== undefined,
    stderr: stderr !== undefined && !tty,
  };
  const connection = await engine.call('attach', (docker, abortSignal) =>
    unlessAborted(docker.getContainer(containerId).attach(request), abortSignal),
  );
  const resize = (size: { w: number; h: number }): Promise<unknown> =>
    engine.call('resize container', (docker) => docker.getContainer(containerId).resize(size));
  const resizing = resizeLoop(clock, options.resize, resize);
  const lost = new AbortController();
  const over = new AbortController();
  loseWithContainer(engine, clock, containerId, connection as AttachedSocket, lost, over.signal).catch(() => undefined);
  const signal = options.signal ? AbortSignal.any([options.signal, lost.signal]) : lost.signal;
  try {
    await join(connection, { ...options, signal, keepsInputOpen: !Config.StdinOnce || Config.Tty });
  } catch (error) {
    if (!options.signal?.aborted) throw error;
  } finally {
    over.abort();
    resizing.stop();
  }
}

type AttachedSocket = NodeJS.ReadWriteStream & { readonly bytesRead: number; readonly readableLength: number };

/**
 * Gives an attachment up that outlives its container. The engine takes one whose container ended a moment ago, and then
 * never ends it. What is still on its way to a slow reader is waited for.
 */
async function loseWithContainer(
  engine: DockerEngine,
  clock: Clock,
  containerId: string,
  connection: AttachedSocket,
  lost: AbortController,
  over: AbortSignal,
): Promise<void> {
  const wait = { condition: 'not-running', abortSignal: over } as const;
  await engine.call('wait for container', (docker) => docker.getContainer(containerId).wait(wait), {
    isLong: true,
    signal: over,
  });
  let before = -1;
  while (!over.aborted && (connection.bytesRead !== before || connection.readableLength > 0)) {
    before = connection.bytesRead;
    await clock.sleep(QUIET_MS, over);
  }
  lost.abort(notRunning(containerId));
}

const notRunning = (containerId: string): RuntimeError =>
  new RuntimeError('Conflict', `container ${containerId} is not running`);

/** A connection that comes when nobody waits for it any more is closed. */
async function unlessAborted<T extends NodeJS.ReadWriteStream>(opening: Promise<T>, signal: AbortSignal): Promise<T> {
  const connection = await opening;
  if (signal.aborted) (connection as T & { destroy(): void }).destroy();
  return connection;
}

async function exitCode(engine: DockerEngine, clock: Clock, exec: Docker.Exec): Promise<number> {
  for (let poll = 0; poll < EXIT_POLLS; poll++) {
    const { Running, ExitCode } = await engine.call('inspect exec', () => exec.inspect());
    if (!Running && ExitCode !== null) return ExitCode;
    await clock.sleep(Math.min(EXIT_POLL_MS * 2 ** poll, MAX_EXIT_POLL_MS));
  }
  throw new RuntimeError('Failed', 'the command closed its streams but did not end');
}

/** Docker cannot stop an exec; its process can be killed where it is visible. A pid that is another's by now is left alone. */
async function killExec(engine: DockerEngine, exec: Docker.Exec, containerId: string): Promise<void> {
  try {
    const { Running, Pid } = await engine.call('inspect exec', () => exec.inspect());
    if (!Running || Pid <= 1) return;
    const cgroup = await readFile(`/proc/${Pid}/cgroup`, 'utf8');
    if (cgroup.includes(containerId)) process.kill(Pid, 'SIGKILL');
  } catch {
    // Best effort: the reason of the abort is what the caller must see.
  }
}

/**
 * Follows terminal sizes in the background. The first often comes before the process is there, and is tried again; a size
 * that cannot be set is not worth a failed session.
 */
function resizeLoop(
  clock: Clock,
  sizes: AsyncIterable<{ width: number; height: number }> | undefined,
  resize: (size: { w: number; h: number }) => Promise<unknown>,
): { stop(): void } {
  const iterator = sizes?.[Symbol.asyncIterator]();
  let isStopped = false;
  const set = async (size: { w: number; h: number }): Promise<void> => {
    for (let tries = 1; !isStopped && tries <= RESIZE_TRIES; tries++) {
      const isSet = await resize(size).then(
        () => true,
        () => false,
      );
      if (isSet) return;
      await clock.sleep(RESIZE_RETRY_MS * tries);
    }
  };
  const follow = async (): Promise<void> => {
    while (iterator && !isStopped) {
      const next = await iterator.next();
      if (next.done || isStopped) return;
      await set({ w: next.value.width, h: next.value.height });
    }
  };
  follow().catch(() => undefined);
  return {
    stop(): void {
      isStopped = true;
      // Not awaited: a generator answers return() only after the next() that it is in.
      iterator?.return?.().catch(() => undefined);
    },
  };
}
