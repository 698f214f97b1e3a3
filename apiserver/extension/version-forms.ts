import { setImmediate } from 'node:timers/promises';
import type { WebhookConversion } from '../../shared/api/generated/types.js';
import type { JsonObject } from '../../shared/api/json.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { WebhookClient } from '../admission/webhook/webhook-client.js';
import { CallError } from '../admission/webhook/webhook-client.js';
import { CachedObject } from '../cache/cached-object.js';
import type { FormConversion } from '../registry/definition.js';
import { encodeTyped } from '../registry/encoding.js';
import type { ConversionFailure, MeasureConversion } from './conversion-metrics.js';
import {
  acceptConverted,
  chooseReviewVersion,
  ConversionError,
  conversionReview,
  readConversion,
} from './conversion-review.js';

/** Whom to ask for conversions. */
export interface Converter {
  readonly settings: WebhookConversion;
  readonly client: Pick<WebhookClient, 'post'>;
  readonly newUid: () => string;
  readonly measure: MeasureConversion;
}

export interface VersionFormsOptions {
  readonly converter: Converter;
  readonly resource: Resource;
  /** The version in which objects are stored. */
  readonly stored: Resource;
  /** Takes out what the schema of a version does not name; a webhook's objects are pruned as a client's are. */
  readonly prune: (object: JsonObject, apiVersion: string) => JsonObject;
}

const timeoutSeconds = 30;
const maxObjectsPerCall = 500;
const maxCallBytes = 1024 * 1024;
/** A form may be bigger than what it comes from, but not by any amount. */
const maxAnswerBytes = 16 * 1024 * 1024;
const maxObjectsAtOnce = 1_000;

/**
 * The objects of one kind in one version, as a webhook converts them. What was converted is remembered for as long as
 * the state that it was made of is: each state is asked for once in a version, whoever wants it.
 */
export class VersionForms implements FormConversion {
  readonly stored: Resource;
  readonly #options: VersionFormsOptions;
  readonly #known = new WeakMap<CachedObject, CachedObject>();
  readonly #asked = new WeakMap<CachedObject, Promise<void>>();

  constructor(options: VersionFormsOptions) {
    this.#options = options;
    this.stored = options.stored;
  }

  find(object: CachedObject): CachedObject | undefined {
    return object.object.apiVersion === this.#options.resource.apiVersion ? object : this.#known.get(object);
  }

  async fromStored(objects: readonly CachedObject[]): Promise<readonly CachedObject[]> {
    const forms: CachedObject[] = [];
    for (let from = 0; from < objects.length; from += maxObjectsAtOnce) {
      // Objects are parsed for it: many at once would stop everybody else.
      if (from > 0) await setImmediate();
      forms.push(...(await this.#some(objects.slice(from, from + maxObjectsAtOnce))));
    }
    return forms;
  }

  async #some(objects: readonly CachedObject[]): Promise<readonly CachedObject[]> {
    const missing = objects.filter((object) => !this.find(object) && !this.#asked.has(object));
    await Promise.all(callsOf(missing).map((call) => this.#ask(call)));
    // Others may be asking for some at this moment.
    await Promise.all(objects.flatMap((object) => this.#asked.get(object) ?? []));
    return objects.map((object) => this.find(object) ?? object);
  }

  toOwn(object: KubernetesObject): Promise<KubernetesObject> {
    return this.#inVersion(object, this.#options.resource.apiVersion);
  }

  toStored(object: KubernetesObject): Promise<KubernetesObject> {
    return this.#inVersion(object, this.stored.apiVersion);
  }

  async #inVersion(object: KubernetesObject, apiVersion: string): Promise<KubernetesObject> {
    if (object.apiVersion === apiVersion) return object;
    const [converted] = await this.#convert([{ object, bytes: encodeTyped(object) }], apiVersion);
    return converted as unknown as KubernetesObject;
  }

  #ask(objects: readonly CachedObject[]): Promise<void> {
    const asked = this.#form(objects).finally(() => {
      for (const object of objects) this.#asked.delete(object);
    });
    for (const object of objects) this.#asked.set(object, asked);
    return asked;
  }

  async #form(objects: readonly CachedObject[]): Promise<void> {
    const converted = await this.#convert(objects, this.#options.resource.apiVersion);
    objects.forEach((source, index) => {
      const object = converted[index] as unknown as KubernetesObject;
      const { key, revision, createRevision } = source;
      const value = encodeTyped(object);
      this.#known.set(source, new CachedObject({ key, value, revision, createRevision }, object));
    });
  }

  async #convert(sources: readonly Source[], apiVersion: string): Promise<JsonObject[]> {
    const { converter, resource, prune } = this.#options;
    const { settings, client, newUid, measure } = converter;
    const from = sources[0]?.object.apiVersion ?? '';
    const subject = `conversion webhook for ${from}, Kind=${resource.kind}`;
    const crdName = `${resource.resource}.${resource.group}`;
    const end = measure({ crdName, fromVersion: versionOf(from), toVersion: versionOf(apiVersion) });
    let stage: ConversionFailure = 'conversion_webhook_call_failure';
    try {
      const version = chooseReviewVersion(settings.conversionReviewVersions);
      const uid = newUid();
      const bytes = sources.map((source) => source.bytes);
      const body = conversionReview(version, uid, apiVersion, bytes);
      const answer = await client.post(settings.clientConfig ?? {}, body, timeoutSeconds, maxAnswerBytes);
      stage = 'conversion_webhook_malformed_response_failure';
      const converted = readConversion(answer, version, uid);
      stage = 'conversion_webhook_partial_response_failure';
      if (converted.length !== sources.length) {
        throw failure(`${subject} returned ${converted.length} objects, expected ${sources.length}`);
      }
      stage = 'conversion_webhook_invalid_converted_object_failure';
      const forms = sources.map(({ object }, index) =>
        prune(accepted(subject, converted[index], object, apiVersion, index), apiVersion),
      );
      end();
      return forms;
    } catch (error) {
      end(stage);
      if (error instanceof CallError || error instanceof ConversionError) {
        throw failure(`${subject} failed: ${error.message}`);
      }
      throw error;
    }
  }
}

const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf('/') + 1);

/** What is to be converted: an object and its JSON. */
type Source = Pick<CachedObject, 'object' | 'bytes'>;

function accepted(
  subject: string,
  converted: unknown,
  object: KubernetesObject,
  apiVersion: string,
  index: number,
): JsonObject {
  try {
    return acceptConverted(converted, object, apiVersion, index);
  } catch (error) {
    if (error instanceof ConversionError) throw failure(`${subject} ${error.message}`);
    throw error;
  }
}

/** The original gives it no reason. */
const failure = (message: string): StatusError => new StatusError(500, '', message);

/** Many objects go in one call, as long as it stays of a size that hurts nobody. */
function callsOf(objects: readonly CachedObject[]): CachedObject[][] {
  const calls: CachedObject[][] = [];
  let call: CachedObject[] = [];
  let size = 0;
  for (const object of objects) {
    if (call.length === maxObjectsPerCall || (call.length > 0 && size + object.bytes.length > maxCallBytes)) {
      calls.push(call);
      call = [];
      size = 0;
    }
    call.push(object);
    size += object.bytes.length;
  }
  if (call.length > 0) calls.push(call);
  return calls;
}
