import { HealthMetrics } from '../../shared/metrics/health-metrics.js';
import type { MetricsRegistry } from '../../shared/metrics/registry.js';
import type { Exchange } from './exchange.js';
import { sendBytes } from './respond.js';
import type { NonResourceHandler } from './non-resource-handler.js';

export interface HealthCheck {
  readonly name: string;
  /** Undefined when all is well, else why not. */
  readonly check: () => string | undefined;
  /** Only about taking new requests: not part of /livez. */
  readonly isReadiness?: boolean;
}

const text = 'text/plain; charset=utf-8';

/** /livez, /readyz and /healthz in the original's text form: `?verbose`, `?exclude=NAME`, and one path for each check. */
export function addHealth(
  handler: NonResourceHandler,
  checks: readonly HealthCheck[],
  registry: MetricsRegistry,
): void {
  const metrics = new HealthMetrics(registry);
  const live = checks.filter(({ isReadiness }) => isReadiness !== true);
  for (const [endpoint, relevant] of [
    ['livez', live],
    ['healthz', live],
    ['readyz', checks],
  ] as const) {
    handler.add(`/${endpoint}`, (exchange) => answerAll(exchange, endpoint, { checks: relevant, metrics }));
    for (const check of relevant) {
      handler.add(`/${endpoint}/${check.name}`, (exchange) =>
        answerAll(exchange, endpoint, { checks: [check], metrics }),
      );
    }
  }
}

interface Asked {
  readonly checks: readonly HealthCheck[];
  readonly metrics: HealthMetrics;
}

function answerAll(exchange: Exchange, endpoint: string, { checks, metrics }: Asked): void {
  const excluded = new Set(exchange.query.getAll('exclude'));
  let isWell = true;
  const lines: string[] = [];
  for (const { name, check } of checks) {
    if (excluded.has(name)) {
      lines.push(`[+]${name} excluded: ok`);
      continue;
    }
    const problem = check();
    metrics.checked(endpoint, name, problem === undefined);
    if (problem !== undefined) isWell = false;
    lines.push(problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`);
  }
  if (isWell && !exchange.query.has('verbose')) {
    sendBytes(exchange, 200, text, Buffer.from('ok'));
    return;
  }
  const verdict = `${endpoint} check ${isWell ? 'passed' : 'failed'}`;
  sendBytes(exchange, isWell ? 200 : 500, text, Buffer.from(`${[...lines, verdict].join('\n')}\n`));
}
