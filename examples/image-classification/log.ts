/** Writes one line: a constant message and fields. Never pass a secret, a picture or a whole URL. */
export type Log = (message: string, fields?: Record<string, unknown>) => void;

/** One JSON object a line, on standard output, where the kubelet collects it. */
export function jsonLog(program: string): Log {
  return (message, fields) => {
    process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), program, message, ...fields })}\n`);
  };
}
