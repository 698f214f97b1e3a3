import type { Command } from 'commander';
import type { Pod } from '../../shared/api/generated/types.js';
import { resourcePath } from '../../shared/api/resource.js';
import { Failure } from '../cluster/failure.js';
import type { Arguments, CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { arrayFlag, booleanFlag } from '../flags.js';
import { observe } from '../observation.js';
import { attachToPod } from '../streams/attachment.js';
import { containerNames } from '../streams/pod-target.js';

interface DebugFlags {
  image?: string;
  container?: string;
  target?: string;
  imagePullPolicy?: string;
  env?: string[];
  profile: string;
  stdin: boolean;
  tty: boolean;
  attach?: boolean;
  quiet: boolean;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('debug')
    .description('add a container of tools to a running pod')
    .usage('(POD | TYPE/NAME) --image=image [--target=CONTAINER] [-- COMMAND [args...]] [flags]')
    .option('--image <image>', 'image of the container')
    .option('-c, --container <name>', 'its name; default debugger-XXXXX')
    .option('--target <container>', 'the container whose processes it sees')
    .option('--image-pull-policy <policy>', 'Always, IfNotPresent or Never')
    .option('--profile <name>', 'legacy, general, baseline, restricted, netadmin or sysadmin', 'legacy')
    .addOption(arrayFlag('--env <key=value>', 'environment variable; may be repeated'))
    .addOption(booleanFlag('-i, --stdin', 'pass our input to the container'))
    .addOption(booleanFlag('-t, --tty', 'our input is a terminal'))
    .addOption(booleanFlag('--attach', 'wait for the container and attach to it').default(undefined))
    .addOption(booleanFlag('-q, --quiet', 'only the output of the container'));
  host.bind<DebugFlags>(command, runDebug);
}

async function runDebug(context: CommandContext, flags: DebugFlags, { words, dashAt }: Arguments): Promise<void> {
  const at = dashAt ?? words.length;
  const [word, ...more] = words.slice(0, at);
  if (word === undefined || more.length > 0) throw new Failure('NAME is required for debug');
  if (flags.image === undefined) throw new Failure('must specify --image or --copy-to when debugging a Pod');
  if (flags.tty && !flags.stdin) throw new Failure('-i/--stdin is required for containers with -t/--tty=true');
  if (flags.profile === 'legacy')
    context.tell(
      '--profile=legacy is deprecated and will be removed in the future. It is recommended to explicitly specify a profile, for example "--profile=general".',
    );
  const name = word.replace(/^(pod|pods|po)\//, '');
  if (name.includes('/')) throw new Failure(`not supported by debug: ${word}; only pods are`);
  const [api, mapper, namespace] = await Promise.all([context.api(), context.mapper(), context.namespace()]);
  const type = mapper.resolve('pods');
  const pod = await api.json<Pod>({ path: resourcePath(type, namespace, name) });
  const container = flags.container ?? freeName(containerNames(pod));
  if (flags.container === undefined && !flags.quiet) context.print(`Defaulting debug container name to ${container}.`);
  await api.json({
    method: 'PATCH',
    path: resourcePath(type, namespace, name, 'ephemeralcontainers'),
    query: { fieldManager: 'kubectl-debug' },
    contentType: 'application/strategic-merge-patch+json',
    body: { spec: { ephemeralContainers: [debugContainer(container, flags, words.slice(at))] } },
  });
  if (!(flags.attach ?? flags.stdin)) return;
  for await (const object of observe(context, { type, name, namespace }, 0)) {
    const now = object as unknown as Pod | undefined;
    if (!now) throw new Failure(`pods "${name}" not found`);
    const state = now.status?.ephemeralContainerStatuses?.find((each) => each.name === container)?.state;
    if (state?.running) {
      if (flags.stdin && !flags.quiet) context.tell("If you don't see a command prompt, try pressing enter.");
      return attachToPod(context, now, { container, stdin: flags.stdin, tty: flags.tty });
    }
    if (state?.terminated) {
      const path = resourcePath(type, namespace, name, 'log');
      return void context.terminal.stdout.write(await api.text({ path, query: { container } }));
    }
  }
}

const letters = 'bcdfghjklmnpqrstvwxz2456789';

function freeName(taken: readonly string[]): string {
  for (;;) {
    const suffix = Array.from({ length: 5 }, () => letters[Math.floor(Math.random() * letters.length)] ?? 'x').join('');
    if (!taken.includes(`debugger-${suffix}`)) return `debugger-${suffix}`;
  }
}

const capabilities: Readonly<Record<string, object>> = {
  general: { capabilities: { add: ['SYS_PTRACE'] } },
  netadmin: { capabilities: { add: ['NET_ADMIN', 'NET_RAW'] } },
  sysadmin: { privileged: true },
  restricted: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  },
};

/** The ephemeral container of the flags. @throws Failure for an unknown profile. */
export function debugContainer(name: string, flags: DebugFlags, command: readonly string[]): object {
  const { image, imagePullPolicy, target, stdin, tty, profile } = flags;
  if (!['legacy', 'baseline'].includes(profile) && !capabilities[profile])
    throw new Failure(`unknown profile: ${profile}`);
  const env = (flags.env ?? []).map((text) => {
    const at = text.indexOf('=');
    if (at <= 0) throw new Failure(`invalid env ${text}, expected key=value`);
    return { name: text.slice(0, at), value: text.slice(at + 1) };
  });
  return {
    name,
    image,
    ...(command.length > 0 ? { command } : {}),
    ...(env.length > 0 ? { env } : {}),
    ...(imagePullPolicy ? { imagePullPolicy } : {}),
    ...(target ? { targetContainerName: target } : {}),
    ...(capabilities[profile] ? { securityContext: capabilities[profile] } : {}),
    stdin,
    tty,
    terminationMessagePolicy: 'File',
  };
}
