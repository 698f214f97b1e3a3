import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import { readManifests } from '../../shared/manifest/manifest.js';
import type { MetricsRegistry } from '../../shared/metrics/registry.js';
import type { AskReview } from '../../shared/review/ask-review.js';
import { FollowedConfiguration } from '../files/followed-configuration.js';
import type { ConfiguredAuthorizer } from './authorization-chain.js';
import {
  readAuthorizationConfiguration,
  type AuthorizerSettings,
  type WebhookSettings,
} from './authorization-configuration.js';
import { WebhookAuthorizer } from './webhook-authorizer.js';
import { WebhookMetrics } from './webhook-metrics.js';

export interface ConfiguredAuthorizersOptions {
  /** An AuthorizationConfiguration. */
  readonly file: string;
  readonly askOf: (webhook: WebhookSettings) => Promise<AskReview>;
  readonly clock: Clock;
  readonly log: Log;
  /** Which server it is, in the metrics. */
  readonly serverId: string;
}

interface Content {
  readonly authorizers: readonly ConfiguredAuthorizer[];
  readonly webhookMetrics: readonly WebhookMetrics[];
}

/**
 * The authorizers of an AuthorizationConfiguration file, followed while the server runs. Webhooks come and go; the other
 * types do not change before the next start, as in the original.
 */
export class ConfiguredAuthorizers {
  readonly #followed: FollowedConfiguration<Content>;
  #metrics: MetricsRegistry | undefined;
  #counted: Content | undefined;

  private constructor(followed: FollowedConfiguration<Content>) {
    this.#followed = followed;
  }

  /** Rejects with an Error that begins with the file where it cannot be used. */
  static async load(options: ConfiguredAuthorizersOptions): Promise<ConfiguredAuthorizers> {
    const followed = await FollowedConfiguration.load<Content>({
      ...options,
      subject: 'authorization',
      prepare: (text) => prepare(text, options),
      mayFollow: assertSameTypes,
    });
    return new ConfiguredAuthorizers(followed);
  }

  /** In the order in which they are asked; another array after each change. */
  readonly current = (): readonly ConfiguredAuthorizer[] => {
    const content = this.#followed.current;
    if (this.#metrics && this.#counted !== content) this.#count(content, this.#metrics);
    return content.authorizers;
  };

  start(): void {
    this.#followed.start();
  }

  stop(): Promise<void> {
    return this.#followed.stop();
  }

  /** Under the names of the original. */
  addMetrics(metrics: MetricsRegistry): void {
    this.#metrics = metrics;
    this.#followed.addMetrics(metrics);
  }

  #count(content: Content, metrics: MetricsRegistry): void {
    this.#counted = content;
    for (const one of content.webhookMetrics) one.addTo(metrics);
  }
}

async function prepare(text: string, options: ConfiguredAuthorizersOptions): Promise<Content> {
  const [document] = readManifests(text, { file: options.file });
  const settings = readAuthorizationConfiguration(document?.value);
  const webhookMetrics: WebhookMetrics[] = [];
  const authorizers: ConfiguredAuthorizer[] = [];
  for (const one of settings) {
    const metrics = new WebhookMetrics(options.clock, one.name);
    if (one.webhook) webhookMetrics.push(metrics);
    authorizers.push(await authorizerOf(one, options, metrics));
  }
  return { authorizers, webhookMetrics };
}

async function authorizerOf(
  { type, name, webhook }: AuthorizerSettings,
  { askOf, clock, log }: ConfiguredAuthorizersOptions,
  metrics: WebhookMetrics,
): Promise<ConfiguredAuthorizer> {
  if (!webhook) return { type, name };
  const ask = await askOf(webhook);
  return { type, name, webhook: new WebhookAuthorizer({ ...webhook, ask, clock, log, metrics }) };
}

function assertSameTypes(next: Content, first: Content): void {
  const typesOf = ({ authorizers }: Content): string[] =>
    authorizers.map(({ type }) => type).filter((type) => type !== 'Webhook');
  const known = typesOf(first);
  const wanted = typesOf(next);
  for (const type of wanted) {
    if (!known.includes(type))
      throw new Error(`authorizer type ${type} is not allowed if it was not enabled at initial server startup`);
  }
  for (const type of known) {
    if (!wanted.includes(type)) throw new Error(`authorizers: Required value: must include type ${type}`);
  }
}
