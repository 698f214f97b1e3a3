import type { Command } from 'commander';
import type { Pod } from '../../shared/api/generated/types.js';
import { resourcePath } from '../../shared/api/resource.js';
import { isNotFound, StatusError } from '../../shared/errors/status-error.js';
import { ANNOTATION_DEFAULT_CONTAINER } from '../../shared/api/well-known.js';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { durationFlag, booleanFlag, integerFlag } from '../flags.js';
import { listObjects } from '../found-objects.js';
import { queryText } from '../server-api.js';
import { LinePrefixer } from '../streams/line-prefixer.js';
import { chooseContainer, containerNames, podsBehind } from '../streams/pod-target.js';

interface LogsFlags {
  podRunningTimeout: string;
  container?: string;
  selector?: string;
  follow: boolean;
  previous: boolean;
  insecureSkipTlsVerifyBackend: boolean;
  timestamps: boolean;
  allContainers: boolean;
  allPods: boolean;
  prefix: boolean;
  ignoreErrors: boolean;
  tail?: number;
  since?: string;
  sinceTime?: string;
  limitBytes?: number;
  maxLogRequests: number;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('logs')
    .description('print the logs of a container')
    .usage('[-f] [-p] (POD | TYPE/NAME) [-c CONTAINER] [flags]')
    .option('-c, --container <name>', 'container; default the annotated or the first one')
    .option('-l, --selector <query>', 'logs of all pods with these labels')
    .addOption(durationFlag('--pod-running-timeout <duration>', 'how long to wait for a pod of a workload', '20s'))
    .addOption(
      booleanFlag('--insecure-skip-tls-verify-backend', 'let the API server not verify the certificate of the kubelet'),
    )
    .addOption(durationFlag('--since <duration>', 'only what is newer than this'))
    .option('--since-time <time>', 'only what is newer than this time (RFC 3339)')
    .addOption(integerFlag('--tail <lines>', 'only the last lines; -1 = all'))
    .addOption(integerFlag('--limit-bytes <count>', 'at most so many bytes'))
    .addOption(integerFlag('--max-log-requests <count>', 'logs followed at once', 5))
    .addOption(booleanFlag('-f, --follow', 'go on with what comes'))
    .addOption(booleanFlag('-p, --previous', 'of the container that ran before this one'))
    .addOption(booleanFlag('--timestamps', 'the time in front of each line'))
    .addOption(booleanFlag('--all-containers', 'of all containers of the pod'))
    .addOption(booleanFlag('--all-pods', 'of all pods of the workload'))
    .addOption(booleanFlag('--prefix', 'pod and container in front of each line'))
    .addOption(booleanFlag('--ignore-errors', 'go on when a log fails'));
  host.bind<LogsFlags>(command, runLogs);
}

interface Source {
  readonly pod: Pod;
  readonly container: string;
}

async function runLogs(
  context: CommandContext,
  flags: LogsFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  checkFlags(flags, words);
  const pods = await podsOf(context, flags, words);
  const sources = pods.flatMap((pod) => sourcesOf(context, flags, pod, words[1]));
  if (sources.length === 0) {
    if (flags.selector !== undefined) context.tell(`No resources found in ${await context.namespace()} namespace.`);
    return;
  }
  const isPrefixed = flags.prefix || flags.allPods;
  if (!flags.follow) {
    for (const source of sources) await printLog(context, flags, source, isPrefixed);
    return;
  }
  // One alone is not counted.
  if (sources.length > 1 && sources.length > flags.maxLogRequests) {
    throw new Failure(
      `you are attempting to follow ${sources.length} log streams, but maximum allowed concurrency is ${flags.maxLogRequests}, use --max-log-requests to increase the limit`,
    );
  }
  await Promise.all(sources.map((source) => printLog(context, flags, source, isPrefixed)));
}

/** What no server needs to be asked for. @throws Failure */
function checkFlags(flags: LogsFlags, words: readonly string[]): void {
  const { since, sinceTime, tail, limitBytes, container } = flags;
  if (flags.allContainers && container !== undefined)
    throw new Failure(`--all-containers=true should not be specified with container name ${container}`);
  if (sinceTime !== undefined && Number.isNaN(Date.parse(sinceTime)))
    throw new Failure(
      `parsing time ${JSON.stringify(sinceTime)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(sinceTime)} as "2006"`,
    );
  if (container !== undefined && words[1] !== undefined)
    throw new Failure('only one of -c or an inline [CONTAINER] arg is allowed');
  if (since !== undefined && sinceTime !== undefined)
    throw new Failure('at most one of `sinceTime` or `sinceSeconds` may be specified');
  if (tail !== undefined && tail < -1) throw new Failure('--tail must be greater than or equal to -1');
  if (limitBytes !== undefined && limitBytes < 0) throw new Failure('--limit-bytes must be greater than 0');
  if (since !== undefined && parseDuration(since) < 0) throw new Failure('--since must be greater than 0');
}

