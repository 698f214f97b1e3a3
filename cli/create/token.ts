import type { Command } from 'commander';
import { resourcePath } from '../../shared/api/resource.js';
import { StatusError } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { parseDuration } from '../duration.js';
import { durationFlag, arrayFlag } from '../flags.js';
import { addPrintFlags, objectWriter, type PrintFlags } from '../print-flags.js';
import { oneName } from './generator.js';

interface TokenFlags extends PrintFlags {
  audience?: string[];
  duration?: string;
  boundObjectKind?: string;
  boundObjectName?: string;
  boundObjectUid?: string;
}

export function registerToken(create: Command, host: CommandHost): void {
  const command = create
    .command('token')
    .description('a token of a ServiceAccount')
    .usage('SERVICE_ACCOUNT_NAME [flags]')
    .addOption(arrayFlag('--audience <name>', 'who accepts it; may be repeated'))
    .addOption(durationFlag('--duration <duration>', 'how long it is valid'))
    .option('--bound-object-kind <kind>', 'Pod, Secret or Node: the token ends with that object')
    .option('--bound-object-name <name>', 'name of that object')
    .option('--bound-object-uid <uid>', 'uid of that object');
  addPrintFlags(command, 'json, yaml ...: the whole TokenRequest');
  host.bind<TokenFlags>(command, async (context, flags, { words }) => createToken(context, flags, words));
}

async function createToken(context: CommandContext, flags: TokenFlags, words: readonly string[]): Promise<void> {
  const name = oneName(words, 'token');
  const [api, mapper, namespace] = await Promise.all([context.api(), context.mapper(), context.namespace()]);
  const { boundObjectKind: kind, boundObjectName, boundObjectUid: uid } = flags;
  if (kind === undefined && (boundObjectName !== undefined || uid !== undefined))
    throw new Failure('--bound-object-kind is required');
  const bound =
    kind === undefined
      ? {}
      : { boundObjectRef: { apiVersion: 'v1', kind, name: boundObjectName, ...(uid ? { uid } : {}) } };
  const seconds = flags.duration === undefined ? undefined : Math.floor(parseDuration(flags.duration) / 1000);
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      audiences: flags.audience ?? [],
      ...(seconds === undefined ? {} : { expirationSeconds: seconds }),
      ...bound,
    },
  };
  const write = objectWriter(context, flags);
  const path = resourcePath(mapper.resolve('serviceaccounts'), namespace, name, 'token');
  try {
    const request = await api.json({ method: 'POST', path, body });
    await write(request, (request['status'] as { token?: string }).token ?? '');
  } catch (error) {
    if (error instanceof StatusError) throw new Failure(`failed to create token: ${error.message}`);
    throw error;
  }
}
