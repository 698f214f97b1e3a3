import type { Command } from 'commander';
import { canonicalQuantity, isQuantity } from '../../shared/api/quantity.js';
import { Failure } from '../cluster/failure.js';
import { addFileFlags, addWriteFlags, type FileFlags, type WriteFlags } from '../command-flags.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { createGenerated } from '../create/create.js';
import { throwCollected } from '../failures.js';
import { booleanFlag, integerFlag } from '../flags.js';
import { findObjects, type FoundObject } from '../found-objects.js';
import type { AnyObject } from '../server-api.js';

export interface AutoscaleFlags {
  saveConfig: boolean;
  min: number;
  max?: number;
  cpuPercent: number;
  cpu?: string;
  memory?: string;
  name?: string;
}
type Flags = AutoscaleFlags & FileFlags & WriteFlags;

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('autoscale')
    .description('make a HorizontalPodAutoscaler for a workload')
    .usage('(-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU] [--memory=MEMORY] [flags]')
    .option('--name <name>', 'name of the autoscaler; default the name of the object')
    .option('--cpu <target>', 'average use of CPU: 80% of the request, or a quantity such as 500m')
    .option('--memory <target>', 'average use of memory: 80% of the request, or a quantity such as 256Mi')
    .addOption(integerFlag('--min <count>', 'at least so many pods', -1))
    .addOption(integerFlag('--max <count>', 'at most so many pods'))
    .addOption(integerFlag('--cpu-percent <percent>', 'average use of CPU over all pods', -1).hideHelp());
  addFileFlags(command);
  host.bind<Flags>(
    addWriteFlags(command).addOption(booleanFlag('--save-config', 'note the manifest for a later apply')),
    runAutoscale,
  );
}

async function runAutoscale(
  context: CommandContext,
  flags: Flags,
  { words }: { words: readonly string[] },
): Promise<void> {
  if (flags.cpuPercent !== -1) context.tell(cpuPercentIsDeprecated);
  if (flags.max === undefined) throw new Failure('required flag(s) "max" not set');
  if (flags.max < 1) throw new Failure(`--max=MAXPODS is required and must be at least 1, max: ${flags.max}`);
  if (flags.max < flags.min)
    throw new Failure(`--max=MAXPODS must be larger or equal to --min=MINPODS, max: ${flags.max}, min: ${flags.min}`);
  if (flags.cpuPercent > 0 && flags.cpu) throw new Failure('--cpu-percent and --cpu are mutually exclusive');
  const metrics = metricsOf(flags);
  const { filename: files, recursive: isRecursive } = flags;
  const { found, errors } = await findObjects(context, { words, files, isRecursive });
  for (const target of found) {
    try {
      if (!target.type.subresources.includes('scale'))
        throw new Failure(`cannot autoscale a ${target.type.kind}: ${withoutScale(target)}`);
      const options = { fieldManager: 'kubectl-autoscale', done: 'autoscaled', isPlainError: true };
      const done = flags.dryRun === 'client' ? { ...options, done: 'created' } : options;
      await createGenerated(context, flags, autoscaler(target, flags, metrics), done);
    } catch (error) {
      errors.push(error);
    }
  }
  throwCollected(errors);
}

const withoutScale = ({ type: { group, version, resource } }: FoundObject): string =>
  `could not find scale subresource for ${group}/${version}, Resource=${resource} in discovery information`;

/** The autoscaling/v2 object of the flags. */
function autoscaler({ type, name, object }: FoundObject, flags: AutoscaleFlags, metrics: readonly object[]): AnyObject {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: flags.name ?? name },
    spec: {
      maxReplicas: flags.max,
      ...(metrics.length > 0 ? { metrics } : {}),
      ...(flags.min > 0 ? { minReplicas: flags.min } : {}),
      scaleTargetRef: { apiVersion: object.apiVersion, kind: type.kind, name },
    },
    status: { currentMetrics: null, desiredReplicas: 0 },
  };
}

/** @throws Failure for a target that is neither a percentage nor a quantity */
function metricsOf({ cpu, cpuPercent, memory }: AutoscaleFlags): object[] {
  const given = cpu || (cpuPercent > 0 ? `${cpuPercent}%` : '');
  return [
    ...(given === '' ? [] : [resourceMetric('cpu', given, 'm')]),
    ...(memory ? [resourceMetric('memory', memory, 'Mi')] : []),
  ];
}

/** @param unit that of a number without one */
function resourceMetric(name: string, input: string, unit: string): object {
  const text = input.trim();
  if (text === '') throw new Failure('empty input');
  return {
    resource: { name, target: text.endsWith('%') ? utilization(text) : averageValue(name, text, unit) },
    type: 'Resource',
  };
}

function utilization(text: string): object {
  const percent = text.slice(0, -1);
  if (!/^\+?\d+$/.test(percent) || Number(percent) >= 2 ** 31)
    throw new Failure(`invalid percentage value: ${percent}`);
  return { averageUtilization: Number(percent), type: 'Utilization' };
}

function averageValue(name: string, text: string, unit: string): object {
  const whole = text !== '' && Number.isFinite(Number(text)) ? `${Number(text)}${unit}` : text;
  if (!isQuantity(whole)) throw new Failure(`invalid resource ${name} value: ${text}`);
  return { averageValue: canonicalQuantity(whole), type: 'AverageValue' };
}

const cpuPercentIsDeprecated =
  "Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization or '500m' for milliCPU).";