async function podsOf(context: CommandContext, flags: LogsFlags, words: readonly string[]): Promise<Pod[]> {
  if (flags.selector !== undefined) {
    if (words.length > 0)
      throw new Failure("only a selector (-l) or a POD name is allowed\nSee 'knarr logs -h' for help and examples");
    const [api, mapper, namespace] = await Promise.all([context.api(), context.mapper(), context.namespace()]);
    const scope = { namespace, labelSelector: flags.selector };
    return (await listObjects(api, mapper.resolve('pods'), scope)).map(({ object }) => object as unknown as Pod);
  }
  const [word] = words;
  if (word === undefined) {
    throw new Failure(
      "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command\nSee 'knarr logs -h' for help and examples",
    );
  }
  const { pods } = await podsBehind(context, [word], flags).catch(async (error: unknown) => {
    if (!isNotFound(error) || !(error instanceof StatusError)) throw error;
    throw new Failure(`error from server (NotFound): ${error.message} in namespace "${await context.namespace()}"`);
  });
  const [first] = pods;
  if (!first || flags.allPods) return pods;
  if (pods.length > 1) context.tell(`Found ${pods.length} pods, using pod/${first.metadata.name}`);
  return [first];
}

function sourcesOf(context: CommandContext, flags: LogsFlags, pod: Pod, named: string | undefined): Source[] {
  if (flags.allContainers) {
    const init = (pod.spec.initContainers ?? []).map(({ name }) => name);
    const rest = containerNames(pod).filter((name) => !init.includes(name));
    return [...init, ...rest].map((container) => ({ pod, container }));
  }
  const tell = (line: string): void => context.tell(line);
  const annotated = pod.metadata.annotations?.[ANNOTATION_DEFAULT_CONTAINER];
  const wanted = flags.container ?? named;
  if (wanted || !annotated || containerNames(pod).includes(annotated))
    return [{ pod, container: chooseContainer(pod, wanted, tell) }];
  tell(`Default container name ${JSON.stringify(annotated)} not found in pod ${pod.metadata.name}`);
  const plain = { ...pod, metadata: { ...pod.metadata, annotations: {} } };
  return [{ pod, container: chooseContainer(plain, wanted, tell) }];
}

async function printLog(context: CommandContext, flags: LogsFlags, source: Source, isPrefixed: boolean): Promise<void> {
  const { pod, container } = source;
  const [client, mapper] = await Promise.all([context.client(), context.mapper()]);
  const path = resourcePath(mapper.resolve('pods'), pod.metadata.namespace, pod.metadata.name, 'log');
  const { stdout } = context.terminal;
  const prefixer = new LinePrefixer(isPrefixed ? `[pod/${pod.metadata.name}/${container}] ` : '');
  try {
    const response = await client.stream({ path: path + logQuery(flags, container), signal: context.signal });
    const onAbort = (): void => response.destroy();
    context.signal.addEventListener('abort', onAbort, { once: true });
    for await (const chunk of response.chunks()) {
      const text = prefixer.push(chunk);
      if (text.length > 0 && !stdout.write(text)) await new Promise((resume) => void stdout.once('drain', resume));
    }
    stdout.write(prefixer.end());
  } catch (error) {
    if (!flags.ignoreErrors) throw error;
    context.tell(`error: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function logQuery(flags: LogsFlags, container: string): string {
  const tail = flags.tail ?? (flags.selector === undefined ? -1 : 10);
  return queryText({
    container,
    follow: flags.follow || undefined,
    previous: flags.previous || undefined,
    insecureSkipTLSVerifyBackend: flags.insecureSkipTlsVerifyBackend || undefined,
    timestamps: flags.timestamps || undefined,
    tailLines: tail >= 0 ? tail : undefined,
    sinceSeconds: flags.since === undefined ? undefined : Math.ceil(parseDuration(flags.since) / 1000),
    sinceTime: flags.sinceTime,
    limitBytes: flags.limitBytes,
  });
}
