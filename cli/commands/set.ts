import type { Command } from 'commander';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';
import { arrayFlag, listFlag } from '../flags.js';
import { patchOfPodSpec, podSpecOf } from '../pod-template.js';
import { registerSetEnv } from '../set/env-command.js';
import { imagePatch } from '../set/image.js';
import { parseQuantities, resourcesPatch } from '../set/resources.js';
import { nothingNamed } from '../selection.js';
import { addSetFlags, applySetting, type SetFlags } from '../set/setting.js';
import { subjectPatch, subjectsOf, type SubjectFlags } from '../set/subject.js';

interface ResourcesFlags extends SetFlags {
  containers: string;
  limits?: string[];
  requests?: string[];
}

export function register(program: Command, host: CommandHost): void {
  const set = program.command('set').description('set features of objects');
  registerSetEnv(set, host);
  registerImage(set, host);
  registerResources(set, host);
  registerSubject(set, host);
  const selector = set
    .command('selector')
    .description('change the selector of a Service')
    .usage('(-f FILENAME | TYPE NAME) EXPRESSIONS [flags]');
  host.bind<SetFlags>(addSetFlags(selector), (context, flags, { words }) => {
    const expressions = words.filter((word) => word.includes('='));
    const [expression] = expressions;
    if (expression === undefined || expressions.length > 1)
      throw new Failure('one or more resources must be specified as <resource> <name> or <resource>/<name>');
    const wanted = Object.fromEntries(
      expression.split(',').map((pair) => pair.split(/==?/).slice(0, 2) as [string, string]),
    );
    return applySetting(
      context,
      flags,
      words.filter((word) => !word.includes('=')),
      {
        done: 'selector updated',
        plan: ({ type }) => {
          if (type.kind !== 'Service') throw new Failure(`setting a selector is only supported for Services`);
          return { spec: { selector: { ...wanted, $patch: 'replace' } } };
        },
      },
    );
  });
  const account = set
    .command('serviceaccount')
    .aliases(['sa'])
    .description('change the ServiceAccount of pods')
    .usage('(-f FILENAME | TYPE NAME) SERVICE_ACCOUNT [flags]');
  host.bind<SetFlags>(addSetFlags(account), (context, flags, { words }) => {
    const serviceAccountName = words.at(-1);
    if (serviceAccountName === undefined) throw new Failure('serviceaccount is required');
    return applySetting(context, flags, words.slice(0, -1), {
      done: 'serviceaccount updated',
      failed: 'failed to patch ServiceAccountName',
      plan: (target) => {
        podSpecOf(target);
        return patchOfPodSpec(target, { serviceAccountName });
      },
    });
  });
}

function registerSubject(set: Command, host: CommandHost): void {
  const command = set
    .command('subject')
    .description('add subjects to a RoleBinding or ClusterRoleBinding')
    .usage('(-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] [--serviceaccount=namespace:name] [flags]');
  addSetFlags(command);
  // Here --user names a subject and not a user of the kubeconfig.
  command
    .addOption(arrayFlag('--user <name>', 'a user; may be repeated'))
    .addOption(arrayFlag('--group <name>', 'a group; may be repeated'))
    .addOption(arrayFlag('--serviceaccount <namespace:name>', 'a ServiceAccount; may be repeated'));
  type Flags = SetFlags & SubjectFlags & { user?: never };
  host.bind<Flags>(command, (context, flags, { words }) => {
    if (words.length === 0 && !flags.filename) throw new Failure(nothingNamed);
    const subjects = subjectsOf(flags);
    return applySetting(context, flags, words, {
      done: 'subjects updated',
      failed: 'failed to patch subjects to rolebinding:',
      plan: (target) => subjectPatch(target, subjects),
    });
  });
}

function registerImage(set: Command, host: CommandHost): void {
  const image = set
    .command('image')
    .description('change the image of containers')
    .usage(
      '(-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N [flags]',
    );
  host.bind<SetFlags>(addSetFlags(image), (context, flags, { words }) => {
    const pairs = words.filter((word) => word.includes('='));
    const images = new Map(pairs.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
    if (images.size === 0) throw new Failure('at least one image update is required');
    const targets = words.filter((word) => !word.includes('='));
    return applySetting(context, flags, targets, {
      done: 'image updated',
      failed: 'failed to patch image update to pod template:',
      plan: (target) => imagePatch(target, images),
    });
  });
}

function registerResources(set: Command, host: CommandHost): void {
  const command = set
    .command('resources')
    .description('change limits and requests of containers')
    .usage('(-f FILENAME | TYPE NAME)  ([--limits=LIMITS & --requests=REQUESTS] [flags]')
    .option('-c, --containers <pattern>', 'containers by name; * stands for anything', '*')
    .addOption(listFlag('--limits <quantities>', 'e.g. cpu=200m,memory=512Mi'))
    .addOption(listFlag('--requests <quantities>', 'e.g. cpu=100m'));
  host.bind<ResourcesFlags>(addSetFlags(command), (context, flags, { words }) => {
    if (!flags.limits && !flags.requests)
      throw new Failure('you must specify an update to requests or limits (in the form of --requests/--limits)');
    const changes = { limits: parseQuantities(flags.limits), requests: parseQuantities(flags.requests) };
    return applySetting(context, flags, words, {
      done: 'resource requirements updated',
      failed: 'failed to patch resources update to pod template',
      plan: (target) => resourcesPatch(target, changes, flags.containers),
    });
  });
}
