import { Failure } from '../cluster/failure.js';
import type { AnyObject } from '../server-api.js';
import { generator, oneName, type Generator } from './generator.js';

interface JobFlags {
  image?: string;
  from?: string;
}
interface CronJobFlags {
  image?: string;
  schedule?: string;
  restart: string;
}

function jobSpec(name: string, image: string, command: readonly string[], restartPolicy: string): object {
  const container = { ...(command.length > 0 ? { command } : {}), image, name, resources: {} };
  return { template: { metadata: {}, spec: { containers: [container], restartPolicy } } };
}

function jobObject(words: readonly string[], flags: JobFlags, command: readonly string[]): AnyObject {
  const name = oneName(words, 'job');
  if (flags.image === undefined) throw new Failure('either --image or --from must be specified');
  const spec = jobSpec(name, flags.image, command, 'Never');
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec, status: {} };
}

/** The Job that a CronJob would make now. */
export function jobFrom(name: string, cronJob: AnyObject): AnyObject {
  const { jobTemplate } = cronJob['spec'] as { jobTemplate: { metadata?: AnyObject['metadata']; spec?: object } };
  const { apiVersion, kind, metadata } = cronJob;
  const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      annotations: { ...jobTemplate.metadata?.annotations, 'cronjob.kubernetes.io/instantiate': 'manual' },
      ...(jobTemplate.metadata?.labels ? { labels: jobTemplate.metadata.labels } : {}),
      ownerReferences: [owner],
    },
    spec: jobTemplate.spec ?? {},
    status: {},
  };
}

function cronJobObject(words: readonly string[], flags: CronJobFlags, command: readonly string[]): AnyObject {
  const name = oneName(words, 'cronjob');
  const missing = (['image', 'schedule'] as const).filter((flag) => flags[flag] === undefined);
  if (missing.length > 0)
    throw new Failure(`required flag(s) ${missing.map((flag) => `"${flag}"`).join(', ')} not set`);
  const jobTemplate = { metadata: { name }, spec: jobSpec(name, flags.image ?? '', command, flags.restart) };
  const spec = { jobTemplate, schedule: flags.schedule };
  return { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name }, spec, status: {} };
}

export const workloadGenerators: readonly Generator[] = [
  generator<JobFlags>({
    path: ['job'],
    description: 'a Job',
    flags: (command) =>
      command
        .option('--image <image>', 'image of the container')
        .option('--from <cronjob/name>', 'a CronJob whose Job is made now'),
    object: ({ words, flags, command }) => jobObject(words, flags, command),
  }),
  generator<CronJobFlags>({
    path: ['cronjob'],
    aliases: ['cj'],
    description: 'a CronJob',
    flags: (command) =>
      command
        .option('--image <image>', 'image of the container')
        .option('--schedule <schedule>', 'when, in the form of cron')
        .option('--restart <policy>', 'OnFailure or Never', 'OnFailure'),
    object: ({ words, flags, command }) => cronJobObject(words, flags, command),
  }),
];
