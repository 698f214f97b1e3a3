import { get } from 'node:http';
import type { ComponentStatus } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Clock } from '../../shared/clock/clock.js';
import { parseListOptions } from '../cache/list-options.js';
import { compileSelection } from '../cache/selection.js';
import { negotiate } from '../http/accept.js';
import { header, type Exchange } from '../http/exchange.js';
import { sendObject } from '../http/respond.js';
import { componentStatusDefinition } from '../kinds/componentstatus.js';
import type { ResourceDefinition } from '../registry/definition.js';
import { methodNotSupported, notFound } from '../registry/status-errors.js';
import type { Storage } from '../storage/storage.js';
import { makeTable, partialObjectMetadata, partialObjectMetadataList } from '../table/table.js';

/** Asks one component how it is: resolves with what it says, rejects where it does not answer or is not well. */
export interface ComponentProbe {
  readonly name: string;
  readonly check: () => Promise<string>;
}

const timeoutMs = 2_000;
const maxAnswerBytes = 4 * 1024;
const definition = componentStatusDefinition as unknown as ResourceDefinition;
const { apiVersion, kind } = definition.resource;
const deprecation = 'v1 ComponentStatus is deprecated in v1.19+';

/** GET of a health path of a component on this host. */
export function httpProbe(name: string, url: string): ComponentProbe {
  const check = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const fail = (error: Error): void => reject(new Error(`Get ${JSON.stringify(url)}: ${error.message}`));
      const request = get(url, { timeout: timeoutMs, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text = (text + part).slice(0, maxAnswerBytes);
        });
        response.on('error', fail);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(text.trim());
          else reject(new Error(text.trim() || `answered ${response.statusCode ?? 0}`));
        });
      });
      request.on('timeout', () => request.destroy(new Error('no answer in time')));
      request.on('error', fail);
    });
  return { name, check };
}

/** The store answers for what the original calls etcd. */
export function storageHealth(storage: Storage): Promise<string> {
  const { mode, reason } = storage.health();
  return mode === 'read-write' ? Promise.resolve('ok') : Promise.reject(new Error(reason ?? `the store is ${mode}`));
}

/** Answers get and list of ComponentStatus, in every form that stored kinds have; there is nothing to watch. */
export function componentStatuses(
  probes: readonly ComponentProbe[],
  clock: Clock,
): (exchange: Exchange) => Promise<void> {
  return async (exchange) => {
    const { info, warnings } = exchange;
    if (info.verb !== 'get' && info.verb !== 'list') throw methodNotSupported(definition.resource, info.verb);
    warnings.push(deprecation);
    if (info.verb === 'list') {
      await answerList(exchange, probes, clock);
      return;
    }
    const probe = probes.find(({ name }) => name === info.name);
    if (!probe) throw notFound(definition.resource, info.name);
    const form = negotiate(header(exchange.request, 'accept'), { allowsTable: true, allowsYaml: true });
    const object = await statusOf(probe);
    const version = `meta.k8s.io/${form.transformVersion}`;
    const shown =
      form.transform === 'Table'
        ? makeTable(definition, [object], { apiVersion: version, metadata: {}, nowMs: clock.now() })
        : form.transform === 'none'
          ? object
          : partialObjectMetadata(object, version);
    sendObject(exchange, 200, Buffer.from(JSON.stringify(shown)), form);
  };
}

async function answerList(exchange: Exchange, probes: readonly ComponentProbe[], clock: Clock): Promise<void> {
  const form = negotiate(header(exchange.request, 'accept'), { allowsTable: true, allowsYaml: true });
  const { labelSelector, fieldSelector } = parseListOptions(exchange.query, false);
  const { matches } = compileSelection(definition, labelSelector, fieldSelector);
  const all = await Promise.all(probes.map(statusOf));
  const objects = all.filter((object) => matches({ object } as never));
  const version = `meta.k8s.io/${form.transformVersion}`;
  const shown =
    form.transform === 'Table'
      ? makeTable(definition, objects, { apiVersion: version, metadata: {}, nowMs: clock.now() })
      : form.transform === 'none'
        ? {
            kind: `${kind}List`,
            apiVersion,
            metadata: {},
            items: objects.map(({ apiVersion: _apiVersion, kind: _kind, ...rest }) => rest),
          }
        : partialObjectMetadataList(objects, version, {});
  sendObject(exchange, 200, Buffer.from(JSON.stringify(shown)), form);
}

async function statusOf({ name, check }: ComponentProbe): Promise<KubernetesObject> {
  const metadata = { name } as KubernetesObject['metadata'];
  const conditions: ComponentStatus['conditions'] = [
    await check().then(
      (message) => ({ type: 'Healthy', status: 'True', message }),
      (error: Error) => ({ type: 'Healthy', status: 'False', message: error.message }),
    ),
  ];
  const object: ComponentStatus = { apiVersion, kind, metadata, conditions };
  return object;
}
