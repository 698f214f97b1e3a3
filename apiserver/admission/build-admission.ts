import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import type { MetricsRegistry } from '../../shared/metrics/registry.js';
import type { Authorizer } from '../authorization/authorizer.js';
import type { ObjectCodec } from '../http/object-codec.js';
import type { ResourceDefinition } from '../registry/definition.js';
import type { ObjectReader } from '../registry/object-reader.js';
import type { StructType } from '../schema/schema-type.js';
import { serviceResolver } from '../services/service-resolver.js';
import type { DefaultTolerations } from './default-toleration-seconds.js';
import { AdmissionMetrics } from './admission-metrics.js';
import { AdmissionChain, type AdmissionPlugin } from './admission.js';
import type { AdmissionConfiguration } from './configuration/admission-configuration.js';
import { builtinPlugins, offByDefault } from './builtin-plugins.js';
import { Matcher } from './matching/matcher.js';
import { CelMatchConditions } from './expressions/cel-match-conditions.js';
import { mutatingPolicies } from './policy/mutating-policies.js';
import { PatchApplier } from './policy/patch-applier.js';
import { resourceQuota } from './quota/resource-quota.js';
import { PolicyMetrics } from './policy/policy-metrics.js';
import { validatingPolicies } from './policy/validating-policies.js';
import { mutatingWebhooks } from './webhook/mutating-webhooks.js';
import { validatingWebhooks } from './webhook/validating-webhooks.js';
import { WebhookCaller } from './webhook/webhook-caller.js';
import { WebhookClient } from './webhook/webhook-client.js';
import type { CredentialsFor } from './webhook/webhook-credentials.js';
import { WebhookSource } from './webhook/webhook-source.js';

export interface AdmissionOptions {
  readonly objects: ObjectReader;
  /** All kinds that are served now. */
  readonly definitions: () => readonly ResourceDefinition[];
  readonly codec: ObjectCodec;
  /** The structure of a kind, by the name of its schema. */
  readonly structure: (definition: string) => StructType;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
  readonly tolerations?: DefaultTolerations | undefined;
  readonly log: Log;
  readonly newUid: () => string;
  /** 0 <= x < 1. */
  readonly random: () => number;
  readonly randomSuffix: () => string;
  /** What a configuration file says to the plugins. */
  readonly configuration?: AdmissionConfiguration;
  /** Names of plugins that are off. */
  readonly disabled?: readonly string[];
  /** Names of plugins that are on although they are off by default. */
  readonly enabled?: readonly string[];
}

/** The plugins in the original's order, those that ask outside after those that know by themselves. */
export interface Admission {
  readonly chain: AdmissionChain;
  /** Asks webhooks of any kind. */
  readonly client: WebhookClient;
  /** Ends the connections to webhooks. */
  close(): void;
}

export function buildAdmission(options: AdmissionOptions): Admission {
  const {
    objects,
    codec,
    authorizer,
    definitions,
    structure,
    clock,
    log,
    newUid,
    random,
    configuration = {},
  } = options;
  const metrics = new AdmissionMetrics(options.metrics, clock);
  const resolve = serviceResolver(objects, random);
  const client = new WebhookClient(resolve, clock);
  const matcher = new Matcher(objects, definitions);
  const conditions = new CelMatchConditions({ objects, authorizer });
  const policies = { objects, authorizer, matcher, definitions };
  const named: WebhookClient[] = [];
  const callerWith = (credentials: CredentialsFor | undefined): WebhookCaller => {
    const own = credentials ? new WebhookClient(resolve, clock, credentials) : client;
    if (credentials) named.push(own);
    return new WebhookCaller({ matcher, conditions, client: own, newUid, log, metrics });
  };
  const { mutatingCredentials, validatingCredentials, podSecurity, limitedResources } = configuration;
  const plugins: readonly AdmissionPlugin[] = [
    ...builtinPlugins({ ...options, podSecurity }),
    mutatingPolicies(policies, new PatchApplier(codec, structure)),
    mutatingWebhooks(new WebhookSource(objects, 'mutating'), callerWith(mutatingCredentials), codec),
    validatingPolicies(policies, new PolicyMetrics(options.metrics)),
    validatingWebhooks(new WebhookSource(objects, 'validating'), callerWith(validatingCredentials)),
    resourceQuota(objects, () => clock.now(), limitedResources),
  ];
  const isOn = (name: string): boolean =>
    !options.disabled?.includes(name) && (!offByDefault.includes(name) || options.enabled?.includes(name) === true);
  const chain = new AdmissionChain(
    plugins.filter(({ name }) => isOn(name)),
    metrics,
  );
  return { chain, client, close: () => [client, ...named].forEach((one) => one.close()) };
}
