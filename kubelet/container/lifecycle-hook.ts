import type { Container, LifecycleHandler, Pod } from '../../shared/api/generated/types.js';
import type { Clock } from '../../shared/clock/clock.js';
import type { ContainerRuntime } from '../runtime/container-runtime.js';
import { CapturedOutput } from './captured-output.js';
import { containerPort } from './container-port.js';
import { httpRequest } from './http-request.js';

export interface HookContext {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly podIP: string;
  readonly signal: AbortSignal;
}

/** The command of a hook ended with another code than 0. The message holds what it printed. */
export class HookExitError extends Error {
  override readonly name = 'HookExitError';
  readonly exitCode: number;
  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Runs a postStart or preStop handler to its end. Throws what went wrong in the original's words. */
export async function runHook(handler: LifecycleHandler, context: HookContext): Promise<void> {
  if (handler.sleep) {
    await context.clock.sleep(handler.sleep.seconds * 1000, context.signal);
  } else if (handler.exec) {
    await execHook(handler.exec.command ?? [], context);
  } else if (handler.httpGet) {
    const { host, port, path = '/', scheme = 'HTTP', httpHeaders = [] } = handler.httpGet;
    const answer = await httpRequest({
      scheme: scheme === 'HTTPS' ? 'HTTPS' : 'HTTP',
      host: host || context.podIP,
      port: containerPort(port, context.container),
      path,
      headers: httpHeaders,
      userAgent: 'kube-lifecycle/1.36',
      timeoutMs: 30_000,
      signal: context.signal,
    });
    if (answer.status >= 400) throw new Error(`HTTP probe failed with statuscode: ${answer.status}`);
  }
}

async function execHook(command: readonly string[], context: HookContext): Promise<void> {
  const stdout = new CapturedOutput();
  const stderr = new CapturedOutput();
  const { runtime, containerId, signal } = context;
  const code = await runtime.exec(containerId, { command, tty: false, stdout, stderr, signal });
  if (code !== 0) {
    throw new HookExitError(
      code,
      `Exec lifecycle hook ([${command.join(' ')}]) for Container "${context.container.name}" in Pod ` +
        `"${context.pod.metadata.name ?? ''}" failed - error: command '${command.join(' ')}' exited with ${code}: ` +
        `, message: ${JSON.stringify(stdout.text + stderr.text)}`,
    );
  }
}
