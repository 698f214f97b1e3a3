import { RuntimeError } from '../runtime/container-runtime.js';

/** What the error stream of exec and attach ends with. */
export type StreamStatus = Readonly<Record<string, unknown>> & { readonly status: 'Success' | 'Failure' };

export const successStatus: StreamStatus = { metadata: {}, status: 'Success' };

/** kubectl exits with the code that the cause ExitCode carries. */
export function exitStatus(exitCode: number, command: readonly string[]): StreamStatus {
  if (exitCode === 0) return successStatus;
  const words = `error executing command [${command.join(' ')}], exit code ${exitCode}`;
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: ${words}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

export function failureStatus(what: string, error: unknown): StreamStatus {
  const why = `${what}: ${error instanceof RuntimeError || error instanceof Error ? error.message : String(error)}`;
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${why}`,
    reason: 'InternalError',
    details: { causes: [{ message: why }] },
    code: 500,
  };
}

/** Version 4 and later send the Status as JSON; before, a failure is its message and success is silence. */
export function encodeStatus(status: StreamStatus, isJson: boolean): Buffer {
  if (isJson) return Buffer.from(JSON.stringify(status));
  return Buffer.from(status.status === 'Success' ? '' : String(status['message']));
}
