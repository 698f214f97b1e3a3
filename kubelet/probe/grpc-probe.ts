import type { ProbeResult } from './probe.js';

export interface GrpcProbeOptions {
  readonly host: string;
  readonly port: number;
  readonly service: string;
  readonly timeoutMs: number;
}

const method = '/grpc.health.v1.Health/Check';
/** grpc.health.v1.HealthCheckResponse.ServingStatus */
const serving = 1;

/** Asks the gRPC health service. The library is loaded by the first such probe only: it takes 200 ms. */
export async function grpcProbe(options: GrpcProbeOptions): Promise<ProbeResult> {
  // The default export: bundlers give a CommonJS package no other.
  const { default: grpc } = await import('@grpc/grpc-js');
  const { Client, credentials, status } = grpc;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const client = new Client(`${host}:${options.port}`, credentials.createInsecure(), {
    'grpc.primary_user_agent': 'kube-probe/1.36',
    'grpc.enable_http_proxy': 0,
  });
  try {
    return await new Promise<ProbeResult>((resolve) => {
      const deadline = new Date(Date.now() + options.timeoutMs);
      client.makeUnaryRequest(method, encodeRequest, decodeStatus, options.service, { deadline }, (error, answer) => {
        if (!error) resolve(answer === serving ? success : notServing(answer ?? 0));
        else if (error.code === status.UNIMPLEMENTED) {
          resolve(
            failure(
              `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.details}`,
            ),
          );
        } else if (error.code === status.DEADLINE_EXCEEDED) {
          resolve(failure(`timeout: health rpc did not complete within ${options.timeoutMs / 1000}s`));
        } else resolve(failure(`error: health rpc probe failed: ${error.message}`));
      });
    });
  } finally {
    client.close();
  }
}

const success: ProbeResult = { outcome: 'success', output: 'service healthy' };
const failure = (output: string): ProbeResult => ({ outcome: 'failure', output });
const statusNames = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const notServing = (value: number): ProbeResult =>
  failure(`service unhealthy (responded with "${statusNames[value] ?? String(value)}")`);

/** HealthCheckRequest: field 1, the service's name. */
function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  if (name.length === 0) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

/** HealthCheckResponse: field 1, an enum; absent means 0. */
function decodeStatus(message: Buffer): number {
  return message[0] === 0x08 ? (message[1] ?? 0) : 0;
}
