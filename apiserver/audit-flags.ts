import { readFileSync } from 'node:fs';
import type { Clock } from '../shared/clock/clock.js';
import { readManifests } from '../shared/manifest/manifest.js';
import type { AuditTargets } from './audit/audit-backends.js';
import { AuditFile, AuditStream } from './audit/audit-file.js';
import type { AuditSink } from './audit/audit-log.js';
import { AuditWebhook } from './audit/audit-webhook.js';
import { readAuditPolicy } from './audit/policy.js';
import { posterFromKubeconfig } from './authentication/review-client.js';
import type { ApiserverOptions } from './build.js';
import { count, duration, type FlagDefinition } from './flag-values.js';

/** Flags about what is written down of requests, named as those of the original. */
export interface AuditFlags {
  auditPolicyFile?: string;
  auditLogPath?: string;
  auditLogMaxsize: number;
  auditLogMaxbackup: number;
  auditLogMaxage: number;
  auditWebhookConfigFile?: string;
  auditWebhookMode: string;
  auditWebhookInitialBackoff: number;
  auditWebhookBatchMaxWait: number;
  auditWebhookBatchMaxSize: number;
  auditWebhookBatchBufferSize: number;
  auditWebhookTruncateMaxBatchSize: number;
}

function amount(text: string): number {
  const value = count(text);
  if (value === 0) throw new Error('0 is not a positive number');
  return value;
}

/** In the order of `--help`. */
export const auditFlags: readonly FlagDefinition[] = [
  { flags: '--audit-policy-file <file>', description: 'which requests are written down' },
  { flags: '--audit-log-path <file>', description: 'where they are written down; - for standard output' },
  {
    flags: '--audit-log-maxsize <MiB>',
    description: 'size at which a new file is begun; 0: never',
    parse: count,
    default: 100,
  },
  { flags: '--audit-log-maxbackup <count>', description: 'old files that are kept; 0: all', parse: count, default: 0 },
  {
    flags: '--audit-log-maxage <days>',
    description: 'days for which old files are kept; 0: for ever',
    parse: count,
    default: 0,
  },
  {
    flags: '--audit-webhook-config-file <file>',
    description: 'kubeconfig of a service that is sent what is written down',
  },
  {
    flags: '--audit-webhook-mode <mode>',
    description: 'batch: no request waits for that service',
    default: 'batch',
  },
  {
    flags: '--audit-webhook-initial-backoff <duration>',
    description: 'before what it did not take is sent again',
    parse: duration,
    default: 10_000,
  },
  {
    flags: '--audit-webhook-batch-max-wait <duration>',
    description: 'how long events wait for others to be sent with',
    parse: duration,
    default: 30_000,
  },
  {
    flags: '--audit-webhook-batch-max-size <count>',
    description: 'as many are sent at once',
    parse: amount,
    default: 400,
  },
  {
    flags: '--audit-webhook-batch-buffer-size <count>',
    description: 'as many wait; further ones are lost and counted',
    parse: amount,
    default: 10_000,
  },
  {
    flags: '--audit-webhook-truncate-max-batch-size <bytes>',
    description: 'what is larger is sent in pieces',
    parse: amount,
    default: 10_485_760,
  },
];

/** Builds what the flags ask for; throws an Error that says which of them is wrong. */
export async function loadAudit(flags: AuditFlags, clock: Clock): Promise<ApiserverOptions['audit']> {
  const { auditPolicyFile, auditLogPath, auditWebhookConfigFile } = flags;
  if (!auditLogPath && !auditWebhookConfigFile) return undefined;
  const target = auditLogPath ? '--audit-log-path' : '--audit-webhook-config-file';
  if (!auditPolicyFile) throw new Error(`${target} needs --audit-policy-file`);
  const [document] = readManifests(readFileSync(auditPolicyFile, 'utf8'), { file: auditPolicyFile });
  return {
    policy: readAuditPolicy(document?.value),
    ...(auditLogPath ? { sink: auditSink(auditLogPath, flags, clock) } : {}),
    ...(auditWebhookConfigFile ? { webhook: await auditWebhook(auditWebhookConfigFile, flags, clock) } : {}),
  };
}

function auditSink(path: string, flags: AuditFlags, clock: Clock): AuditSink {
  if (path === '-') return new AuditStream(process.stdout);
  return new AuditFile({
    path,
    maxSizeBytes: flags.auditLogMaxsize * 1024 * 1024,
    maxBackups: flags.auditLogMaxbackup,
    maxAgeMs: flags.auditLogMaxage * 24 * 3_600_000,
    clock,
  });
}

/** A service may take its time with many events. */
const auditWebhookTimeoutMs = 30_000;

async function auditWebhook(file: string, flags: AuditFlags, clock: Clock): Promise<AuditTargets['webhook']> {
  if (flags.auditWebhookMode !== 'batch')
    throw new Error(`invalid audit webhook mode ${flags.auditWebhookMode}, allowed modes are "batch"`);
  const { post } = await posterFromKubeconfig(file, clock, auditWebhookTimeoutMs);
  return {
    sink: new AuditWebhook({
      post,
      clock,
      initialBackoffMs: flags.auditWebhookInitialBackoff,
      maxBatchBytes: flags.auditWebhookTruncateMaxBatchSize,
    }),
    batching: {
      maxWaitMs: flags.auditWebhookBatchMaxWait,
      maxEvents: flags.auditWebhookBatchMaxSize,
      bufferEvents: flags.auditWebhookBatchBufferSize,
    },
  };
}
