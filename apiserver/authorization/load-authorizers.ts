import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import type { AskReview } from '../../shared/review/ask-review.js';
import { reviewClientFromKubeconfig } from '../authentication/review-client.js';
import {
  authorizerTypes,
  usualAuthorizers,
  type AuthorizerType,
  type ConfiguredAuthorizer,
} from './authorization-chain.js';
import type { ConfiguredAuthorizers } from './configured-authorizers.js';
import { WebhookAuthorizer } from './webhook-authorizer.js';

/** Flags about who decides what users may do, named as those of the original. */
export interface AuthorizationFlags {
  readonly authorizationConfig?: string;
  readonly authorizationMode?: readonly string[];
  readonly authorizationWebhookConfigFile?: string;
  readonly authorizationWebhookVersion?: string;
  readonly authorizationWebhookCacheAuthorizedTtl: number;
  readonly authorizationWebhookCacheUnauthorizedTtl: number;
}

interface Given {
  readonly clock: Clock;
  readonly log: Log;
  /** Which server it is, in the metrics. */
  readonly serverId: string;
}

interface Loaded {
  readonly authorizers: () => readonly ConfiguredAuthorizer[];
  /** Present where they stand in a file that is followed. */
  readonly followed?: ConfiguredAuthorizers;
}

/** Builds what the flags ask for; throws an Error that says which of them is wrong. */
export async function loadAuthorizers(flags: AuthorizationFlags, given: Given): Promise<Loaded> {
  const { authorizationConfig: file, authorizationMode: modes, authorizationWebhookConfigFile: kubeconfig } = flags;
  if (file === undefined) {
    const webhook = kubeconfig === undefined ? undefined : await webhookOf(kubeconfig, flags, given);
    return { authorizers: modes ? byModes(modes, webhook) : usualAuthorizers(webhook) };
  }
  if (modes ?? kubeconfig ?? flags.authorizationWebhookVersion) {
    throw new Error(
      '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined',
    );
  }
  // Compiles expressions: only where there is a file.
  const { ConfiguredAuthorizers: Authorizers } = await import('./configured-authorizers.js');
  const askOf = async ({
    kubeconfigFile,
    timeoutMs,
  }: {
    kubeconfigFile: string;
    timeoutMs: number;
  }): Promise<AskReview> => (await reviewClientFromKubeconfig(kubeconfigFile, given.clock, timeoutMs)).ask;
  const followed = await Authorizers.load({ file, askOf, ...given });
  return { authorizers: followed.current, followed };
}

async function webhookOf(
  kubeconfig: string,
  flags: AuthorizationFlags,
  { clock, log }: Given,
): Promise<WebhookAuthorizer> {
  const { authorizationWebhookVersion: version = 'v1' } = flags;
  if (version !== 'v1' && version !== 'v1beta1')
    throw new Error(`--authorization-webhook-version ${version} is neither v1 nor v1beta1`);
  return new WebhookAuthorizer({
    ask: (await reviewClientFromKubeconfig(kubeconfig, clock)).ask,
    clock,
    log,
    authorizedTtlMs: flags.authorizationWebhookCacheAuthorizedTtl,
    unauthorizedTtlMs: flags.authorizationWebhookCacheUnauthorizedTtl,
    reviewVersion: version,
  });
}

/** What --authorization-mode names, in its order. */
export function byModes(
  modes: readonly string[],
  webhook: WebhookAuthorizer | undefined,
): () => readonly ConfiguredAuthorizer[] {
  const types = modes.map((mode): AuthorizerType => {
    const type = authorizerTypes.find((one) => one === mode);
    if (!type) throw new Error(`authorization-mode "${mode}" is not a valid mode`);
    return type;
  });
  if (new Set(types).size < types.length)
    throw new Error(`authorization-mode ${JSON.stringify(modes)} has mode specified more than once`);
  if (types.includes('Webhook') && !webhook)
    throw new Error("authorization-mode Webhook's authorization config file not passed");
  if (webhook && !types.includes('Webhook'))
    throw new Error('cannot specify --authorization-webhook-config-file without mode Webhook');
  const authorizers = types.map((type): ConfiguredAuthorizer => ({
    type,
    name: type.toLowerCase(),
    ...(type === 'Webhook' && webhook ? { webhook } : {}),
  }));
  return () => authorizers;
}
