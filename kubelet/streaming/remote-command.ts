import type { Readable, Writable } from 'node:stream';

import type { ContainerRuntime } from '../runtime/container-runtime.js';
import { exitStatus, failureStatus, successStatus, type StreamStatus } from './stream-status.js';
import { terminalSizes } from './terminal-size.js';

/** What the client asked for in the query of exec or attach. */
export interface RemoteCommandOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** The client's streams, whatever protocol carries them. */
export interface RemoteCommandStreams {
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly resize?: Readable;
  /** Aborts when the client has gone. */
  readonly gone: AbortSignal;
}

/** Something to run with the client's streams: a command in a container, or an attachment to its process. */
export interface RemoteCommand {
  readonly options: RemoteCommandOptions;
  run(streams: RemoteCommandStreams): Promise<StreamStatus>;
}

/** Thrown for queries that make no sense; becomes a 400. */
export class RemoteCommandError extends Error {
  override readonly name = 'RemoteCommandError';
}

export function parseRemoteCommandOptions(query: URLSearchParams): RemoteCommandOptions {
  const isSet = (name: string): boolean => ['1', 'true'].includes(query.get(name) ?? '');
  const tty = isSet('tty');
  // A terminal has one output.
  const options = { stdin: isSet('input'), stdout: isSet('output'), stderr: isSet('error') && !tty, tty };
  if (!options.stdin && !options.stdout && !options.stderr) {
    throw new RemoteCommandError('you must specify at least 1 of stdin, stdout, stderr');
  }
  return options;
}

export function execCommand(
  runtime: ContainerRuntime,
  containerId: string,
  command: readonly string[],
  options: RemoteCommandOptions,
): RemoteCommand {
  const run = async (streams: RemoteCommandStreams): Promise<StreamStatus> => {
    try {
      // A command without a terminal goes on when its client leaves, as in the original; a terminal hangs up.
      const ending = { signal: streams.gone, detachOnAbort: !options.tty };
      return exitStatus(await runtime.exec(containerId, { command, ...sides(options, streams), ...ending }), command);
    } catch (error) {
      return failureStatus('error executing command in container', error);
    }
  };
  return { options, run };
}

export function attachCommand(
  runtime: ContainerRuntime,
  containerId: string,
  options: RemoteCommandOptions,
  containerHasTty: boolean,
): RemoteCommand {
  const run = async (streams: RemoteCommandStreams): Promise<StreamStatus> => {
    try {
      // Whether the output is one raw stream is the container's affair, not the client's.
      const tty = { tty: containerHasTty };
      await runtime.attach(containerId, { ...sides(options, streams), ...tty, signal: streams.gone });
      return successStatus;
    } catch (error) {
      return failureStatus('error attaching to container', error);
    }
  };
  return { options, run };
}

function sides(
  { tty }: RemoteCommandOptions,
  { stdin, stdout, stderr, resize }: RemoteCommandStreams,
): Omit<Parameters<ContainerRuntime['exec']>[1], 'command'> {
  return {
    tty,
    ...(stdin ? { stdin } : {}),
    ...(stdout ? { stdout } : {}),
    ...(stderr ? { stderr } : {}),
    ...(resize ? { resize: terminalSizes(resize) } : {}),
  };
}
