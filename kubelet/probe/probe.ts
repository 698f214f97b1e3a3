import type { Container, Pod, Probe } from '../../shared/api/generated/types.js';
import { CapturedOutput } from '../container/captured-output.js';
import { containerPort } from '../container/container-port.js';
import { RuntimeError, type ContainerRuntime } from '../runtime/container-runtime.js';
import { grpcProbe } from './grpc-probe.js';
import { httpProbe } from './http-probe.js';
import { tcpProbe } from './tcp-probe.js';

/** `warning`: it counts as a success, but people should look at it. */
export interface ProbeResult {
  readonly outcome: 'success' | 'warning' | 'failure';
  readonly output: string;
}
export interface ProbeTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly podIP: string;
}
/** Runs one probe. Throws when it could not be carried out at all, which counts neither way. */
export type RunProbe = (probe: Probe, target: ProbeTarget, signal: AbortSignal) => Promise<ProbeResult>;

/** The four ways of Kubernetes to ask a container how it is. */
export function createProber(runtime: ContainerRuntime): RunProbe {
  return async (probe, target, signal) => {
    const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
    const { container, podIP } = target;
    if (probe.exec) return await execProbe(runtime, probe.exec.command ?? [], target, timeoutMs, signal);
    if (probe.httpGet) return await httpProbe(probe.httpGet, target, timeoutMs, signal);
    if (probe.tcpSocket) {
      const { host, port } = probe.tcpSocket;
      return await tcpProbe(host || podIP, containerPort(port, container), timeoutMs, signal);
    }
    if (probe.grpc) {
      const { port, service = '' } = probe.grpc;
      return await grpcProbe({ host: podIP, port, service, timeoutMs });
    }
    throw new Error(`missing probe handler for ${target.pod.metadata.name ?? ''}:${container.name}`);
  };
}

async function execProbe(
  runtime: ContainerRuntime,
  command: readonly string[],
  target: ProbeTarget,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const stdout = new CapturedOutput();
  const stderr = new CapturedOutput();
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const code = await runtime.exec(target.containerId, {
      command,
      tty: false,
      stdout,
      stderr,
      signal: AbortSignal.any([signal, timeout]),
    });
    return { outcome: code === 0 ? 'success' : 'failure', output: stdout.text + stderr.text };
  } catch (error) {
    if (timeout.aborted && !signal.aborted) {
      const output = `command timed out: "${command.join(' ')}" timed out after ${timeoutMs / 1000}s`;
      return { outcome: 'failure', output };
    }
    // The container ended meanwhile: not the probe's business.
    if (error instanceof RuntimeError && error.code !== 'Failed') throw error;
    return { outcome: 'failure', output: error instanceof Error ? error.message : String(error) };
  }
}
